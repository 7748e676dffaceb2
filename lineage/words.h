#pragma once
/// A trace line (`trace.h`) in words, for people who ask why a value is shown.
#include <string>

#include "base/canonical_json.h"

namespace porta::lineage {

/// A few sentences, one a line.
std::string inWords(const Json& trace_line);

}  // namespace porta::lineage
