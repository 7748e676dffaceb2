// The decision log's group commit: durable before an answer, shared by those who wait, refused for all of them together.
#include "pipeline/decision_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "pipeline/embedded/sqlite_store.h"
#include "tests/support/folder.h"

namespace porta::pipeline {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

using support::Folder;

class DecisionLogs : public ::testing::Test {
protected:
    void SetUp() override {
        settings_.state = dir_.path.string();
        log_ = open();
        ASSERT_TRUE(log_);
    }
    std::unique_ptr<DecisionLog> open() {
        auto log = DecisionLog::open(settings_);
        EXPECT_TRUE(log);
        return log ? std::move(*log) : nullptr;
    }
    /// Another process's connection to the same file.
    std::unique_ptr<Store> beside() { return std::move(*openSqlite(settings_.state + "/decisions.db", false)); }
    static Json entry(int thread, int i) {
        Json e = Json::object();
        e["actor"] = "anna";
        e["n"] = std::int64_t{thread} * 1000 + i;
        return e;
    }
    static std::int64_t rows(Store& store, const Json& entry) {
        std::int64_t n = 0;
        store.query("SELECT COUNT(*) FROM decision WHERE entry = ?1", {canonical(entry)},
                    [&](const Row& r) { n = r.integer(0); });
        return n;
    }
    /// Frames of the write-ahead log that end a transaction: bytes 4 to 7 of their header are not zero.
    std::size_t commits() {
        std::ifstream in(settings_.state + "/decisions.db-wal", std::ios::binary);
        const std::string wal((std::istreambuf_iterator<char>(in)), {});
        std::size_t n = 0;
        for (std::size_t at = 32; at + 24 <= wal.size(); at += 24 + 4096)
            n += wal.compare(at + 4, 4, std::string(4, '\0')) != 0;
        return n;
    }
    /// `meanwhile` runs while `threads` wait to append, because another connection has the file; how many were refused.
    int refusedOf(int threads, const std::function<void(Store&)>& meanwhile) {
        std::atomic<int> refused = 0;
        std::vector<std::thread> waiting;
        auto store = beside();
        auto held = store->exclusive([&] {
            for (int t = 0; t < threads; ++t) waiting.emplace_back([&, t] { refused += !log_->append(entry(t, 0)); });
            std::this_thread::sleep_for(500ms);
            meanwhile(*store);
        });
        EXPECT_TRUE(held);
        for (std::thread& t : waiting) t.join();
        return refused;
    }

    Folder dir_;
    config::Settings settings_;
    std::unique_ptr<DecisionLog> log_;
};

TEST_F(DecisionLogs, eachThreadFindsItsEntryWhenItReturns) {
    constexpr int kThreads = 12, kEach = 25;
    std::atomic<int> found = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            auto store = beside();
            for (int i = 0; i < kEach; ++i) {
                if (!log_->append(entry(t, i))) return;
                found += rows(*store, entry(t, i)) == 1;
            }
        });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(found, kThreads * kEach);
    auto count = log_->verify();
    ASSERT_TRUE(count) << count.error().message;
    EXPECT_EQ(*count, kThreads * kEach);
}

TEST_F(DecisionLogs, whoWaitsTogetherSharesACommit) {
    ASSERT_TRUE(log_->append(entry(99, 0)));
    const std::size_t before = commits();
    EXPECT_EQ(refusedOf(16, [](Store&) {}), 0);
    // The first wrote alone, and the others all waited for it.
    EXPECT_LE(commits() - before, 4u);
    EXPECT_EQ(*log_->verify(), 17);
    // Control: one after the other each has a commit of its own.
    const std::size_t then = commits();
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(log_->append(entry(98, i)));
    EXPECT_EQ(commits() - then, 16u);
}

TEST_F(DecisionLogs, aLogThatFailsRefusesAllWhoWaitAndServesThoseWhoComeLater) {
    ASSERT_TRUE(log_->append(entry(99, 0)));
    EXPECT_EQ(refusedOf(8, [](Store& store) { store.run("ALTER TABLE decision RENAME TO gone"); }), 8);
    beside()->run("ALTER TABLE gone RENAME TO decision");
    EXPECT_EQ(*log_->verify(), 1);
    EXPECT_TRUE(log_->append(entry(99, 1)));
    EXPECT_EQ(*log_->verify(), 2);
}

TEST_F(DecisionLogs, theChainHoldsOverSeveralWritersAndNamesWhatWasAltered) {
    auto other = open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) EXPECT_TRUE((t % 2 ? *other : *log_).append(entry(t, i)));
        });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(*log_->verify(), 120);
    beside()->run("UPDATE decision SET entry = '{}' WHERE no = 57");
    auto broken = log_->verify();
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("57"), std::string::npos);
}

}  // namespace
}  // namespace porta::pipeline
