#pragma once
/// The embedded world: wrapped keys in `keys.db` under a key-encryption key from a file, the file lock, the clock.
#include "pipeline/store.h"

namespace porta::pipeline {

/// Reads (64 hexadecimal digits, mode 0600) or, beside an empty key store only, creates the key file.
/// Errors: misconfigured.
Result<Key> loadKeyFile(const std::string& path, bool may_create);

/// Errors: misconfigured when the key file does not fit the key store.
Result<std::unique_ptr<Keys>> openKeys(const std::string& directory, const std::string& key_file, bool read_only);

/// Errors: unavailable when another process owns the store.
Result<std::unique_ptr<Lease>> lockState(const std::string& directory);

/// The wall clock, or PORTA_CLOCK where `testing` allows it.
std::unique_ptr<Clock> systemClock(bool testing);

}  // namespace porta::pipeline
