// The roles in one thread over a log in memory and SQLite: the same stage code as embedded gives the same account and the
// same operations, whatever is torn, repeated or taken over on the way.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "config/settings.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/gateway.h"
#include "pipeline/keys.h"
#include "pipeline/read.h"
#include "pipeline/roles.h"
#include "pipeline/schema.h"
#include "synth/municipality.h"
#include "tests/support/memory_log.h"

namespace porta::pipeline {
namespace {

namespace fs = std::filesystem;

struct Folder {
    fs::path path;
    Folder() {
        std::string name = (fs::temp_directory_path() / "porta-test-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path); }
};

/// A lease that a test takes away.
struct TestLease : Lease {
    explicit TestLease(const int& holder, int self) : holder(holder), self(self) {}
    const int& holder;
    int self;
    Result<bool> hold() override { return holder == self; }
    void check() override {
        if (holder != self) throw Failure{fail(Errc::unavailable, "lost", "lease.lost")};
    }
};

class Roles : public ::testing::Test {
protected:
    void SetUp() override {
        ::setenv("PORTA_LIBRARY", PORTA_ROOT "/mapping/library", 1);
        synth::Wish wish;
        wish.people = 40;
        wish.seed = 11;
        wish.out = town_.path.string();
        ASSERT_TRUE(synth::invent(wish));
        auto embedded = config::load((town_.path / "config").string(), (town_.path / "embedded").string(), {});
        ASSERT_TRUE(embedded) << embedded.error().message;
        embedded_ = *embedded;
        settings_ = embedded_;
        settings_.poll_ms = 1;
        settings_.state = (town_.path / "roles").string();
        settings_.store_path = settings_.state + "/porta.db";
        fs::create_directories(settings_.state);
        {
            auto gateway = Gateway::open(embedded_);
            ASSERT_TRUE(gateway) << gateway.error().message;
            ASSERT_TRUE((*gateway)->ingestAll("", {}));
        }
        World world = open(1);
        ASSERT_TRUE(migrate(*world.store));
    }

    World open(int self) {
        World w;
        w.clock = openClock(settings_);
        w.store = std::move(*openSqlite(settings_.store_path, false));
        w.keys = std::move(
            *openKeys(std::move(*openSqlite(settings_.state + "/keys.db", false)), settings_.key_file, false));
        w.log = std::make_unique<test::MemoryLog>(topics_);
        w.lease = std::make_unique<TestLease>(holder_, self);
        return w;
    }

    /// Steps of random roles, thrown away and opened again after a failure, until nothing is left to do.
    void run(unsigned seed, int resolvers) {
        std::mt19937 random(seed);
        struct Slot {
            std::string name;
            int self;
            std::unique_ptr<Role> role;
        };
        std::vector<Slot> slots;
        for (const char* name : {"connect", "map", "map", "project"}) slots.push_back({name, 0, nullptr});
        for (int i = 1; i <= resolvers; ++i) slots.push_back({"resolve", i, nullptr});
        for (int quiet = 0; quiet < 40;) {
            Slot& slot = slots[random() % slots.size()];
            if (!slot.role) {
                auto opened = openRole(slot.name, settings_, metrics_, open(slot.self));
                ASSERT_TRUE(opened) << opened.error().message;
                slot.role = std::move(*opened);
            }
            auto did = slot.role->step();
            if (!did || random() % 20 == 0) slot.role.reset();
            quiet = did && !*did ? quiet + 1 : 0;
            if (resolvers > 1 && random() % 10 == 0)
                holder_ = 1 + static_cast<int>(random() % static_cast<unsigned>(resolvers));
        }
    }

    /// Everything that views are computed from: each raw record's state and operations, by its digest and place.
    static std::multimap<std::string, std::string> content(const config::Settings& settings) {
        std::multimap<std::string, std::string> out;
        auto reader = Reader::open(settings);
        EXPECT_TRUE(reader);
        if (!reader) return out;
        (*reader)->eachRaw([&](const RawRow& row) {
            const KnownObject& object = (*reader)->objectOf(row.object);
            auto operations = (*reader)->operations(row);
            EXPECT_TRUE(operations);
            std::string text(name(row.state));
            for (schemas::Operation& op : *operations) {
                // Object numbers differ with the order of arrival; they order nothing but arrival itself.
                if (op.version.order == schemas::Order::arrival) op.version.parts.clear();
                text += schemas::encode({op});
            }
            out.emplace(object.row.source + object.meta.path + std::to_string(row.position), text);
        });
        return out;
    }

    /// Which records are one person, without the numbers that persons have.
    static std::set<std::vector<std::string>> partition(const config::Settings& settings) {
        std::set<std::vector<std::string>> out;
        auto reader = Reader::open(settings);
        EXPECT_TRUE(reader);
        Records records = (*reader)->load(0);
        for (const auto& person : records.persons) {
            std::vector<std::string> keys;
            for (const auto& r : person.records)
                if (r.live) keys.push_back(r.key.text());
            std::sort(keys.begin(), keys.end());
            if (!keys.empty()) out.insert(keys);
        }
        return out;
    }

    void expectSame() {
        EXPECT_EQ(content(settings_), content(embedded_));
        EXPECT_EQ(partition(settings_), partition(embedded_));
        auto reader = Reader::open(settings_);
        ASSERT_TRUE(reader);
        EXPECT_EQ(print(*(*reader)->account().find("balanced")), "true");
        EXPECT_EQ((*reader)->status().text("state"), "quiet") << print((*reader)->status());
    }

    Folder town_;
    config::Settings embedded_, settings_;
    Metrics metrics_;
    test::MemoryTopics topics_;
    int holder_ = 1;
};

TEST_F(Roles, giveWhatTheGatewayGives) {
    run(1, 1);
    expectSame();
}

TEST_F(Roles, tornAppendsLoseAndDoubleNothing) {
    std::mt19937 random(5);
    int torn = 0;
    topics_.tear = [&] { return random() % 4 == 0 && ++torn < 60; };
    run(2, 1);
    EXPECT_GT(torn, 10);
    topics_.tear = nullptr;
    run(3, 1);
    expectSame();
}

TEST_F(Roles, aLeaseThatWandersLosesNothing) {
    run(4, 3);
    expectSame();
    // Control: the fence was really met.
    EXPECT_NE(metrics_.text().find("porta_resolve_leases_total"), std::string::npos);
}

TEST_F(Roles, theSameMessagesAgainChangeNothing) {
    run(6, 1);
    auto before = content(settings_);
    auto persons = partition(settings_);
    for (auto& [topic, partitions] : topics_.topics)
        for (auto& [partition, messages] : partitions) {
            auto again = messages;
            messages.insert(messages.end(), again.begin(), again.end());
        }
    run(7, 1);
    EXPECT_EQ(content(settings_), before);
    EXPECT_EQ(partition(settings_), persons);
}

TEST_F(Roles, controlALostMessageIsSeen) {
    run(8, 1);
    // The comparison notices one record that is missing.
    auto store = openSqlite(settings_.store_path, false);
    ASSERT_TRUE(store);
    (*store)->run("DELETE FROM operation WHERE raw = (SELECT MAX(raw) FROM operation WHERE length(box) > 0)");
    EXPECT_NE(content(settings_), content(embedded_));
}

}  // namespace
}  // namespace porta::pipeline
