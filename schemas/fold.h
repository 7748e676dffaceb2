#pragma once
/// What the operations on a record amount to: a pure function of their set, never of their arrival (DESIGN §5, law 3).
/// `record fold`, resolve and views use this one implementation.
///
///     std::vector<StoredOperation> ops = …;          // of all keys of interest, in any order, repeats allowed
///     for (const FoldedRecord& r : fold(ops, snapshots)) …
#include <map>
#include <string>
#include <vector>

#include "schemas/operation.h"

namespace porta::schemas {

/// An operation with the raw record that it came from.
struct StoredOperation {
    Operation op;
    std::int64_t raw = 0;     ///< raw record number of the store; never decides anything
    std::int64_t object = 0;  ///< object number
    int generation = 0;       ///< mapping generation that made it (its rules give file and line)
};

/// One snapshot (`feed: full`): an object with the keys present in it.
struct Snapshot {
    std::int64_t instant = 0;       ///< object time, microseconds since 1970 UTC
    std::string version_text;       ///< object time in the source's precision
    std::string object_digest;      ///< of the object's bytes; second part of the order
    std::int64_t object = 0;        ///< object number: finds the object, never decides
    bool complete = true;           ///< no row whose key could not be read
    bool confirmed = false;         ///< a desk record names its digest
    double max_delete_share = 1;    ///< compared as integers in parts per million
    std::vector<std::string> keys;  ///< sorted: key texts present, rows and quarantined rows whose key could be read
};

/// The places of a scope's snapshots and which of them are accepted. Scope = (source, mapping).
struct SnapshotScope {
    std::vector<Snapshot> snapshots;  ///< any order; `settle` sorts them and fills `accepted`
    std::vector<bool> accepted;       ///< parallel to snapshots after `settle`
    void settle();
    /// Index of the snapshot (after `settle`) that deletes the key, or -1: the first accepted one after the key's last
    /// presence.
    int deletedBy(const std::string& key) const;
};
/// Scopes by source id (a source has one full feed).
using SnapshotScopes = std::map<std::string, SnapshotScope>;

struct FieldState {
    const StoredOperation* setter = nullptr;  ///< the operation whose leaves are the value
    std::string canonical;                    ///< canonical JSON of the value
    struct Rival {
        std::string canonical;
        const StoredOperation* setter = nullptr;
    };
    std::vector<Rival> rivals;  ///< two or more when equal version and rank disagree; sorted by canonical
};

struct FoldedRecord {
    RecordKey key;                   ///< the survivor of the alias class
    std::vector<RecordKey> members;  ///< sorted by text(); one unless merged
    bool live = false;
    std::map<std::string, FieldState> fields;  ///< without deleted values
    std::vector<RecordKey> subjects;           ///< of the greatest live operation that names any
    std::vector<RecordKey> mentions;
    std::string valid_from, valid_to;                     ///< likewise
    const StoredOperation* newest = nullptr;              ///< greatest live operation
    std::vector<const StoredOperation*> live_operations;  ///< those not voided nor below a delete, in order
};

/// Owner: the result points into `operations`, which must outlive it. Result sorted by survivor's text().
std::vector<FoldedRecord> fold(const std::vector<StoredOperation>& operations, const SnapshotScopes& snapshots);

/// `porta record fold`: NDJSON in and out, in the forms of accept/fold.py. Errors: malformed with the line.
Result<std::string> foldNdjson(std::string_view input);

}  // namespace porta::schemas
