#include "mapping/engine/check.h"

#include <filesystem>
#include <sstream>

#include "mapping/engine/golden_file.h"
#include "mapping/engine/loader.h"

namespace porta::mapping {

Finding placed(const Error& error, const std::string& file, std::string rule) {
    Finding f{Finding::Kind::error, file, 1, 1, std::move(rule), error.message};
    // `file:line:column: text; did you mean `name`?`
    for (std::size_t at = f.text.find(':'); at != std::string::npos; at = f.text.find(':', at + 1)) {
        std::istringstream rest(f.text.substr(at));
        char first = 0, second = 0, third = 0;
        int line = 0, column = 0;
        if (!(rest >> first >> line >> second >> column >> third) || first != ':' || second != ':' || third != ':')
            continue;
        f.file = f.text.substr(0, at);
        f.line = line;
        f.column = column;
        std::string text;
        std::getline(rest >> std::ws, text);
        f.text = text;
        break;
    }
    static const std::string kAsked = "; did you mean `";
    if (std::size_t asked = f.text.find(kAsked); asked != std::string::npos) {
        f.nearest = f.text.substr(asked + kAsked.size());
        f.nearest = f.nearest.substr(0, f.nearest.find('`'));
        f.text.erase(asked);
    }
    return f;
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
