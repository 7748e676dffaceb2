#include "lineage/trace.h"

#include "base/hash.h"

namespace porta::lineage {

Json traceLine(const std::string& person, const schemas::TracedValue& traced, const Lookup& lookup) {
    const schemas::ValueOrigin& origin = traced.origin;
    Json out = Json::object();
    out["person"] = person;
    out["pointer"] = traced.pointer;
    out["value"] = traced.value;
    out["how"] = schemas::name(origin.how);
    Json sources = Json::array();
    if (origin.leaf && origin.operation) {
        const schemas::StoredOperation& op = *origin.operation;
        RuleText rule = lookup.rule(op.generation, origin.leaf->rule);
        Json r = Json::object();
        r["file"] = rule.file;
        r["line"] = rule.line;
        r["name"] = rule.name;
        out["rule"] = std::move(r);
        out["mapping_digest"] = rule.mapping_digest;
        out["engine_digest"] = rule.engine_digest;
        out["record"] = op.op.key.text();
        std::string bytes = origin.leaf->sources.empty() ? std::string() : lookup.raw_bytes(op.raw);
        for (const schemas::Source& s : origin.leaf->sources) {
            Json source = Json::object();
            source["raw"] = lookup.raw_name(op.raw);
            source["layers"] = Json::array();
            Json span = Json::array();
            span.push(std::int64_t{s.offset});
            span.push(std::int64_t{s.offset} + s.length);
            source["span"] = std::move(span);
            std::string piece = s.offset <= bytes.size() ? bytes.substr(s.offset, s.length) : std::string();
            source["bytes"] = hex(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
            source["decoded"] = s.decoded;
            sources.push(std::move(source));
        }
        if (origin.how == schemas::How::translated) {
            Json table = Json::object();
            table["map"] = rule.table.empty() ? rule.name : rule.table;
            table["row"] = std::int64_t{origin.leaf->table_row};
            out["table"] = std::move(table);
        }
        Json log = Json::object();
        log["segment"] = op.object;
        log["index"] = op.raw;
        out["log"] = std::move(log);
    }
    out["sources"] = std::move(sources);
    if (!origin.config_key.empty()) out["config_key"] = origin.config_key;
    if (!origin.inputs.empty()) {
        Json inputs = Json::array();
        for (const std::string& i : origin.inputs) inputs.push(i);
        out["inputs"] = std::move(inputs);
    }
    return out;
}

}  // namespace porta::lineage
