#pragma once
/// Would the goldens notice? Each mutant is the mapping with one thing wrong: a rule dropped, exchanged with its sibling,
/// replaced by a constant, an index off by one, a row of a table with another's code, a condition negated or always true. A
/// mutant is killed when some golden comes out otherwise, refused when it does not load, and survives when nobody sees it.
///
///     auto report = testMutants("mapping/library/desk.yaml");
///     if (report && report->share() < 950) …
#include <string>
#include <vector>

#include "base/result.h"
#include "base/yaml.h"

namespace porta::mapping {

struct Mutant {
    std::string rule;  ///< `emit[0].fields.sex.expr`
    std::string what;  ///< `dropped`, `f7 became f8`
    int line = 0, column = 0;
    Yaml changed;  ///< the whole mapping
};

/// All mutants of a mapping but those that cannot make a difference: a row that says what `otherwise` says, a default.
std::vector<Mutant> mutantsOf(const Yaml& mapping);

/// An expression's text with one thing wrong, and what: for each place where something can be. `hl7v2`: `f7` has a neighbour.
struct ChangedText {
    std::string text, what;
};
std::vector<ChangedText> changedExpressions(const std::string& text, bool hl7v2);

struct MutationReport {
    std::string file;
    std::size_t killed = 0, refused = 0;
    std::vector<Mutant> survived;  ///< without `changed`
    std::size_t judged() const { return killed + survived.size(); }
    /// Killed of a thousand that were judged.
    std::size_t share() const { return judged() == 0 ? 0 : killed * 1000 / judged(); }
};

/// `goldens`: as of `testMapping`.
/// Errors: those of `testMapping`, and misconfigured when the unchanged mapping already differs from its goldens.
Result<MutationReport> testMutants(const std::string& mapping, std::string goldens = {});

}  // namespace porta::mapping
