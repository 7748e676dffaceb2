#include "app/suite_report.h"

#include <fstream>

namespace porta::app {

void SuiteReport::add(const std::string& file, const std::string& name, bool passed, const std::string& reason) {
    Json test = Json::object();
    test["name"] = name;
    test["result"]["passed"] = passed;
    if (!reason.empty()) test["result"]["reason"] = reason;
    Json& tests = files_[file]["tests"];
    if (!tests.isArray()) tests = Json::array();
    tests.push(std::move(test));
}

Result<void> SuiteReport::write(const std::string& file) const {
    std::ofstream out(file, std::ios::binary);
    out << print(files_) << "\n";
    out.close();
    if (!out) return fail(Errc::misconfigured, file + ": cannot be written", "suite.report");
    return {};
}

}  // namespace porta::app
