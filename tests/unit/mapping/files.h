#pragma once
/// Files of the tests of mappings.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace porta::mapping {

inline const std::filesystem::path kLibrary = std::filesystem::path(PORTA_ROOT) / "mapping/library";

inline std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// A file of this program's own; its path.
inline std::string written(const std::string& name, const std::string& text) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "porta-mapping-test";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
}

}  // namespace porta::mapping
