#pragma once
/// Mappings and their examples: `goldens/<mapping>/<case>.<hl7|csv|ndjson|json>` with `<case>.expected.json` beside it.
/// Each raw record of a case gives one line of the expected array. A case whose name starts with `full` is read as a full
/// snapshot. `porta map test` shows what is found here; mutate.h asks whether the examples would notice a broken rule.
///
///     auto report = testMapping("mapping/library/desk.yaml");
///     if (report && report->ok()) …
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "mapping/engine/program.h"

namespace porta::mapping {

/// `{key, entity, op, version, record, issues[]}` and what else the operation carries.
Json describeOperation(const schemas::Operation& op);
/// `{state, rule?, code?, path?, operations[]}`; `how` of each leaf with them.
Json describeOutcome(const Outcome& outcome);

struct GoldenReport {
    struct Case {
        std::string name;
        std::string difference;  ///< empty: as expected
        std::string change;      ///< bless: what the file says now, as lines with - and +
    };
    std::vector<Case> cases;
    std::vector<Rule>
        unused;             ///< rules that no case reached, conditions that never held or always did, rows never taken
    std::size_t rules = 0;  ///< all that a case can reach
    bool ok() const;
};

/// `goldens`: the folder of the cases; empty: `goldens/<file name>` beside the mapping. bless: the expected files say what
/// came out; lines that were as expected stay as they are, with their matchers.
/// Errors: misconfigured when the mapping does not load, has no cases, or a case is not in the form of goldens.
Result<GoldenReport> testMapping(const std::string& mapping, std::string goldens = {}, bool bless = false);

}  // namespace porta::mapping
