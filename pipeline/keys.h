#pragma once
/// Wrapped data keys in a store of their own, under a key-encryption key from a file.
#include "pipeline/store.h"

namespace porta::pipeline {

/// Reads (64 hexadecimal digits, mode 0600) or, beside an empty key store only, creates the key file.
/// Errors: misconfigured.
Result<Key> loadKeyFile(const std::string& path, bool may_create);

/// Makes the table of wrapped keys where it is missing.
Result<void> makeKeyTable(Store& store);

/// Says which key file it is without saying anything of the key.
std::string keyFileName(const Key& master);

/// Errors: misconfigured when the key file does not fit the key store.
Result<std::unique_ptr<Keys>> openKeys(std::unique_ptr<Store> store, const std::string& key_file, bool read_only);

}  // namespace porta::pipeline
