#pragma once
/// Code maps as files (docs/formats/mapping.md, *Code maps*), made from what standards and offices publish.
///
///     auto map = importCodeMap(Origin::conceptmap, bytes, "address-use");
///     if (map) write(map->text());
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta::mapping {

struct MapTarget {
    std::string code, system, display, equivalence, from, to;
};

/// In `CodeMap::left_out`: nothing is lost, since a code without a row has no target either.
inline constexpr const char* kNoTarget = "a code that the map gives no target";

struct CodeMap {
    std::string name, about, source_system, system;  ///< `system`: of targets that say none of their own
    std::vector<std::pair<std::string, std::vector<MapTarget>>> rows;  ///< source code and its targets, in their order
    std::vector<MapTarget> otherwise;                                  ///< at most one
    std::vector<std::string> left_out;                                 ///< why a row of the origin is none here

    void add(const std::string& source, MapTarget target);
    std::size_t targets() const;
    /// The file: YAML, the same for the same map.
    std::string text() const;
};

enum class Origin {
    conceptmap,  ///< FHIR ConceptMap, R4 (`equivalence`) or R5 (`relationship`), JSON
    csv,         ///< columns `source` and `code`; `system display equivalence from to source_system` where they are
    v2_to_fhir,  ///< a concept map sheet of HL7's v2-to-FHIR guide, CSV
};

/// Errors: malformed, with what is missing.
Result<CodeMap> importCodeMap(Origin origin, std::string_view bytes, const std::string& name);

}  // namespace porta::mapping
