#pragma once
/// SQLite behind Store: WAL, synchronous=FULL (a commit is fsynced), STRICT tables, one writer.
#include "pipeline/store.h"

namespace porta::pipeline {

/// Errors: unavailable or misconfigured. `read_only` opens beside the owner.
Result<std::unique_ptr<Store>> openSqlite(const std::string& path, bool read_only);

}  // namespace porta::pipeline
