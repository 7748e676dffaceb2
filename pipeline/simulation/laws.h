#pragma once
/// What must hold when nothing is left to do, of one store alone and beside the undisturbed run of the same history.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/simulation/schedule.h"
#include "policy/purposes.h"

namespace porta::pipeline::simulation {

/// What a run came to, without anything that arrival may change.
struct Outcome {
    std::vector<std::string> whole, limited;       ///< canonical views of two purposes, sorted
    std::set<std::vector<std::string>> partition;  ///< which record keys are one person
    std::vector<std::string> accounts;             ///< of each source: what became of its raw records
    std::vector<std::string> snapshots;            ///< digest and whether it was accepted
};

struct Beside {
    Outcome all;
    std::vector<std::string> limited_without;  ///< `limited` of the history without the source that it does not see
};

/// Shape: nothing, or the first law that is broken and how. Throws Failure.
std::optional<std::string> checkAlone(const Prepared& prepared, const policy::Purposes& purposes, Town& town,
                                      const Feeds& feeds);
Outcome outcomeOf(const Prepared& prepared, const policy::Purposes& purposes, Town& town);
std::optional<std::string> compare(const Outcome& outcome, const Beside& undisturbed);

}  // namespace porta::pipeline::simulation
