#pragma once
/// Mappings and their examples: `goldens/<mapping>/<case>.<hl7|csv|ndjson|json>` with `<case>.expected.json` beside it.
/// Each raw record of a case gives one line of the expected array. A case whose name starts with `full` is read as a full snapshot.
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

/// What goldens and `map run` take for granted where no source says it.
Input exampleInput(std::string_view bytes, std::string_view context);

struct GoldenReport {
    struct Case {
        std::string name;
        std::string difference;  ///< empty: as expected
    };
    std::vector<Case> cases;
    std::vector<Rule> unused;  ///< rules that no case reached
    std::size_t rules = 0;
    bool ok() const;
};

/// `goldens`: the folder of the cases; empty: `goldens/<file name>` beside the mapping. update: write what came out.
/// Errors: misconfigured when the mapping does not load or has no cases.
Result<GoldenReport> testMapping(const std::string& mapping, std::string goldens = {}, bool update = false);

}  // namespace porta::mapping
