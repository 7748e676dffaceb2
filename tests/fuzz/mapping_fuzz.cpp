// Any text as a mapping file, perhaps with files beside it: loaded, or refused at places that exist. An input is the mapping;
// each line `--- NAME` begins another file of the same folder (a model, a code map, `goldens/mapping/case.csv`).
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "mapping/engine/check.h"
#include "mapping/engine/models.h"

using namespace porta::mapping;
namespace fs = std::filesystem;

namespace {

/// A folder in memory where there is one, gone with the process.
struct Folder {
    fs::path path;
    Folder() {
        const fs::path memory = "/dev/shm";
        path = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
               ("porta-mapping-fuzz-" + std::to_string(getpid()));
    }
    ~Folder() { fs::remove_all(path); }
    void empty() const {
        fs::remove_all(path);
        fs::create_directories(path);
    }
};

bool fine(const std::string& name) {
    return !name.empty() && name.size() < 60 && name[0] != '/' && name.back() != '/' &&
           name.find("..") == std::string::npos && name.find("//") == std::string::npos &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == '/'; });
}

/// Name → text; the mapping itself is `mapping.yaml`.
std::map<std::string, std::string> filesOf(const std::string& input) {
    std::map<std::string, std::string> files;
    std::string* into = &files["mapping.yaml"];
    for (std::size_t at = 0; at < input.size();) {
        const std::size_t end = std::min(input.find('\n', at), input.size() - 1) + 1;
        const std::string line = input.substr(at, end - at);
        at = end;
        const bool begins = line.starts_with("--- ") && line.size() > 5 && fine(line.substr(4, line.size() - 5));
        if (begins) into = &files[line.substr(4, line.size() - 5)];
        else *into += line;
    }
    return files;
}

/// The line and the column stand in the file, or just behind it.
void place(const Finding& f, const std::string& text) {
    std::vector<std::string> lines{""};
    for (char c : text)
        if (c == '\n') lines.emplace_back();
        else lines.back() += c;
    if (f.line < 1 || f.column < 1 || f.line > static_cast<int>(lines.size())) std::abort();
    if (f.column > static_cast<int>(lines[static_cast<std::size_t>(f.line) - 1].size()) + 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    const std::string input(reinterpret_cast<const char*>(data), size);
    // A mapping may name any file of the machine; not those that never end.
    for (const char* outside : {"/dev", "/proc", "/sys"})
        if (input.find(outside) != std::string::npos) return 0;
    folder.empty();
    const auto files = filesOf(input);
    for (const auto& [name, text] : files) {
        std::error_code taken;
        fs::create_directories((folder.path / name).parent_path(), taken);
        std::ofstream(folder.path / name, std::ios::binary) << text;
    }
    const std::string mapping = (folder.path / "mapping.yaml").string();
    const CheckReport report = checkMapping(mapping);
    if (!report.ok() && report.findings.empty()) std::abort();
    // A gateway loads without goldens: what the check passes it takes.
    const auto loaded = Program::load(mapping);
    if (report.ok() ? !loaded : !loaded && loaded.error().message.empty()) std::abort();
    for (const Finding& f : report.findings) {
        if (f.rule.empty() || f.text.empty()) std::abort();
        auto file = files.find(fs::path(f.file).lexically_relative(folder.path).generic_string());
        place(f, file == files.end() ? "" : file->second);
    }
    return 0;
}
