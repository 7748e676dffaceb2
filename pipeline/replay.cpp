#include "pipeline/gateway.h"
#include "pipeline/read.h"

namespace porta::pipeline {

Result<Json> replayAll(const config::Settings& settings, const std::string& only_source) {
    auto opened = Reader::open(settings);
    if (!opened) return opened.error();
    auto sources = loadSources(settings);
    if (!sources) return sources.error();
    return replayAll(**opened, *sources, only_source);
}

Result<Json> replayAll(Reader& reader, const Sources& sources, const std::string& only_source) {
    std::string engine = hex(engineDigest());
    std::int64_t compared = 0, equal = 0, refused = 0;
    Json different = Json::array();
    formats::NodeTree tree;
    mapping::Outcome outcome;
    try {
        std::set<std::int64_t> condemned = reader.condemned();
        reader.eachRaw([&](const RawRow& row) {
            const KnownObject& object = reader.objectOf(row.object);
            if (condemned.count(row.id) || (!only_source.empty() && object.row.source != only_source)) return;
            auto source = sources.find(object.row.source);
            const GenerationRow& generation = reader.generations().at(row.generation);
            if (source == sources.end() || generation.engine_digest != engine ||
                generation.mapping_digest != hex(source->second.digest)) {
                ++refused;
                return;
            }
            auto bytes = reader.rawBytes(row.id);
            if (!bytes) throw Failure{bytes.error()};
            mapOnce(source->second, object.meta, row.object, row.position, *bytes, tree, outcome);
            auto stored = reader.operations(row);
            if (!stored) throw Failure{stored.error()};
            ++compared;
            if (stateOf(outcome) == row.state && schemas::encode(outcome.operations) == schemas::encode(*stored))
                ++equal;
            else {
                Json d = Json::object();
                d["raw"] = Reader::rawText(row.id);
                d["path"] = stateOf(outcome) == row.state ? "operations" : "state";
                different.push(std::move(d));
            }
        });
    } catch (const Failure& f) {
        return f.error;
    }
    Json out = Json::object();
    out["compared"] = compared;
    out["equal"] = equal;
    out["different"] = std::move(different);
    out["erased"] = 0;
    out["refused_digest"] = refused;
    return out;
}

}  // namespace porta::pipeline
