#pragma once
/// Numbered, forward-only migrations of the store; the format version refuses stores that a newer Porta wrote.
#include "pipeline/store.h"

namespace porta::pipeline {

inline constexpr std::int64_t kFormatVersion = 2;

/// Brings the store to kFormatVersion. Errors: misconfigured when the store is newer.
Result<void> migrate(Store& store);

}  // namespace porta::pipeline
