#pragma once
/// resolve: operations in, persons out. Holds in memory what identity needs of every Person record (its operations without
/// their spans), computes anew what a batch touched, and appends what it decided to the identity log, in the caller's
/// transaction. One resolver owns a store; a restart or a standby loads the same state from the store.
///
///     Resolver resolver(store, keys, shares, true);
///     resolver.load();
///     store.transact([&] { resolver.apply(batch, now); lease.check(); });
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "identity/log.h"
#include "identity/partition.h"
#include "pipeline/messages.h"
#include "pipeline/records.h"
#include "schemas/fold.h"

namespace porta::pipeline {

class Resolver {
public:
    /// `delete_shares`: for each source with a full feed its `max_delete_share`. `outbox`: whether changed persons are
    /// marked for project.
    Resolver(Store& store, Keys& keys, std::map<std::string, double> delete_shares, bool outbox);

    /// Reads the whole store. Throws Failure.
    void load();
    /// Takes a batch, closes the objects that it completes, and writes operations, links, identity log, members, snapshots
    /// and dirty persons, in the caller's transaction. Records that were taken before, in this attempt or a later one,
    /// change nothing. Throws Failure; after one, the resolver no longer fits its store and must be loaded again.
    void apply(std::vector<RecordMessage> batch, std::int64_t now);

    std::int64_t hashOf(const std::string& key_text) const { return hash_(key_text); }

private:
    using Keyset = std::set<std::string>;
    using EntityCounts =
        std::map<std::pair<std::string, std::string>, std::int64_t>;  ///< (source, entity) → operations
    void take(const RecordMessage& record, Keyset& touched);
    void forget(std::int64_t raw, Keyset& touched, EntityCounts& counts);
    std::map<std::int64_t, std::int64_t> keepNews(std::vector<RecordMessage>& batch);
    void writeRecord(const RecordMessage& record);
    void addSnapshot(std::int64_t object);
    Keyset settleSnapshots(const std::string& source);
    void settleAll(Keyset& touched);
    void decide();
    void resolvePersons(const Keyset& touched, std::int64_t now, bool write);
    void writeTokens(const std::string& survivor, std::set<std::int64_t> tokens);
    void markSubjects(const std::vector<RecordMessage>& batch);
    void writeDirty();
    std::vector<identity::Decision> decisionsAmong(const Keyset& survivors) const;
    std::vector<std::string> matesOf(const std::string& key) const;
    void writeSnapshots(const std::string& source);

    Store& store_;
    Keys& keys_;
    std::map<std::string, double> delete_shares_;
    bool outbox_;
    KeyedHash hash_;
    Objects objects_;
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
    std::set<std::string> confirmed_;  ///< digests of confirmed snapshots
    struct Present {
        Keyset keys;
        std::set<std::int64_t> unreadable;  ///< raw records whose key is unknown
    };
    std::map<std::int64_t, Present> present_;                           ///< object of a full feed → what stands in it
    std::unordered_map<std::string, std::set<std::int64_t>> found_by_;  ///< survivor → hashes in table `token`
    /// Keyed hash of a record that is no Person → keyed hashes of everybody it ever named as its subject; with an outbox only.
    std::unordered_map<std::int64_t, std::vector<std::int64_t>> subjects_;
    std::unordered_map<std::int64_t, std::string>
        person_keys_;                     ///< keyed hash → Person record key; with an outbox only
    std::set<identity::PersonId> dirty_;  ///< persons that this batch changed
    schemas::SnapshotScopes scopes_;
    identity::IdentityLog log_;
    std::int64_t sequence_ = 0;
    identity::PersonId next_person_ = 1;
};

}  // namespace porta::pipeline
