#include "mapping/engine/check.h"

#include <filesystem>

#include "mapping/engine/golden_file.h"
#include "mapping/engine/loader.h"

namespace porta::mapping {

Finding placed(const Error& error, const std::string& file, std::string rule) {
    if (!error.place) return {Finding::Kind::error, file, 1, 1, std::move(rule), error.message};
    const Place& p = *error.place;
    return {Finding::Kind::error, p.file, p.line, p.column, std::move(rule), p.text, p.nearest};
}

CheckReport checkMapping(const std::string& path) {
    CheckReport report;
    report.program = Loader::load(path, report.findings);
    std::error_code ignore;
    const std::string folder = goldenFolder(path);
    if (!report.program || !std::filesystem::is_directory(folder, ignore)) return report;
    if (auto cases = loadGoldens(folder, report.program->format(), true); !cases) {
        report.findings.push_back(placed(cases.error(), folder, "golden"));
        report.program = nullptr;
    }
    return report;
}

}  // namespace porta::mapping
