#pragma once
/// The identity log: who carries which id, as a pure state machine. `decide` turns a new partition into log entries,
/// `apply` folds an entry into the state; replaying the entries gives the same state. No I/O and no clock: the caller
/// stores the entries, in order, with what it decided them from.
///
/// Rules (DESIGN §6): the elder id (smaller number) survives a merge; at a split the part with the founding record keeps
/// the id, else the part with the earliest joined; a merged id is a redirect until the part with its founding record
/// comes apart again, which revives it; a person exists iff a live record does, and an id whose last record left sleeps
/// until its founding record returns.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta::identity {

using PersonId = std::int64_t;  ///< 0: none

enum class LogEvent : std::uint8_t { founded, joined, left, merged, split, revived };
std::string_view name(LogEvent event);

/// founded P by K; joined P: K; left P: K; merged P into `other` (P becomes a redirect, its records follow as joined);
/// split P: from it `other` comes apart (its records follow as joined); revived P by K, from `other` if that held it.
struct LogEntry {
    LogEvent event = LogEvent::founded;
    PersonId person = 0, other = 0;
    std::string record;  ///< record key text; empty for merged and split
    std::string cause;   ///< the caller's words: `arrival`, `deleted`, `decision 12` …
    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

class IdentityLog {
public:
    struct Person {
        std::string founder;                           ///< record key of the founding record; kept for ever
        std::map<std::string, std::uint64_t> members;  ///< live record → when it joined (counts entries)
        PersonId redirect = 0;                         ///< survivor, when merged away
        friend bool operator==(const Person&, const Person&) = default;
    };

    /// The entries that lead from this state to `sets` (live records, one set per person), with `gone` no longer live.
    /// `sets` must cover whole persons: all live records of every person named. New ids count up from `next`, which
    /// is moved on. Any order of sets and members gives the same entries. Does not change the state.
    std::vector<LogEntry> decide(std::vector<std::vector<std::string>> sets, const std::set<std::string>& gone,
                                 PersonId& next, const std::string& cause) const;
    /// Errors: internal when the entry does not fit the state.
    Result<void> apply(const LogEntry& entry);

    PersonId personOf(const std::string& record) const;  ///< 0: no live person
    PersonId resolve(PersonId id) const;                 ///< follows redirects
    bool exists(PersonId id) const;                      ///< has a live record
    const std::map<PersonId, Person>& persons() const { return persons_; }
    friend bool operator==(const IdentityLog&, const IdentityLog&) = default;

private:
    std::map<PersonId, Person> persons_;
    std::map<std::string, PersonId> of_;                 ///< live record → person
    std::map<std::string, std::set<PersonId>> founded_;  ///< founding record → its ids
    std::map<PersonId, std::set<PersonId>> followers_;   ///< id → those whose redirect names it
    std::uint64_t clock_ = 0;                            ///< entries applied: the join order
};

}  // namespace porta::identity
