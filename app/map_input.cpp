#include "app/map_input.h"

#include "app/input_file.h"

namespace porta::app {

Result<MapInput> readMapInput(const std::string& mapping, const std::string& path, const mapping::Input& declared) {
    MapInput in;
    auto program = mapping::Program::load(mapping);
    if (!program) return program.error();
    in.program = *program;
    in.declared = declared;
    auto bytes = readInput(path);
    if (!bytes) return bytes.error();
    in.bytes = std::move(*bytes);
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
