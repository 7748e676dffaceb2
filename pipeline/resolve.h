#pragma once
/// resolve: operations in, persons out. Holds in memory what identity needs of every Person record (people.h), computes anew
/// what a batch touched, and appends what it decided to the identity log, in the caller's
/// transaction. One resolver owns a store; a restart or a standby loads the same state from the store.
///
///     Resolver resolver(store, keys, shares, true);
///     resolver.load();
///     store.transact([&] { resolver.apply(batch, now); lease.check(); });
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "pipeline/messages.h"
#include "pipeline/people.h"
#include "pipeline/records.h"

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
    void take(const RecordMessage& record);
    void forget(std::int64_t raw, EntityCounts& counts);
    std::map<std::int64_t, std::int64_t> keepNews(std::vector<RecordMessage>& batch);
    void writeRecords(std::span<const RecordMessage> batch);
    void addSnapshot(std::int64_t object);
    void settleSnapshots(const std::string& source);
    void settleAll();
    void decide();
    void writeChange(const People::Change& change, std::int64_t now);
    void writeTokens(const People::Change& change);
    void markSubjects(const std::vector<RecordMessage>& batch);
    void writeDirty();
    void writeSnapshots(const std::string& source);

    Store& store_;
    Keys& keys_;
    std::map<std::string, double> delete_shares_;
    bool outbox_;
    KeyedHash hash_;
    Objects objects_;
    People people_;
    std::vector<schemas::StoredOperation> facts_;  ///< human facts
    bool facts_changed_ = false;
    std::set<std::string> confirmed_;  ///< digests of confirmed snapshots
    struct Present {
        Keyset keys;
        std::set<std::int64_t> unreadable;  ///< raw records whose key is unknown
    };
    std::map<std::int64_t, Present> present_;  ///< object of a full feed → what stands in it
    /// Keyed hash of a survivor → its hashes in table `token`, sorted.
    std::unordered_map<std::int64_t, std::vector<std::int64_t>> found_by_;
    /// Keyed hash of a record that is no Person → keyed hashes of everybody it ever named as its subject; with an outbox only.
    std::unordered_map<std::int64_t, std::vector<std::int64_t>> subjects_;
    std::unordered_map<std::int64_t, std::string>
        person_keys_;                     ///< keyed hash → Person record key; with an outbox only
    std::set<identity::PersonId> dirty_;  ///< persons that this batch changed
    schemas::SnapshotScopes scopes_;
    People::Change late_;  ///< what loading decided beyond the stored log: written with the next batch
    std::int64_t sequence_ = 0;
    std::int64_t newest_raw_ = 0;  ///< no operation of a greater number is stored
};

}  // namespace porta::pipeline
