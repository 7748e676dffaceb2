#include "app/trace.h"

#include <memory>

namespace porta::app {

lineage::Lookup lookupIn(pipeline::Reader& reader) {
    lineage::Lookup lookup;
    lookup.raw_name = [](std::int64_t raw) { return pipeline::Reader::rawText(raw); };
    // Values of one raw record follow each other: the last one opened is kept.
    auto last = std::make_shared<std::pair<std::int64_t, std::string>>(0, "");
    lookup.raw_bytes = [&reader, last](std::int64_t raw) {
        if (last->first != raw) {
            auto bytes = reader.rawBytes(raw);
            if (!bytes) throw pipeline::Failure{bytes.error()};
            *last = {raw, std::move(*bytes)};
        }
        return last->second;
    };
    lookup.rule = [&reader](int generation, std::uint32_t rule) {
        lineage::RuleText text;
        auto g = reader.generations().find(generation);
        if (g == reader.generations().end()) return text;
        text.mapping_digest = g->second.mapping_digest;
        text.engine_digest = g->second.engine_digest;
        if (rule < g->second.rules.size()) {
            const auto& r = g->second.rules[rule];
            text.file = r.file;
            text.line = r.line;
            text.name = r.name;
            text.table = r.table;
        }
        return text;
    };
    return lookup;
}

}  // namespace porta::app
