#pragma once
/// Dates and times as ISO 8601, written into a text that is already there: `toIso` of date_time.h without a text of its own.
#include <string>

#include "base/date_time.h"

namespace porta {

void appendIso(std::string& out, const PartialDateTime& value);

}  // namespace porta
