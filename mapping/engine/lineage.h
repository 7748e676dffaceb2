#pragma once
/// Where a mapping's fields come from, by its rules alone: DIRECT sources whose content is in the value, INDIRECT ones that
/// only decide about it. The words are those of the OpenLineage column lineage facet (openlineage.io, facet 1-2-0).
/// `explain.h` says the same of one record, with its bytes.
///
///     for (const FieldLineage& field : lineageOf(*program)) …
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.h"
#include "mapping/engine/program.h"

namespace porta::mapping {

enum class Influence : std::uint8_t {
    identity,        ///< DIRECT: the text itself
    transformation,  ///< DIRECT: made of it (a date in another notation, a table's row, an operator)
    conditional,     ///< INDIRECT: decides between values (iif, onMany: first)
    filter,          ///< INDIRECT: decides whether, and of which part of the record (each, when, where)
};
constexpr bool isDirect(Influence i) { return i == Influence::identity || i == Influence::transformation; }
std::string_view subtypeName(Influence i);  ///< `IDENTITY`, `TRANSFORMATION`, `CONDITIONAL`, `FILTER`

struct SourcePath {
    std::string path;  ///< in the record, without indexes: `PID.f5.c1`; `%objectTime` and `%source` are the source's
    Influence influence = Influence::identity;
    friend bool operator==(const SourcePath&, const SourcePath&) = default;
};

/// A field of one emit, as its rules have it. A place in a list is not part of it: `names/given`.
struct FieldLineage {
    std::string emit, entity;  ///< `emit[0]`, `person`
    std::string path;          ///< `names/given`; `key`, `version` and the like in brackets: `(key)`
    std::uint32_t rule = 0;
    std::vector<SourcePath> sources;
};
std::vector<FieldLineage> lineageOf(const Program& program);

/// The lineage as an OpenLineage JobEvent: one input, the raw records of the mapping; one output dataset an entity.
/// `time`: ISO 8601 with offset.
Json openLineage(const Program& program, const std::string& time);

}  // namespace porta::mapping
