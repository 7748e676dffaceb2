#pragma once
/// What people enter becomes a raw record of the built-in source `desk`: same pipeline, same laws, one way to write.
#include "base/canonical_json.h"
#include "config/settings.h"
#include "identity/decisions.h"
#include "pipeline/read.h"

namespace porta::app {

/// Names a fact by its content, so that the same entry is the same fact. `fact` has every other member.
std::string factId(const Json& fact);
/// Writes one desk record (docs/formats/common-schema.md); it is resolved on return.
/// Errors: unavailable when another process owns the store, misconfigured.
Result<void> enterFact(const config::Settings& settings, const Json& fact);

/// The desk's facts about pairs of records, as they are stored. Throws Failure.
std::vector<identity::Fact> pairFacts(pipeline::Reader& reader);

}  // namespace porta::app
