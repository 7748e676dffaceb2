#pragma once
/// serve's side of the store: everything that is read, beside the owner, without its lease. Values come decrypted; who may
/// see them is decided by the caller (policy) before it asks.
///
///     auto reader = Reader::open(settings);
///     Json account = *reader->account();
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "base/hash.h"
#include "config/settings.h"
#include "pipeline/records.h"
#include "pipeline/store.h"
#include "schemas/fold.h"

namespace porta::pipeline {

struct GenerationRow {
    std::string source, mapping_digest, engine_digest;  ///< digests in hexadecimal
    struct Rule {
        std::string file;
        int line = 0;
        std::string name, table;
    };
    std::vector<Rule> rules;
};

/// A person's folded records, ready for a view. Owner: points into `Records::operations`.
struct PersonRecords {
    std::int64_t person = 0;
    std::vector<schemas::FoldedRecord> records;  ///< Person records first, then those that name one of them
};

struct Records {
    std::deque<std::vector<schemas::StoredOperation>> operations;  ///< kept alive for the folded records
    std::vector<PersonRecords> persons;                            ///< sorted by person
    std::vector<schemas::FoldedRecord> all;                        ///< every folded record
};

class Reader {
public:
    /// Errors: unavailable when there is no store yet.
    static Result<std::unique_ptr<Reader>> open(const config::Settings& settings);
    /// Over a store and keys of the caller's, which must outlive it: what a stage reads is what everybody reads.
    static std::unique_ptr<Reader> over(const config::Settings& settings, Store& store, Keys& keys);

    /// `porta account`: one snapshot of the store.
    Json account();
    /// `porta status`.
    Json status();
    /// One line each; `row` is called in the store's order.
    void objects(const std::function<void(const Json&)>& row);
    void raws(const std::string& source, const std::string& state, const std::function<void(const Json&)>& row);
    void quarantine(const std::function<void(const Json&)>& row);
    /// The bytes of a raw record. Errors: not_found.
    Result<std::string> rawBytes(std::int64_t id);
    Result<RawRow> raw(std::int64_t id);
    /// Throws Failure (not_found).
    const KnownObject& objectOf(std::int64_t no) { return objects_->at(no); }
    /// The stored operations of a raw record. Errors: not_found, internal.
    Result<std::vector<schemas::Operation>> operations(const RawRow& row);
    const std::map<int, GenerationRow>& generations();
    /// Calls for every raw record with its object; used by replay.
    void eachRaw(const std::function<void(const RawRow&)>& row);

    /// What `work` reads is of one moment, and costs one lock of the store instead of one for each question.
    /// Throws Failure.
    void atOneMoment(const std::function<void()>& work);
    /// Everybody, or one person (0 = everybody). Of one moment only inside `atOneMoment`, or in a snapshot of the caller's.
    Records load(std::int64_t person);
    /// These persons (none: everybody), with few questions for all of them together.
    Records load(const std::set<std::int64_t>& persons);
    /// Persons that all of these tokens (nameToken and its kin) lead to: candidates, to be looked at through the policy.
    std::vector<std::int64_t> candidates(const std::vector<std::string>& tokens);
    /// Raw records that ended their process too often and are quarantined for it.
    std::set<std::int64_t> condemned();
    /// Greatest source time of a source (object times and instants of versions), micros since 1970 UTC; 0: none.
    std::int64_t newestOf(const std::string& source);
    /// Person that holds this record key now, or 0.
    std::int64_t personOf(const std::string& key_text);

    // read_records.cpp: single records, people's facts, the identity log.

    /// Persons that have a live record now, ascending.
    std::vector<std::int64_t> persons();
    /// One record with its alias class; `all` is empty when there is no operation on it.
    Records loadRecord(const schemas::RecordKey& key);
    /// Every operation on what people entered (source `desk`).
    std::vector<schemas::StoredOperation> facts();
    struct IdentityEvent {
        std::int64_t seq = 0, person = 0, other = 0, at = 0;
        std::int64_t hash = 0;  ///< of the record key; 0: none
        std::string event;
    };
    void identityLog(const std::function<void(const IdentityEvent&)>& event);
    /// The record key behind a hash of the index, or nothing when no stored operation names it.
    std::optional<schemas::RecordKey> keyOf(std::int64_t hash);
    std::int64_t hashOf(const std::string& key_text) const { return (*hash_)(key_text); }
    /// Live persons that these operations are on or about.
    std::set<std::int64_t> personsOf(const std::vector<schemas::Operation>& operations);
    /// Sealed persons, and the raw records that say something of one.
    struct Sealed {
        std::set<std::int64_t> persons, raws;
    };
    Sealed sealed();
    bool isSealed(std::int64_t person);

    static std::string rawText(std::int64_t id) { return "r" + std::to_string(id); }
    static std::optional<std::int64_t> rawNumber(std::string_view text);

private:
    explicit Reader(const config::Settings& settings) : settings_(settings) {}
    Key key(std::int64_t number);
    schemas::SnapshotScopes scopes(const std::vector<schemas::StoredOperation>& operations);

    config::Settings settings_;
    std::unique_ptr<Store> own_store_;  ///< empty over a caller's
    std::unique_ptr<Keys> own_keys_;
    Store* store_ = nullptr;
    Keys* keys_ = nullptr;
    std::unique_ptr<KeyedHash> hash_;
    std::unique_ptr<Objects> objects_;
    std::map<int, GenerationRow> generations_;
};

}  // namespace porta::pipeline
