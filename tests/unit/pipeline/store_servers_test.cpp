// SQLite and PostgreSQL give the same answers to the same statements; what a killed server leaves.
#include <limits>

#include "pipeline/embedded/sqlite_store.h"
#include "tests/support/folder.h"
#include "tests/unit/pipeline/real_servers.h"

namespace porta::pipeline {
namespace {

using support::Folder;

/// Both stores, to be asked the same.
class BothStores : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (std::string(GetParam()) == "sqlite")
            store_ = std::move(*openSqlite((folder_.path / "s.db").string(), false));
        else store_ = openIn(freshSchema());
        ASSERT_TRUE(store_->exclusive([&] { store_->run(kOwnTable); }));
    }
    void insert(std::int64_t no) { store_->run("INSERT INTO trial(no, number) VALUES(?1, ?1)", {no}); }

    Folder folder_;
    std::unique_ptr<Store> store_;
};

TEST_P(BothStores, aThrownFailureLeavesNothing) {
    auto done = store_->transact([&] {
        insert(1);
        throw Failure{fail(Errc::malformed, "half way", "test.rule")};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().rule, "test.rule");
    EXPECT_EQ(count(*store_, "trial"), 0);
    // Control: without the failure it stays.
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aForeignExceptionLeavesNothingAndPasses) {
    EXPECT_THROW((void)store_->transact([&] {
        insert(1);
        throw std::runtime_error("a library's");
    }),
                 std::runtime_error);
    ASSERT_TRUE(store_->transact([&] { insert(2); }));
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aRefusedStatementFailsItsTransactionAndNoOther) {
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    auto done = store_->transact([&] {
        insert(2);
        insert(1);
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("(1)"), std::string::npos) << done.error().message;
    EXPECT_EQ(count(*store_, "trial"), 1);
    EXPECT_THROW(insert(1), Failure);
    EXPECT_THROW(store_->run("SELECT no FROM nothing_of_that_name"), Failure);
    ASSERT_TRUE(store_->transact([&] { insert(2); }));
    EXPECT_EQ(count(*store_, "trial"), 2);
}

TEST_P(BothStores, aTransactionThatFailedIsNotCommittedByGoingOn) {
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    auto done = store_->transact([&] {
        insert(2);
        try {
            insert(1);
            count(*store_, "trial");  // at the latest here PostgreSQL tells
        } catch (const Failure&) {}
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aFailureInARowEndsItsStatement) {
    ASSERT_TRUE(store_->transact([&] {
        for (int i = 1; i <= 5; ++i) insert(i);
    }));
    auto from = [&](std::int64_t first, bool fails) {
        std::vector<std::int64_t> got;
        auto done = store_->transact([&] {
            store_->query("SELECT no FROM trial WHERE no >= ?1 ORDER BY no", {first}, [&](const Row& r) {
                got.push_back(r.integer(0));
                if (fails) throw Failure{fail(Errc::malformed, "unreadable", "test")};
            });
        });
        EXPECT_EQ(bool(done), !fails);
        return got;
    };
    EXPECT_EQ(from(1, true), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(from(4, false), (std::vector<std::int64_t>{4, 5}));
}

TEST_P(BothStores, valuesComeBackAsTheyWere) {
    std::string every(256, '\0');
    for (int i = 0; i < 256; ++i) every[static_cast<std::size_t>(i)] = static_cast<char>(i);
    const std::string words = "Zoë 東京 𝄞 '?1'";
    for (std::int64_t n : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                           std::int64_t{-1}, std::int64_t{0}})
        store_->run("INSERT INTO trial(no, number, bytes, words) VALUES(?1, ?1, ?2, ?3)", {n, Blob{every}, words});
    store_->run("INSERT INTO trial(no, number, bytes, words) VALUES(1, ?1, ?2, ?3)", {nullptr, Blob{}, std::string()});
    int rows = 0;
    store_->query("SELECT no, number, bytes, words FROM trial ORDER BY no", {}, [&](const Row& r) {
        ++rows;
        if (r.integer(0) == 1) {
            EXPECT_TRUE(r.isNull(1));
            EXPECT_FALSE(r.isNull(2) || r.isNull(3));
            EXPECT_TRUE(r.bytes(2).empty() && r.bytes(3).empty());
            return;
        }
        EXPECT_EQ(r.integer(0), r.integer(1));
        EXPECT_EQ(r.bytes(2), every);
        EXPECT_EQ(r.bytes(3), words);
    });
    EXPECT_EQ(rows, 5);
}

TEST_P(BothStores, aSnapshotTakesNoWrites) {
    auto done = store_->snapshot([&] { EXPECT_EQ(count(*store_, "trial"), 0); });
    EXPECT_TRUE(done);
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BothStores, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(PostgresStore, aValueThatDoesNotFitIsNotQuoted) {
    auto store = openIn(freshSchema());
    store->run(kOwnTable);
    auto done = store->transact(
        [&] { store->run("INSERT INTO trial(no, words) VALUES(1, ?1)", {std::string("Marked\xc3\x28")}); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("0x"), std::string::npos) << done.error().message;
    EXPECT_NE(done.error().message.find("22021"), std::string::npos) << done.error().message;
}

TEST(PostgresStore, exclusiveWorkIsOneAtATime) {
    const std::string schema = freshSchema();
    auto first = openIn(schema);
    first->run(kOwnTable);
    auto numbers = [&](Store& store) {
        for (int i = 0; i < 50; ++i) {
            auto done = store.exclusive([&] {
                std::int64_t next = 0;
                store.query("SELECT COUNT(*) FROM trial", {}, [&](const Row& r) { next = r.integer(0); });
                store.run("INSERT INTO trial(no) VALUES(?1)", {next});
            });
            EXPECT_TRUE(done) << done.error().message;
        }
    };
    auto other = std::async(std::launch::async, [&] { numbers(*openIn(schema)); });
    numbers(*first);
    other.get();
    EXPECT_EQ(count(*first, "trial"), 100);
}

/// A server that says nothing for longer than `answer_ms` is given up, and asked anew at the next call.
TEST(PostgresStore, givesUpAConnectionThatIsSilent) {
    const std::string schema = freshSchema();
    config::PostgresSettings settings = postgres();
    settings.answer_ms = 700;
    auto store = openIn(schema, settings);
    store->run(kOwnTable);
    const auto before = std::chrono::steady_clock::now();
    auto silent = store->transact([&] {
        store->run("INSERT INTO trial(no) VALUES(?1)", {std::int64_t{1}});
        store->query("SELECT 1 FROM pg_sleep(20)", {}, [](const Row&) {});
    });
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().code, Errc::unavailable);
    EXPECT_EQ(silent.error().rule, "store.postgresql.silent");
    EXPECT_EQ(count(*store, "trial"), 0);
    // Control: one that answers in time keeps its connection.
    EXPECT_TRUE(store->transact([&] { store->query("SELECT 1 FROM pg_sleep(0.3)", {}, [](const Row&) {}); }));
}

TEST(PostgresStore, comesBackAfterItsServerWasKilled) {
    auto store = openIn(freshSchema());
    store->run(kOwnTable);
    auto insert = [&](std::int64_t no) {
        return store->transact([&] { store->run("INSERT INTO trial(no) VALUES(?1)", {no}); });
    };
    ASSERT_TRUE(insert(1));
    // In the middle of a transaction, which is then nowhere.
    auto torn = store->transact([&] {
        store->run("INSERT INTO trial(no) VALUES(2)");
        count(*store, "trial");
        tell("kill postgres");
    });
    ASSERT_FALSE(torn);
    EXPECT_EQ(torn.error().code, Errc::unavailable);
    auto down = insert(3);
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, Errc::unavailable);
    tell("start postgres");
    auto up = insert(4);
    EXPECT_TRUE(up) << up.error().message;
    EXPECT_EQ(count(*store, "trial"), 2);
    // Without a word meanwhile: the lost connection is noticed before anything is sent.
    tell("kill postgres");
    tell("start postgres");
    up = insert(5);
    EXPECT_TRUE(up) << up.error().message;
    EXPECT_EQ(count(*store, "trial"), 3);
}

}  // namespace
}  // namespace porta::pipeline
