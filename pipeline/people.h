#pragma once
/// What identity needs of every Person record, in memory and compact: each record's operations, its alias class, the
/// class's features, who else it could be, and the identity log. Records are named by small numbers inside. No store and
/// no clock: the resolver writes what comes out. About a kilobyte a person; `make bench` prints it.
///
///     people.add(operation, raw, object, generation);            // of a batch
///     People::Change change = people.settle(scopes, forced);     // what that made of persons
///
/// Threads: one.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "identity/log.h"
#include "identity/partition.h"
#include "schemas/fold.h"

namespace porta::pipeline {

class People {
public:
    using Ref = std::uint32_t;  ///< a record key; lives as long as this object

    /// A Person operation; its record is looked at again by the next `settle`.
    void add(const schemas::Operation& op, std::int64_t raw, std::int64_t object, int generation);
    /// What a raw record said of a record no longer counts.
    void forget(const std::string& key, std::int64_t raw);
    /// The next `settle` looks at this record again.
    void touch(const std::string& key) { touch(refOf(key)); }
    void touchAll();

    /// Verdicts by pair (first key < second). Pairs that are new, gone or changed are looked at again.
    using Verdicts = std::map<std::pair<std::string, std::string>, identity::Verdict>;
    void decide(Verdicts verdicts);

    struct Change {
        std::vector<identity::LogEntry> entries;           ///< already applied to `log()`
        std::map<std::string, identity::PersonId> before;  ///< record of an entry → whose it was; 0: nobody's
        /// Survivor of a class → what it can be found by now; none when the class is no more.
        std::map<std::string, std::vector<std::string>> find_tokens;
        std::vector<std::string> touched;  ///< the records that were looked at
    };
    /// Folds what was touched, computes the components that it changed, and decides who carries which id. Throws Failure.
    Change settle(const schemas::SnapshotScopes& scopes);

    bool isLive(const std::string& key) const;
    /// Every live record's key.
    void eachLive(const std::function<void(const std::string& key)>& live) const;
    const identity::IdentityLog& log() const { return log_; }
    /// An entry of the stored log, in order. Errors: internal when it does not fit.
    Result<void> restore(const identity::LogEntry& entry);

private:
    static constexpr Ref kNone = ~Ref{0};
    struct Stored {
        std::int64_t raw, object;
        int generation;
        std::string operation;  ///< schemas::encode of what identity reads of it, without its leaves
        std::shared_ptr<const std::string> leaves;  ///< schemas::encode of an operation of those leaves; often shared
    };
    struct Record {
        std::string key;
        std::vector<Stored> operations;
        /// The greatest of its operations, as long as all of them are upserts and patches and it alone has that place.
        struct Greatest {
            schemas::Version version;
            schemas::Op op = schemas::Op::upsert;
            std::size_t at = 0;
        };
        std::optional<Greatest> greatest;
        std::vector<Ref> paired;   ///< records that a merge or unmerge ever named with it
        std::vector<Ref> decided;  ///< records that a verdict names with it
        Ref survivor = kNone;      ///< of its live class
        bool touched = false;
    };
    /// A live alias class, by its survivor.
    struct Class {
        std::vector<Ref> members;  ///< sorted by key
        identity::Features features;
        std::string fingerprint;
    };
    Ref refOf(const std::string& key);
    Ref known(const std::string& key) const;
    void touch(Ref ref);
    bool repeats(Record& record, const schemas::Operation& op, const std::string& leaves) const;
    void enter(Ref survivor, Class c);
    void leave(Ref survivor);
    std::vector<Ref> component(std::set<Ref> from);
    std::vector<identity::Decision> decisionsAmong(const std::vector<Ref>& survivors) const;
    bool isWhole(const std::vector<std::string>& set) const;

    std::deque<Record> records_;
    std::unordered_map<std::string_view, Ref> refs_;  ///< into the keys of records_
    std::unordered_map<Ref, Class> classes_;
    std::unordered_map<std::string, std::vector<Ref>> by_token_;  ///< token of identity::tokens → survivors
    std::vector<Ref> touched_;
    std::vector<Ref> repeated_;  ///< records with a new operation that cannot change what identity reads of them
    std::set<Ref> forced_;       ///< whose verdicts changed: their component is computed whatever they say
    Verdicts verdicts_;
    identity::IdentityLog log_;
    identity::PersonId next_person_ = 1;
};

}  // namespace porta::pipeline
