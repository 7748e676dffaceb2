#include "app/map_input.h"

#include <fstream>
#include <iostream>
#include <sstream>

namespace porta::app {

Result<MapInput> readMapInput(const std::string& mapping, const std::string& path, const mapping::Input& declared) {
    MapInput in;
    auto program = mapping::Program::load(mapping);
    if (!program) return program.error();
    in.program = *program;
    in.declared = declared;
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream file(path, std::ios::binary);
        if (!file) return fail(Errc::not_found, path + ": cannot be opened; check the path and its permissions");
        text << file.rdbuf();
    }
    in.bytes = text.str();
    if (formats::looksGzipped(in.bytes)) {
        auto plain = formats::gunzip(in.bytes, std::uint64_t(1) << 30);
        if (!plain) return plain.error();
        in.bytes = std::move(*plain);
    }
    auto units = formats::split(in.program->format(), in.bytes);
    if (!units) return units.error();
    in.units = std::move(*units);
    return in;
}

void addDeclared(CLI::App& app, mapping::Input& declared) {
    declared.source = "local";
    app.add_option("--source", declared.source, "source id of the keys");
    app.add_option("--time-zone", declared.time_zone, "IANA zone of times without offset");
    app.add_option("--object-time", declared.object_time, "time of the object, ISO 8601");
    app.add_option("--dates", declared.date_pattern, "date pattern, e.g. dd/MM/yyyy");
    app.add_flag("--full", declared.full_snapshot, "the input is a full snapshot");
}

void standIn(mapping::Input& declared) {
    if (declared.object_time.empty()) declared.object_time = "1970-01-01";
    if (declared.time_zone.empty()) declared.time_zone = "UTC";
}

}  // namespace porta::app
