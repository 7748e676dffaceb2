#pragma once
/// Every kind of source that Porta knows, as one list to read: start at `registry.cpp`.
///
///     for (const schemas::Descriptor& kind : connectors::registry()) …
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "schemas/descriptor.h"

namespace porta::connectors {

/// In the order of their names.
const std::vector<schemas::Descriptor>& registry();
/// Owner: the registry; null when there is no such kind.
const schemas::Descriptor* kindNamed(const std::string& name);
/// `{name, summary, shape, section, settings: [{name, type, unit, default, required, secret, example, sentence}]}`
Json describe(const schemas::Descriptor& kind);
/// `{connectors: […]}`: all of them, kept as tests/golden/connectors/catalogue.json.
Json catalogue();

}  // namespace porta::connectors
