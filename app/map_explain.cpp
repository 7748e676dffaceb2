// `porta map explain`: records beside their bytes: for each field the rule that made it and what it depends on.
#include <CLI/CLI.hpp>

#include <iostream>
#include <map>

#include "app/context.h"
#include "app/map_input.h"
#include "app/map_verbs.h"
#include "base/hash.h"
#include "mapping/engine/explain.h"

namespace porta::app {

namespace {

using mapping::ExplainedField;
using mapping::Explanation;
using mapping::FieldSource;

std::string stateName(mapping::State state) {
    return state == mapping::State::published ? "published"
           : state == mapping::State::skipped ? "skipped"
                                              : "quarantined";
}

std::string place(const mapping::Rule& rule) { return rule.file + ":" + std::to_string(rule.line) + " " + rule.name; }

Json sourceJson(const FieldSource& s, std::string_view raw) {
    Json j = Json::object();
    j["path"] = s.path;
    j["type"] = mapping::isDirect(s.influence) ? "DIRECT" : "INDIRECT";
    j["subtype"] = mapping::subtypeName(s.influence);
    j["span"] = Json::array();
    j["span"].push(std::uint64_t{s.span.offset});
    j["span"].push(std::uint64_t{s.span.offset} + s.span.length);
    j["bytes"] = hex(reinterpret_cast<const std::uint8_t*>(raw.data()) + s.span.offset, s.span.length);
    j["decoded"] = s.decoded;
    return j;
}

Json fieldJson(const mapping::Program& program, const Explanation& e, const ExplainedField& f, std::string_view raw) {
    const schemas::Operation& op = e.outcome.operations[f.operation];
    const schemas::Leaf& leaf = op.leaves[f.leaf];
    const mapping::Rule& rule = program.rules()[leaf.rule];
    Json j = Json::object();
    j["record"] = op.key.text();
    j["op"] = schemas::name(op.op);
    j["path"] = leaf.path;
    j["value"] = leaf.kind == schemas::LeafKind::null      ? Json()
                 : leaf.kind == schemas::LeafKind::boolean ? Json(leaf.value == "true")
                                                           : Json(leaf.value);
    j["rule"]["file"] = rule.file;
    j["rule"]["line"] = rule.line;
    j["rule"]["name"] = rule.name;
    j["how"] = schemas::name(leaf.how);
    if (leaf.table_row >= 0) {
        j["table"]["map"] = rule.table;
        j["table"]["row"] = leaf.table_row;
    }
    j["sources"] = Json::array();
    for (const FieldSource& s : f.sources) j["sources"].push(sourceJson(s, raw));
    return j;
}

Json asJson(const MapInput& in, std::size_t i, const Explanation& e) {
    const mapping::Input input = in.record(i);
    Json j = Json::object();
    j["index"] = static_cast<std::uint64_t>(i);
    j["offset"] = in.units.units[i].offset;
    j["length"] = in.units.units[i].length;
    j["state"] = stateName(e.outcome.state);
    if (e.outcome.state == mapping::State::skipped) j["reason"] = e.outcome.rule;
    if (e.outcome.state == mapping::State::quarantined) {
        j["error"]["code"] = name(e.outcome.error.code);
        j["error"]["rule"] = e.outcome.error.rule;
        j["error"]["path"] = e.outcome.error.path;
        j["error"]["span"] = Json::array();
        j["error"]["span"].push(std::uint64_t{e.outcome.error.offset});
        j["error"]["span"].push(std::uint64_t{e.outcome.error.offset + e.outcome.error.length});
        j["error"]["message"] = e.outcome.error.message;
    }
    j["fields"] = Json::array();
    for (const ExplainedField& f : e.fields) j["fields"].push(fieldJson(*in.program, e, f, input.bytes));
    return j;
}

std::string spanText(const formats::Span& s) {
    return "[" + std::to_string(s.offset) + "," + std::to_string(s.offset + s.length) + ")";
}

void printText(const MapInput& in, std::size_t i, const Explanation& e) {
    const formats::Unit& unit = in.units.units[i];
    std::cout << "raw record " << i << ", bytes [" << unit.offset << "," << unit.offset + unit.length
              << "): " << stateName(e.outcome.state);
    if (e.outcome.state == mapping::State::skipped) std::cout << " by " << e.outcome.rule;
    if (e.outcome.state == mapping::State::quarantined)
        std::cout << ": " << e.outcome.error.rule << ": " << e.outcome.error.path << ": " << e.outcome.error.message;
    std::cout << "\n";
    std::size_t shown = ~std::size_t{0};
    for (const ExplainedField& f : e.fields) {
        const schemas::Operation& op = e.outcome.operations[f.operation];
        if (f.operation != shown) std::cout << "  " << schemas::name(op.op) << " " << op.key.text() << "\n";
        shown = f.operation;
        const schemas::Leaf& leaf = op.leaves[f.leaf];
        const mapping::Rule& rule = in.program->rules()[leaf.rule];
        std::cout << "    " << leaf.path << " = "
                  << (leaf.kind == schemas::LeafKind::null ? "deleted" : "\"" + leaf.value + "\"") << "  "
                  << schemas::name(leaf.how) << " by " << place(rule);
        if (leaf.table_row >= 0) std::cout << ", row of " << rule.table << " at line " << leaf.table_row;
        std::cout << "\n";
        std::string decides;
        for (const FieldSource& s : f.sources) {
            if (mapping::isDirect(s.influence))
                std::cout << "      from " << s.path << " " << spanText(s.span) << " \"" << s.decoded << "\"\n";
            else decides += " " + s.path + spanText(s.span);
        }
        if (!decides.empty()) std::cout << "      decided by" << decides << "\n";
    }
}

}  // namespace

int mapExplain(const Arguments& args) {
    CLI::App app{
        "porta map explain: raw records beside their bytes. For each field the rule that made it, how, the bytes it "
        "was\n"
        "made from (DIRECT) and those that decide about it (INDIRECT): what stands elsewhere may change, and the "
        "field\n"
        "stays as it is. Spans count bytes of the raw record, which begins at `offset` of the input."};
    app.footer(
        "Examples: porta map explain mapping/library/hl7v2-adt.yaml adt.hl7\n"
        "          porta map explain mapping/library/contacts.yaml contacts.csv --record 3 --json");
    std::string file, path;
    mapping::Input declared;
    std::int64_t only = -1;
    bool json = false;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_option("input", path, "input file, or - for stdin")->required();
    app.add_option("--record", only, "the raw record with this number alone; the first is 0");
    app.add_flag("--json", json,
                 "one line a raw record: {index, offset, length, state, fields: [{record, path, value, "
                 "rule, how, table?, sources: [{path, type, subtype, span, bytes, decoded}]}]}");
    addDeclared(app, declared);
    if (auto ended = parse(app, args)) return *ended;
    standIn(declared);
    auto in = readMapInput(file, path, declared);
    if (!in) return complain(in.error());
    mapping::Explainer explainer(*in->program);
    bool any = false;
    for (std::size_t i = 0; i < in->units.units.size(); ++i) {
        if (only >= 0 && static_cast<std::size_t>(only) != i) continue;
        any = true;
        Explanation e = explainer.explain(in->program->format(), in->record(i));
        if (json) std::cout << print(asJson(*in, i, e)) << "\n";
        else printText(*in, i, e);
    }
    if (any) return 0;
    return complain(fail(Errc::not_found,
                         path + ": no such raw record; there are " + std::to_string(in->units.units.size()),
                         "map.record"));
}

}  // namespace porta::app
