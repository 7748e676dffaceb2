#pragma once
/// Two versions of a mapping, by what they mean: for each target field what its rules say differently, wherever they stand
/// in the file. Names, comments, the order of fields and where a rule stands mean nothing.
///
///     for (const FieldChange& c : compareMappings(*before, *after)) …
#include <string>
#include <vector>

#include "mapping/engine/program.h"

namespace porta::mapping {

struct FieldChange {
    std::string emit;  ///< `person patch`; the second of its kind `person patch 2`; empty: of the whole mapping
    std::string path;  ///< `names/given`, `(key)`, `(when)`, `input.when`
    enum class Kind { added, removed, changed } kind = Kind::changed;
    /// One way in which the field means something else: `expression`, `table row M`, `onMany`, `each`.
    struct Aspect {
        std::string name, before, after;
    };
    std::vector<Aspect> aspects;          ///< of added and removed fields: what they say
    std::string rule_before, rule_after;  ///< `library/contacts.yaml:16`, or empty
};
std::string_view name(FieldChange::Kind kind);

/// In the order of `after`, removed fields behind.
std::vector<FieldChange> compareMappings(const Program& before, const Program& after);

}  // namespace porta::mapping
