#pragma once
/// The roles in one thread over a log in memory and SQLite, beside the same town taken in embedded: what their tests share.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "config/settings.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/gateway.h"
#include "pipeline/keys.h"
#include "pipeline/project.h"
#include "pipeline/read.h"
#include "pipeline/receive.h"
#include "pipeline/roles.h"
#include "pipeline/schema.h"
#include "synth/municipality.h"
#include "tests/support/folder.h"
#include "tests/support/memory_log.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

/// A lease that a test takes away.
struct TestLease : Lease {
    struct Row {
        int holder = 1, epoch = 1;
        void give(int to) {
            if (to != holder) ++epoch;
            holder = to;
        }
    };
    TestLease(const Row& row, int self) : row(row), self(self) {}
    const Row& row;
    int self, epoch = 0;
    Result<bool> hold() override {
        const bool lost = epoch && epoch != row.epoch;
        epoch = !lost && row.holder == self ? row.epoch : 0;
        return epoch != 0;
    }
    void check() override {
        if (!epoch || epoch != row.epoch) throw Failure{fail(Errc::unavailable, "lost", "lease.lost")};
    }
};

inline constexpr const char* kCare = "care-coordination";
inline const std::string kCareTopic = viewsTopic(kCare);

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
        w.lease = std::make_unique<TestLease>(lease_, self);
        return w;
    }

    /// Steps of random roles, thrown away and opened again after a failure, until nothing is left to do.
    void run(unsigned seed, int resolvers, int most = 1 << 20) {
        std::mt19937 random(seed);
        struct Slot {
            std::string name;
            int self;
            std::unique_ptr<Role> role;
        };
        std::vector<Slot> slots;
        for (const char* name : {"connect", "map", "map", "project"}) slots.push_back({name, 0, nullptr});
        for (int i = 1; i <= resolvers; ++i) slots.push_back({"resolve", i, nullptr});
        for (int quiet = 0; quiet < 40 && most > 0; --most) {
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
                lease_.give(1 + static_cast<int>(random() % static_cast<unsigned>(resolvers)));
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

    /// What the purposes say from the next role on.
    void write(const std::string& purposes) {
        std::ofstream(settings_.directory + "/purposes.yaml") << purposes << "users: {}\n";
    }
    policy::Purpose purpose(const std::string& id) {
        auto purposes = loadPurposes(settings_);
        EXPECT_TRUE(purposes);
        return *purposes->purpose(id);
    }

    /// Person → line of the newest view in the topic, with today's times; and as a reader would get it assembled.
    using Lines = std::map<std::int64_t, std::string>;
    Lines delivered(const std::string& id) {
        Lines out;
        World w = open(0);
        auto receiver = Receiver::over(settings_, purpose(id), *w.store, *w.keys, *w.log);
        EXPECT_TRUE(receiver) << receiver.error().message;
        if (!receiver) return out;
        auto [sources, as_of] = times();
        for (bool some = true; some;) {
            auto messages = (*receiver)->poll(0);
            EXPECT_TRUE(messages);
            some = messages && !messages->empty();
            for (const ViewMessage& m : *messages) {
                auto line = (*receiver)->line(m);
                EXPECT_TRUE(line) << line.error().message;
                out.erase(m.person);
                if (line->empty()) continue;
                auto view = parseJson(*line);
                EXPECT_TRUE(view);
                views::joinTimes(*view, viewOf(purpose(id)), sources, as_of);
                out[m.person] = print(*view);
            }
        }
        EXPECT_TRUE((*receiver)->complete());
        return out;
    }
    Lines assembled(const std::string& id) {
        Lines out;
        auto reader = Reader::open(settings_);
        EXPECT_TRUE(reader);
        auto [sources, as_of] = times();
        Records records = (*reader)->load(0);
        for (const auto& p : records.persons) {
            auto view = views::assemble(personText(p.person), p.records, viewOf(purpose(id)), sources, as_of);
            if (view.visible) out[p.person] = print(views::toJson(view));
        }
        return out;
    }
    std::pair<std::vector<views::SourceFacts>, std::int64_t> times() {
        auto reader = Reader::open(settings_);
        EXPECT_TRUE(reader);
        std::pair<std::vector<views::SourceFacts>, std::int64_t> out{sourceFacts(settings_), 0};
        for (auto& s : out.first) {
            s.newest_instant = (*reader)->newestOf(s.id);
            out.second = std::max(out.second, s.newest_instant);
        }
        return out;
    }
    std::size_t messagesOf(const std::string& topic) {
        std::size_t n = 0;
        for (const auto& [partition, messages] : topics_.topics[topic]) n += messages.size();
        return n;
    }
    std::int64_t count(const std::string& sql) {
        std::int64_t n = 0;
        auto store = openSqlite(settings_.store_path, true);
        (*store)->query(sql, {}, [&](const Row& r) { n = r.integer(0); });
        return n;
    }

    support::Folder town_;
    config::Settings embedded_, settings_;
    Metrics metrics_;
    test::MemoryTopics topics_;
    TestLease::Row lease_;
};

}  // namespace porta::pipeline
