#include "app/input_file.h"

#include <fstream>
#include <iostream>
#include <sstream>

#include "formats/format.h"

namespace porta::app {

namespace {
constexpr std::uint64_t kMaxBytes = std::uint64_t{4} << 30;
}

Result<std::string> readInput(const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream file(path, std::ios::binary);
        if (!file) return fail(Errc::not_found, path + ": cannot be opened; check the path and its permissions");
        text << file.rdbuf();
    }
    std::string bytes = std::move(text).str();
    if (formats::looksGzipped(bytes)) return formats::gunzip(bytes, kMaxBytes);
    return bytes;
}

}  // namespace porta::app
