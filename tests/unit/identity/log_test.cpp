#include "identity/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace porta::identity {
namespace {

using Sets = std::vector<std::vector<std::string>>;

struct Machine {
    IdentityLog log;
    std::vector<LogEntry> entries;
    PersonId next = 1;
    std::string step(const Sets& sets, const std::set<std::string>& gone = {}) {
        std::string text;
        for (const LogEntry& e : log.decide(sets, gone, next, "test")) {
            auto ok = log.apply(e);
            EXPECT_TRUE(ok) << ok.error().message;
            entries.push_back(e);
            text += std::string(name(e.event)) + " " + std::to_string(e.person) +
                    (e.other ? ">" + std::to_string(e.other) : "") + (e.record.empty() ? "" : ":" + e.record) + "; ";
        }
        return text;
    }
};

TEST(IdentityLog, mergeUnmergeKeepsIds) {
    Machine m;
    EXPECT_EQ(m.step({{"a"}}), "founded 1:a; ");
    EXPECT_EQ(m.step({{"b"}}), "founded 2:b; ");
    EXPECT_EQ(m.step({{"b", "c"}}), "joined 2:c; ");
    EXPECT_EQ(m.step({{"c", "b", "a"}}), "joined 1:b; joined 1:c; merged 2>1; ");
    EXPECT_EQ(m.log.resolve(2), 1);
    EXPECT_EQ(m.step({{"a", "b", "c"}}), "");
    EXPECT_EQ(m.step({{"a"}, {"b", "c"}}), "split 1>2; revived 2>1:b; joined 2:c; ");
    EXPECT_EQ(m.log.resolve(2), 2);
}

TEST(IdentityLog, splitWithoutFounderGoesToTheEarliest) {
    Machine m;
    m.step({{"z"}});
    m.step({{"y", "z"}});
    m.step({{"x", "y", "z"}});
    EXPECT_EQ(m.step({{"x"}, {"y"}}, {"z"}), "left 1:z; split 1>2; founded 2:x; ");
    EXPECT_EQ(m.log.personOf("y"), 1);
}

TEST(IdentityLog, sleepingIdWakesWithItsFounder) {
    Machine m;
    m.step({{"a"}});
    EXPECT_EQ(m.step({}, {"a"}), "left 1:a; ");
    EXPECT_FALSE(m.log.exists(1));
    EXPECT_EQ(m.step({{"b"}}), "founded 2:b; ");
    EXPECT_EQ(m.step({{"a"}}), "revived 1:a; ");
    EXPECT_EQ(m.step({{"a", "b"}}), "joined 1:b; merged 2>1; ");
}

TEST(IdentityLog, returningFounderLeavesAPersonThatLivesOnAlone) {
    Machine m;
    m.step({{"a", "b"}}, {});  // 1, founded by a
    m.step({{"b"}}, {"a"});    // 1 lives on with b
    m.step({{"a"}}, {});       // whole persons only: the set of b is not touched and not given
    EXPECT_EQ(m.log.personOf("b"), 1);
    EXPECT_EQ(m.log.personOf("a"), 2);
    m.step({{"a"}}, {"b"});  // 1 sleeps now and leads to where its founding record is
    EXPECT_EQ(m.log.resolve(1), 2);
}

TEST(IdentityLog, anIdLeadsToItsFounderThatIsNotAskedAbout) {
    Machine m;
    m.step({{"a", "b"}}, {});  // 1, founded by a
    m.step({{"b"}}, {"a"});    // 1 lives on with b
    m.step({{"a"}}, {});       // a is 2
    m.step({}, {"b"});         // the last of 1 leaves, and nobody asks about 2
    EXPECT_EQ(m.log.resolve(1), 2);

    Machine n;
    n.step({{"a"}, {"b"}, {"c"}}, {});  // 1, 2, 3
    n.step({{"a", "b"}, {"c"}}, {});    // 2 leads to 1
    n.step({{"b", "c"}}, {"a"});        // 1 goes on with b and c, 3 leads to it
    n.step({{"c"}}, {"b"});
    n.step({{"a"}}, {});  // apart from c, which is not asked about
    n.step({{"b"}}, {});  // the founder of 2, which lies asleep behind 1
    for (const auto& [id, person] : n.log.persons())
        if (PersonId lives = n.log.personOf(person.founder); lives && !n.log.exists(id)) {
            EXPECT_EQ(n.log.resolve(id), lives) << id;
        }
}

TEST(IdentityLog, refusesWhatDoesNotFit) {
    IdentityLog log;
    EXPECT_FALSE(log.apply({LogEvent::joined, 1, 0, "a", {}}));
    EXPECT_TRUE(log.apply({LogEvent::founded, 1, 0, "a", {}}));
    EXPECT_FALSE(log.apply({LogEvent::founded, 1, 0, "b", {}}));
    EXPECT_FALSE(log.apply({LogEvent::left, 1, 0, "b", {}}));
    EXPECT_FALSE(log.apply({LogEvent::merged, 1, 2, {}, {}}));
    EXPECT_FALSE(log.apply({LogEvent::revived, 1, 0, "a", {}}));
}

TEST(IdentityLog, propertyIdsAreNeverShared) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        Machine m;
        for (int step = 0; step < 25; ++step) {
            std::map<unsigned, std::vector<std::string>> by;
            std::set<std::string> gone;
            for (char c = 'a'; c <= 'h'; ++c) {
                const unsigned cell = static_cast<unsigned>(random() % 6);
                if (cell == 5) gone.insert(std::string(1, c));
                else by[cell].push_back(std::string(1, c));
            }
            Sets sets;
            for (auto& [cell, set] : by) sets.push_back(set);
            Sets shuffled = sets;
            std::shuffle(shuffled.begin(), shuffled.end(), random);
            for (auto& set : shuffled) std::shuffle(set.begin(), set.end(), random);
            PersonId n1 = m.next, n2 = m.next;
            ASSERT_EQ(m.log.decide(sets, gone, n1, "t"), m.log.decide(shuffled, gone, n2, "t"));
            const std::string said = m.step(sets, gone);
            std::set<PersonId> ids;
            for (const auto& set : sets) {
                const PersonId id = m.log.personOf(set.front());
                ASSERT_NE(id, 0);
                ASSERT_TRUE(ids.insert(id).second) << "two sets share an id";
                for (const std::string& key : set) ASSERT_EQ(m.log.personOf(key), id);
                ASSERT_EQ(m.log.persons().at(id).members.size(), set.size());
                ASSERT_EQ(m.log.resolve(id), id);
            }
            for (const std::string& key : gone) ASSERT_EQ(m.log.personOf(key), 0);
            for (const auto& [id, person] : m.log.persons()) ASSERT_EQ(m.log.exists(id), ids.contains(id));
            ASSERT_EQ(m.step(sets, gone), "")
                << "a second decision on the same facts must say nothing; the first: " << said;
        }
        IdentityLog replayed;
        for (const LogEntry& e : m.entries) ASSERT_TRUE(replayed.apply(e));
        ASSERT_EQ(replayed, m.log);
    }
}

}  // namespace
}  // namespace porta::identity
