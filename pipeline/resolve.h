#pragma once
/// resolve: operations in, persons out. Holds in memory what identity needs of every Person record (its operations without
/// their spans), computes anew what a batch touched, and appends what it decided to the identity log, in the caller's
/// transaction. One resolver owns a store; a restart or a standby loads the same state from the store.
///
///     Resolver resolver(store, keys, settings);
///     resolver.load();
///     store.transact([&] { …write the batch…; resolver.apply(batch, closed, now); });
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "identity/log.h"
#include "identity/partition.h"
#include "pipeline/records.h"
#include "schemas/fold.h"

namespace porta::pipeline {

/// The operations of one raw record, as map made them.
struct MappedRecord {
    std::int64_t raw = 0, object = 0;
    int generation = 0;
    bool key_unreadable = false;
    std::vector<schemas::Operation> operations;
};

/// An object of a full feed whose raw records all have an outcome.
struct ClosedSnapshot {
    std::int64_t object = 0, instant = 0;
    std::string source, sha256;
    double max_delete_share = 1;
};

class Resolver {
public:
    Resolver(Store& store, Keys& keys);

    /// Reads the whole store. Throws Failure.
    void load(const std::map<std::string, double>& delete_shares);
    /// Takes a batch and the snapshots that it completed, and writes identity log, members, links and snapshots. Throws
    /// Failure; after one, the resolver no longer fits its store and must be loaded again.
    void apply(const std::vector<MappedRecord>& batch, const std::vector<ClosedSnapshot>& closed, std::int64_t now);
    /// Forgets what a raw record said before it is mapped again. Call before `apply`, then `settleAll`.
    void forget(const MappedRecord& record);
    /// Evaluates every snapshot and person again (after a replay).
    void settleAll(std::int64_t now);

    std::int64_t hashOf(const std::string& key_text) const { return hash_(key_text); }

private:
    using Keyset = std::set<std::string>;
    void take(const MappedRecord& record, Keyset& touched);
    void close(const ClosedSnapshot& snapshot);
    Keyset settleSnapshots(const std::string& source);
    void decide();
    void resolvePersons(const Keyset& touched, std::int64_t now, bool write);
    std::vector<identity::Decision> decisionsAmong(const Keyset& survivors) const;
    std::vector<std::string> matesOf(const std::string& key) const;
    void writeSnapshots(const std::string& source);

    Store& store_;
    Keys& keys_;
    KeyedHash hash_;
    std::unordered_map<std::string, std::vector<schemas::StoredOperation>> persons_;  ///< Person operations by key
    std::unordered_map<std::string, Keyset> merged_;         ///< keys that a merge or unmerge ever paired
    std::unordered_map<std::string, std::string> survivor_;  ///< live member key → survivor of its class
    std::unordered_map<std::string, std::vector<std::string>> class_members_;  ///< survivor → live class
    std::unordered_map<std::string, identity::Features> features_;             ///< by survivor
    std::unordered_map<std::string, Keyset> token_;                            ///< token → survivors
    std::vector<schemas::StoredOperation> facts_;                              ///< human facts
    std::map<std::string, std::map<std::string, std::pair<schemas::Version, identity::Verdict>>>
        decided_;                                           ///< a → b → verdict
    std::unordered_map<std::string, Keyset> decided_with_;  ///< key → keys that a decision pairs it with
    bool facts_changed_ = false;
    std::set<std::string> confirmed_;                          ///< digests of confirmed snapshots
    std::map<std::int64_t, std::pair<Keyset, bool>> present_;  ///< object → keys, complete
    schemas::SnapshotScopes scopes_;
    identity::IdentityLog log_;
    std::int64_t sequence_ = 0;
    identity::PersonId next_person_ = 1;
};

}  // namespace porta::pipeline
