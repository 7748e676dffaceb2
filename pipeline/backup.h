#pragma once
/// Backup and restore of what a configuration's stores hold. A backup is two directories, kept in different hands: data
/// (sealed) with the decision log, and the wrapped keys; neither opens anything without the other and the key file, which is
/// in neither. Their files are SQLite's whatever the store is, so that each kind of store can be restored from the other.
///
///     auto made = backup(settings, "/backup/data-0412", "/vault/keys-0412", {});
///
/// Beside each other lie `manifest.json` (written last: without it there is no backup) and the files that it names.
#include "base/canonical_json.h"
#include "config/settings.h"
#include "pipeline/table_copy.h"

namespace porta::pipeline {

/// What a busy scaled-out store answers: rule of an `unavailable` error. Acknowledged records are still between the log and
/// the store; a moment later they are in the store.
inline constexpr const char* kBackupBusy = "backup.busy";

/// Online, beside the owner. Data first, keys last: so every key that the data need is there. Returns what was made.
/// Errors: misconfigured (a directory that is not empty, one inside of the other, no key file), unavailable.
Result<Json> backup(const config::Settings& settings, const std::string& data, const std::string& keys,
                    const CopyProgress& progress);

/// Into stores that hold nothing, and a log without topics; checks all digests before it writes. Keys of numbers that the data do
/// not have stay behind: those numbers are given again, and what was sealed with those keys may exist elsewhere.
/// Errors: misconfigured (not empty, another key file, keys older than the data), malformed (not as its manifest says).
Result<Json> restore(const config::Settings& settings, const std::string& data, const std::string& keys,
                     const CopyProgress& progress);

}  // namespace porta::pipeline
