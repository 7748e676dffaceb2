#include "base/hash.h"
#include "pipeline/gateway.h"
#include "pipeline/read.h"

namespace porta::pipeline {

Result<Json> replayAll(const config::Settings& settings, const std::string& only_source) {
    auto opened = Reader::open(settings);
    if (!opened) return opened.error();
    Reader& reader = **opened;
    std::map<std::string, std::vector<std::shared_ptr<const mapping::Program>>> programs;
    std::map<std::string, std::string> digests;
    for (const config::SourceSettings& s : settings.sources) {
        std::string all;
        for (const std::string& path : s.mappings) {
            auto program = mapping::Program::load(path);
            if (!program) return program.error();
            const Sha256& d = (*program)->digest();
            all.append(reinterpret_cast<const char*>(d.data()), d.size());
            programs[s.id].push_back(*program);
        }
        digests[s.id] = hex(sha256(all));
    }
    std::string engine = hex(engineDigest());
    std::int64_t compared = 0, equal = 0, refused = 0;
    Json different = Json::array();
    formats::NodeTree tree;
    try {
        reader.eachRaw([&](const RawRow& row) {
            ObjectMeta meta;
            auto object = reader.object(row.object, meta);
            if (!object) throw Failure{object.error()};
            const config::SourceSettings* s = settings.source(object->source);
            if (!only_source.empty() && object->source != only_source) return;
            const GenerationRow& generation = reader.generations().at(row.generation);
            if (!s || generation.engine_digest != engine || generation.mapping_digest != digests[s->id]) {
                ++refused;
                return;
            }
            auto bytes = reader.rawBytes(row.id);
            if (!bytes) throw Failure{bytes.error()};
            mapping::Outcome outcome = mapOnce(*s, programs[s->id], meta, row.object, row.position, *bytes, tree);
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
