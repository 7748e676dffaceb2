#pragma once
/// `porta map check`: everything that can be said of a mapping file before any record has come, and whether the goldens
/// beside it have their form. `Program::load` is the same check of the file alone, with one answer.
///
///     CheckReport report = checkMapping("mappings/clinic.yaml");
///     for (const Finding& f : report.findings) std::cerr << f.message() << "\n";
#include <memory>
#include <string>
#include <vector>

#include "mapping/engine/findings.h"
#include "mapping/engine/program.h"

namespace porta::mapping {

struct CheckReport {
    std::shared_ptr<const Program> program;  ///< null where a finding is an error
    std::vector<Finding> findings;           ///< in the order of the file, as far as it could be read
    bool ok() const { return program != nullptr; }
};
CheckReport checkMapping(const std::string& path);

}  // namespace porta::mapping
