#pragma once
/// The embedded world: the file lock, and the clock.
#include "pipeline/store.h"

namespace porta::pipeline {

/// Errors: unavailable when another process owns the store.
Result<std::unique_ptr<Lease>> lockState(const std::string& directory);

/// The wall clock, or PORTA_CLOCK where `testing` allows it.
std::unique_ptr<Clock> systemClock(bool testing);

}  // namespace porta::pipeline
