// `porta map lineage`: where the fields of a mapping come from, by its rules alone.
#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>

#include "app/context.h"
#include "app/map_verbs.h"
#include "base/date_time.h"
#include "mapping/engine/lineage.h"

namespace porta::app {

namespace {

void printLines(const mapping::Program& program, bool json) {
    for (const mapping::FieldLineage& f : mapping::lineageOf(program)) {
        const mapping::Rule& rule = program.rules()[f.rule];
        Json line = Json::object();
        line["emit"] = f.emit;
        line["entity"] = f.entity;
        line["path"] = f.path;
        line["rule"]["file"] = rule.file;
        line["rule"]["line"] = rule.line;
        line["rule"]["name"] = rule.name;
        line["sources"] = Json::array();
        std::string text =
            f.emit + " " + f.entity + "/" + f.path + "  " + rule.file + ":" + std::to_string(rule.line) + "\n";
        for (const mapping::SourcePath& s : f.sources) {
            Json source = Json::object();
            source["path"] = s.path;
            source["type"] = mapping::isDirect(s.influence) ? "DIRECT" : "INDIRECT";
            source["subtype"] = mapping::subtypeName(s.influence);
            line["sources"].push(source);
            text += "    " + source.text("type") + " " + source.text("subtype") + " " + s.path + "\n";
        }
        std::cout << (json ? print(line) + "\n" : text);
    }
}

}  // namespace

int mapLineage(const Arguments& args) {
    CLI::App app{
        "porta map lineage: for each field of each emit the parts of the input that it is made of (DIRECT) and that "
        "decide\n"
        "about it (INDIRECT), by the rules alone, in the words of OpenLineage's column lineage."};
    app.footer(
        "Examples: porta map lineage mapping/library/contacts.yaml\n"
        "          porta map lineage mapping/library/hl7v2-adt.yaml --openlineage > event.json");
    std::string file, time;
    bool json = false, event = false;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_flag("--json", json, "one line a field: {emit, entity, path, rule, sources: [{path, type, subtype}]}");
    app.add_flag("--openlineage", event, "one OpenLineage JobEvent with the column lineage facet of each entity");
    app.add_option("--event-time", time, "eventTime of the event, ISO 8601 with offset; default now");
    if (auto ended = parse(app, args)) return *ended;
    auto program = mapping::Program::load(file);
    if (!program) return complain(program.error());
    if (!event) {
        printLines(**program, json);
        return 0;
    }
    if (time.empty()) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        time = isoInstant(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
    }
    std::cout << print(mapping::openLineage(**program, time)) << "\n";
    return 0;
}

}  // namespace porta::app
