#pragma once
/// Why two Person records are or are not one person: the first tier's evidence in words, computed again on demand. It says
/// what `partition` looks at, and no more. Values are in it: only for those who may see them.
#include <string>
#include <vector>

#include "schemas/fold.h"

namespace porta::identity {

/// What a Person record says to the matcher.
struct Statement {
    struct Identifier {
        std::string type, value;  ///< normalised
        std::string state;        ///< valid, checksum, contradicts …: only valid ones link
    };
    std::string key;  ///< of the alias class
    std::vector<Identifier> identifiers;
    std::vector<std::string> birth_dates;  ///< all that it states, partial ones too
    std::string given, family;             ///< as it states them
};
Statement statementOf(const schemas::FoldedRecord& record);
/// The same text for the same evidence; a decision keeps its digest to notice when evidence changes.
std::string canonicalText(const Statement& statement);

struct Evidence {
    enum class Speaks { for_, against, neither };
    std::string about;  ///< identifier, birth-date, name
    Speaks speaks = Speaks::neither;
    std::string words;
};
std::string_view name(Evidence::Speaks speaks);

struct Comparison {
    bool joins = false;        ///< the first tier joins these two directly, if nothing else forbids it
    bool contradicts = false;  ///< full birth dates that differ: never joined without a decision
    std::vector<Evidence> evidence;
};
Comparison compare(const Statement& a, const Statement& b);

}  // namespace porta::identity
