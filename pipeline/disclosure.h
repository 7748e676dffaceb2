#pragma once
/// A disclosure in the words of policy, view and decision log. Commands show to a user, project delivers to recipients; both
/// say in the log what left and about whom, and the entry is built here.
///
///     Json entry = decisionEntry(now, {"anna", "case-manager", "care", "", "view.show", 12}, decision, granted, sources);
///     addPersons(entry, {12}, false);
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "config/settings.h"
#include "policy/purposes.h"
#include "views/case_view.h"

namespace porta::pipeline {

/// A source's own list of purposes narrows what purposes.yaml grants. Errors: misconfigured, with the place, where a source
/// names a purpose that is not there.
Result<void> limitToSources(policy::Purposes& purposes, const config::Settings& settings);
/// With the sources' own limits; of a configuration without purposes.yaml: none. Errors: misconfigured.
Result<policy::Purposes> loadPurposes(const config::Settings& settings);
views::PurposeView viewOf(const policy::Purpose& purpose);
/// What the configuration declares of each source; the newest times are the caller's to fill in.
std::vector<views::SourceFacts> sourceFacts(const config::Settings& settings);

struct Asking {
    std::string actor, role, purpose, case_ref, action;
    std::int64_t person = 0;  ///< 0: no single one
};
/// `now` is microseconds since 1970 UTC; `granted` counts only where the decision allows.
Json decisionEntry(std::int64_t now, const Asking& asking, const policy::Decision& decision,
                   const policy::Purpose& granted, const std::vector<views::SourceFacts>& sources);
/// Whom it concerned: a count and ranges; persons in any order.
void addPersons(Json& entry, std::vector<std::int64_t> persons, bool everybody);

/// `p12`.
std::string personText(std::int64_t person);
/// `p1-p3,p7`, from numbers in any order.
std::string personRanges(std::vector<std::int64_t> persons);

}  // namespace porta::pipeline
