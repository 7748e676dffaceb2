// The lease in a real PostgreSQL: one holder, and a fence for whoever lost it.
#include "pipeline/schema.h"
#include "tests/unit/pipeline/real_servers.h"

namespace porta::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr int kPeriod = 1500;

/// A process that may resolve: a store of its own and its lease.
struct Candidate {
    std::unique_ptr<Store> store;
    std::unique_ptr<Lease> lease;
    explicit Candidate(const std::string& schema, const config::PostgresSettings& settings = postgres(kPeriod))
        : store(openIn(schema, settings)), lease(postgresLease(*store, "resolve", settings.lease_ms)) {}

    bool hold() {
        auto held = lease->hold();
        EXPECT_TRUE(held) << held.error().message;
        return held && *held;
    }
    /// `meanwhile` runs between the write and the check.
    Result<void> write(std::int64_t no, const std::function<void()>& meanwhile = {}, bool checked = true) {
        return store->transact([&] {
            store->run("INSERT INTO trial(no) VALUES(?1)", {no});
            if (meanwhile) meanwhile();
            if (checked) lease->check();
        });
    }
};

class Leases : public ::testing::Test {
protected:
    void SetUp() override {
        auto store = openIn(schema_);
        ASSERT_TRUE(migrate(*store));
        store->run(kOwnTable);
    }
    std::int64_t rows() { return count(*openIn(schema_), "trial"); }
    std::string schema_ = freshSchema();
};

TEST_F(Leases, oneHoldsAndRenewalKeepsIt) {
    Candidate first(schema_), second(schema_);
    ASSERT_TRUE(first.hold());
    for (int i = 0; i < 8; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod / 4));
        EXPECT_TRUE(first.hold());
        EXPECT_FALSE(second.hold());
    }
    EXPECT_TRUE(first.write(1));
    // A candidate without the lease is stopped by the check alone.
    auto refused = second.write(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rule, "lease.lost");
    EXPECT_EQ(rows(), 1);
    // Control: nothing but the check stopped it.
    EXPECT_TRUE(second.write(3, {}, false));
    EXPECT_EQ(rows(), 2);
}

TEST_F(Leases, afterItsPeriodASuccessorTakesItAndEndsTheConnection) {
    Candidate first(schema_), second(schema_);
    ASSERT_TRUE(first.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    // Control: late, but with nobody else there, the lease is still its own.
    EXPECT_TRUE(first.write(1));
    auto refused = first.write(2, [&] { EXPECT_TRUE(second.hold()); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable) << refused.error().message;
    EXPECT_EQ(rows(), 1);
    // On a new connection the fence alone holds.
    refused = first.write(3);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rule, "lease.lost");
    EXPECT_FALSE(first.hold());
    EXPECT_TRUE(second.write(4));
    EXPECT_EQ(rows(), 2);
}

TEST_F(Leases, aHolderStoppedBeforeItsCommitDoesNotKeepItsSuccessorWaiting) {
    // Long enough that only the successor's hand ends the first.
    Candidate first(schema_, postgres(60000)), second(schema_);
    first.lease = postgresLease(*first.store, "resolve", kPeriod);
    ASSERT_TRUE(first.hold());
    std::promise<void> stopped, go_on;
    auto written = std::async(std::launch::async, [&] {
        return first.store->transact([&] {
            first.store->run("INSERT INTO trial(no) VALUES(1)");
            first.lease->check();
            stopped.set_value();
            go_on.get_future().wait();
        });
    });
    stopped.get_future().wait();
    // Control: while the period runs nobody ends it.
    EXPECT_FALSE(second.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(second.hold());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    go_on.set_value();
    EXPECT_FALSE(written.get());
    EXPECT_EQ(rows(), 0);
}

TEST_F(Leases, theServerEndsAnyWriterThatStopsInATransaction) {
    // As a map process that is stopped with the keys of its rows locked.
    auto stopped = openIn(schema_, postgres(700));
    auto done = stopped->transact([&] {
        stopped->run("INSERT INTO trial(no) VALUES(1)");
        count(*stopped, "trial");
        std::this_thread::sleep_for(1500ms);
        auto successor = openIn(schema_)->transact([] {});
        EXPECT_TRUE(successor);
        openIn(schema_)->run("INSERT INTO trial(no) VALUES(1)");
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(rows(), 1);
}

TEST_F(Leases, aHolderThatIsGoneIsSucceededAtOnce) {
    auto first = std::make_unique<Candidate>(schema_, postgres(600000));
    Candidate second(schema_);
    ASSERT_TRUE(first->hold());
    ASSERT_FALSE(second.hold());
    first.reset();
    auto until = std::chrono::steady_clock::now() + 3s;
    bool held = false;
    while (!held && std::chrono::steady_clock::now() < until) held = second.hold();
    EXPECT_TRUE(held);
    EXPECT_TRUE(second.write(1));
}

TEST_F(Leases, whoLostItIsToldBeforeItHasItAgain) {
    Candidate first(schema_);
    ASSERT_TRUE(first.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    {
        Candidate second(schema_);
        ASSERT_TRUE(second.hold());
        EXPECT_TRUE(second.write(1));
    }
    // The second came and went while the first was stopped: the lease is free, and what the first knows is old.
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    EXPECT_FALSE(first.hold());
    EXPECT_TRUE(first.hold());
    EXPECT_TRUE(first.write(2));
}

TEST_F(Leases, anApplicationNameInTheDsnChangesNothing) {
    auto named = postgres(60000);
    named.dsn += " application_name=elsewhere";
    Candidate first(schema_, named), second(schema_, named);
    ASSERT_TRUE(first.hold());
    EXPECT_FALSE(second.hold());
}

TEST_F(Leases, ofManyThatTryAtOnceOneGetsIt) {
    for (int round = 0; round < 5; ++round) {
        std::vector<std::unique_ptr<Candidate>> candidates;
        for (int i = 0; i < 4; ++i) candidates.push_back(std::make_unique<Candidate>(schema_));
        std::vector<std::future<bool>> tries;
        for (auto& c : candidates)
            tries.push_back(std::async(std::launch::async, [&c] {
                auto held = c->lease->hold();
                return held && *held;
            }));
        for (auto& t : tries) t.wait();
        int may_write = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i)
            may_write += bool(candidates[i]->write(round * 10 + static_cast<int>(i)));
        EXPECT_EQ(may_write, 1) << "round " << round;
        candidates.clear();
        std::this_thread::sleep_for(200ms);
    }
}

}  // namespace
}  // namespace porta::pipeline
