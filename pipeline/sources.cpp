#include "pipeline/sources.h"

#include <unicode/timezone.h>
#include <unicode/uchar.h>
#include <unicode/uvernum.h>

#include "base/canonical_json.h"

namespace porta::pipeline {

namespace {

/// Leaves name a rule by its index; the programs of one source share one numbering, in the order of the list.
std::string rulesOf(const Source& source) {
    Json rules = Json::array();
    for (const auto& program : source.programs)
        for (const mapping::Rule& rule : program->rules()) {
            Json r = Json::object();
            r["file"] = rule.file;
            r["line"] = rule.line;
            r["name"] = rule.name;
            r["table"] = rule.table;
            rules.push(std::move(r));
        }
    return print(rules);
}

}  // namespace

Sha256 engineDigest() {
    std::string parts = "porta engine 1;icu " U_ICU_VERSION ";unicode " U_UNICODE_VERSION ";tz ";
    UErrorCode status = U_ZERO_ERROR;
    parts += icu::TimeZone::getTZDataVersion(status);
    return sha256(parts);
}

std::string bytesOf(const Sha256& digest) {
    return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

Result<Sources> loadSources(const config::Settings& settings) {
    Sources sources;
    for (const config::SourceSettings& s : settings.sources) {
        Source source;
        source.settings = &s;
        std::string digests;
        for (const std::string& path : s.mappings) {
            auto program = mapping::Program::load(path);
            if (!program) return program.error();
            digests += bytesOf((*program)->digest());
            source.programs.push_back(*program);
        }
        source.digest = sha256(digests);
        sources[s.id] = std::move(source);
    }
    return sources;
}

Result<void> registerGenerations(Store& store, Sources& sources) {
    std::string engine = bytesOf(engineDigest());
    for (auto& [id, source] : sources) {
        std::vector<Value> key{id, Blob{bytesOf(source.digest)}, Blob{engine}};
        auto find = [&] {
            store.query("SELECT no FROM generation WHERE source = ?1 AND mapping_digest = ?2 AND engine_digest = ?3",
                        key, [&](const Row& r) { source.generation = static_cast<int>(r.integer(0)); });
            return source.generation != 0;
        };
        auto done = store.exclusive([&] {
            if (find()) return;
            store.query("SELECT COALESCE(MAX(no), 0) + 1 FROM generation", {},
                        [&](const Row& r) { source.generation = static_cast<int>(r.integer(0)); });
            std::vector<Value> row{std::int64_t{source.generation}};
            row.insert(row.end(), key.begin(), key.end());
            row.push_back(rulesOf(source));
            store.run(
                "INSERT INTO generation(no, source, mapping_digest, engine_digest, rules) VALUES(?1, ?2, ?3, ?4, ?5)",
                row);
        });
        if (!done) return done;
    }
    return {};
}

}  // namespace porta::pipeline
