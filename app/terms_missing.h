#pragma once
/// `porta terms missing`: codes that no row of a table was made for.
#include "app/context.h"

namespace porta::app {

/// Gives the exit code.
int termsMissing(const Options& options);

}  // namespace porta::app
