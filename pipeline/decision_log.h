#pragma once
/// The tamper-evident decision log: every read and every refusal is an entry before the answer. Each entry's hash covers the
/// one before it; `verify` names the first broken one. A file of its own with several writers.
///
/// One log serves all threads of a process. Entries that wait together share a commit: the first writes for everybody who
/// came before it could begin, the others wait, and whoever comes meanwhile is in the next commit.
///
///     auto log = DecisionLog::open(settings);
///     if (auto done = (*log)->append(entry); !done) return done.error();     // and nothing is shown
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "config/settings.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// Makes the log's table where it is missing.
Result<void> makeDecisionTable(Store& store);

class DecisionLog {
public:
    /// Errors: unavailable.
    static Result<std::unique_ptr<DecisionLog>> open(const config::Settings& settings);
    /// In a store of the caller's. Errors: unavailable.
    static Result<std::unique_ptr<DecisionLog>> over(std::unique_ptr<Store> store);
    /// Durable on return. Errors: unavailable: then nothing may be shown; all entries of one commit are refused together.
    /// Threads: any number.
    Result<void> append(const Json& decision);
    /// In order: number, entry. Not while another thread appends, as `verify`.
    Result<void> each(const std::function<void(std::int64_t, const Json&)>& entry);
    /// Number of entries. Errors: malformed naming the first broken entry.
    Result<std::int64_t> verify();

private:
    struct Entry {
        std::string text;
        bool written = false;
        Result<void> outcome;
        std::condition_variable turn;  ///< it was written, or it is the next to write
    };
    Result<void> write(const std::vector<Entry*>& entries);

    std::unique_ptr<Store> store_;
    std::mutex mutex_;             ///< guards what follows
    bool busy_ = false;            ///< a thread has the store
    std::vector<Entry*> waiting_;  ///< in the order of the log
};

}  // namespace porta::pipeline
