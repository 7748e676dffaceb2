#pragma once
/// One value followed to its source: the line that `porta audit trace` prints. Pure; bytes and rules come by callback.
#include <functional>
#include <string>

#include "base/canonical_json.h"
#include "schemas/value_origin.h"

namespace porta::lineage {

struct RuleText {
    std::string file;
    int line = 0;
    std::string name, table, mapping_digest, engine_digest;
};

struct Lookup {
    std::function<std::string(std::int64_t raw)> raw_name;
    std::function<std::string(std::int64_t raw)> raw_bytes;
    std::function<RuleText(int generation, std::uint32_t rule)> rule;
};

/// Shape: `{person, pointer, value, how, rule, mapping_digest, engine_digest, record, sources[], table?, config_key?,
///        inputs[]?, log}` as the command line's contract says.
Json traceLine(const std::string& person, const schemas::TracedValue& value, const Lookup& lookup);

}  // namespace porta::lineage
