#pragma once
/// Files that are named on the command line and taken whole.
#include <string>

#include "base/result.h"

namespace porta::app {

/// The bytes of a file, or of stdin for `-`; gzip is opened, to at most 4 GiB.
/// Errors: not_found, saying what to check; malformed and exhausted of what was packed.
Result<std::string> readInput(const std::string& path);

}  // namespace porta::app
