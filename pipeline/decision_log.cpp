#include "pipeline/decision_log.h"

#include "base/hash.h"
#include "pipeline/world.h"

namespace porta::pipeline {

namespace {

std::string chain(std::string_view before, std::string_view entry) {
    std::string text(before);
    text += entry;
    Sha256 digest = sha256(text);
    return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

Result<void> makeDecisionTable(Store& store) {
    return store.exclusive([&] {
        store.run(
            "CREATE TABLE IF NOT EXISTS decision(no INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash BLOB NOT NULL)");
    });
}

Result<std::unique_ptr<DecisionLog>> DecisionLog::open(const config::Settings& settings) {
    auto store = openStore(settings, Part::decisions, false);
    if (!store) return store.error();
    return over(std::move(*store));
}

Result<std::unique_ptr<DecisionLog>> DecisionLog::over(std::unique_ptr<Store> store) {
    std::unique_ptr<DecisionLog> log(new DecisionLog);
    log->store_ = std::move(store);
    if (auto done = makeDecisionTable(*log->store_); !done) return done.error();
    return log;
}

Result<void> DecisionLog::append(const Json& decision) {
    Entry mine;
    mine.text = canonical(decision);
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    mine.turn.wait(lock, [&] { return mine.written || !busy_; });
    if (mine.written) return mine.outcome;

    busy_ = true;
    std::vector<Entry*> together;
    together.swap(waiting_);
    lock.unlock();
    Result<void> outcome = write(together);
    lock.lock();
    busy_ = false;
    for (Entry* entry : together) {
        entry->outcome = outcome;
        entry->written = true;
        entry->turn.notify_one();
    }
    if (!waiting_.empty()) waiting_.front()->turn.notify_one();
    return outcome;
}

Result<void> DecisionLog::write(const std::vector<Entry*>& entries) {
    try {
        return store_->exclusive([&] {
            std::int64_t no = 0;
            std::string before;
            store_->query("SELECT no, hash FROM decision ORDER BY no DESC LIMIT 1", {}, [&](const Row& r) {
                no = r.integer(0);
                before = r.bytes(1);
            });
            for (const Entry* entry : entries) {
                before = chain(before, entry->text);
                store_->run("INSERT INTO decision(no, entry, hash) VALUES(?1, ?2, ?3)",
                            {++no, entry->text, Blob{before}});
            }
        });
    } catch (const std::exception&) {
        // Whoever waits must be told, whatever it was.
        return fail(Errc::internal, "the decision log failed; nothing is shown", "decision_log");
    }
}

Result<void> DecisionLog::each(const std::function<void(std::int64_t, const Json&)>& entry) {
    try {
        store_->query("SELECT no, entry FROM decision ORDER BY no", {}, [&](const Row& r) {
            auto json = parseJson(r.bytes(1));
            entry(r.integer(0), json ? *json : Json("unreadable"));
        });
    } catch (const Failure& f) {
        return f.error;
    }
    return {};
}

Result<std::int64_t> DecisionLog::verify() {
    std::string before;
    std::int64_t count = 0, broken = 0;
    try {
        store_->query("SELECT no, entry, hash FROM decision ORDER BY no", {}, [&](const Row& r) {
            ++count;
            std::string expected = chain(before, r.bytes(1));
            if (!broken && (r.integer(0) != count || expected != r.bytes(2))) broken = count;
            before = r.bytes(2);
        });
    } catch (const Failure& f) {
        return f.error;
    }
    if (broken)
        return fail(Errc::malformed,
                    "the decision log is broken at entry " + std::to_string(broken) +
                        ": it was altered, or an entry before it is missing",
                    "decision_log");
    return count;
}

}  // namespace porta::pipeline
