#pragma once
/// What people enter becomes a raw record of the built-in source `desk`: same pipeline, same laws, one way to write.
#include "base/canonical_json.h"
#include "config/settings.h"
#include "identity/decisions.h"
#include "pipeline/read.h"

namespace porta::app {

/// The id of the built-in source.
inline constexpr const char* kDesk = "desk";

/// Names a fact by its content, so that the same entry is the same fact. `fact` has every other member.
std::string factId(const Json& fact);
/// Writes one desk record (docs/formats/common-schema.md): through the owner of the state directory when one runs, else as
/// its owner; resolved on return. Scaled out it is durable on return, and resolved a moment later.
/// Errors: unavailable, misconfigured.
Result<void> enterFact(const config::Settings& settings, const Json& fact);

/// The desk's facts about pairs of records, as they are stored. Throws Failure.
std::vector<identity::Fact> pairFacts(pipeline::Reader& reader);

}  // namespace porta::app
