#include "identity/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>

namespace porta::identity {
namespace {

using Sets = std::vector<std::vector<std::string>>;
using Partition = std::function<Sets(const std::vector<Features>&, const std::vector<Decision>&)>;

Features record(std::string key, std::vector<std::string> ids, std::vector<std::string> dates, std::string given = "",
                std::string family = "") {
    return {std::move(key), std::move(ids), std::move(dates), std::move(given), std::move(family)};
}

TEST(Partition, birthDateOrNames) {
    EXPECT_EQ(partition({record("a", {"T:1"}, {"1980-01-01"}), record("b", {"T:1"}, {"1980-01-01"}),
                         record("c", {"T:1"}, {"2010-01-01"})},
                        {}),
              (Sets{{"a", "b"}, {"c"}}));
    EXPECT_EQ(partition({record("a", {"T:1"}, {"1980-01-01"}, "ann", "bee"), record("b", {"T:1"}, {}, "ann", "bee"),
                         record("c", {"T:1"}, {})},
                        {}),
              (Sets{{"a", "b"}, {"c"}}));
    EXPECT_EQ(partition({record("a", {}, {"1980-01-01"}), record("b", {}, {"1980-01-01"})}, {}), (Sets{{"a"}, {"b"}}));
}

TEST(Partition, aDatelessRecordDoesNotBridgeTwoDates) {
    EXPECT_EQ(partition({record("a", {"T:1"}, {"1980-01-01"}, "ann", "bee"), record("b", {"T:1"}, {}, "ann", "bee"),
                         record("c", {"T:1"}, {"2010-01-01"}, "ann", "bee")},
                        {}),
              (Sets{{"a", "b"}, {"c"}}));
}

TEST(Partition, decisions) {
    const std::vector<Features> r = {record("a", {"T:1"}, {"1980-01-01"}), record("b", {"T:1"}, {"1980-01-01"}),
                                     record("c", {}, {"2010-01-01"})};
    EXPECT_EQ(partition(r, {{"a", "b", Verdict::different}}), (Sets{{"a"}, {"b"}, {"c"}}));
    EXPECT_EQ(partition(r, {{"a", "c", Verdict::same}}), (Sets{{"a", "b", "c"}}));
    EXPECT_EQ(partition(r, {{"a", "c", Verdict::same}, {"b", "c", Verdict::different}}), (Sets{{"a", "c"}, {"b"}}));
    EXPECT_EQ(partition(r, {{"a", "c", Verdict::same}, {"a", "c", Verdict::different}}), (Sets{{"a", "b"}, {"c"}}));
    EXPECT_EQ(partition(r, {{"a", "zz", Verdict::same}}), (Sets{{"a", "b"}, {"c"}}));
}

/// The checker: any shuffle of records, decisions and lists gives the same sets, and no `different` pair is together.
std::string firstViolation(const Partition& tested) {
    std::mt19937 random(11);
    for (int round = 0; round < 150; ++round) {
        std::vector<Features> records;
        for (char c = 'a'; c < 'a' + 10; ++c) {
            Features f;
            f.key = std::string(1, c);
            for (int i = 0; i < 2; ++i)
                if (random() % 3) f.identifiers.push_back("T:" + std::to_string(random() % 4));
            for (unsigned i = static_cast<unsigned>(random() % 3); i > 0; --i)
                f.birth_dates.push_back("200" + std::to_string(random() % 3) + "-01-01");
            f.given = random() % 2 ? "ann" : "bob";
            f.family = "bee";
            records.push_back(f);
        }
        std::vector<Decision> decisions;
        for (int i = 0; i < 4; ++i) {
            std::string a(1, static_cast<char>('a' + random() % 10)), b(1, static_cast<char>('a' + random() % 10));
            if (a < b) decisions.push_back({a, b, random() % 2 ? Verdict::same : Verdict::different});
        }
        const Sets first = tested(records, decisions);
        for (const Decision& d : decisions)
            for (const auto& set : first)
                if (d.verdict == Verdict::different && std::count(set.begin(), set.end(), d.a) &&
                    std::count(set.begin(), set.end(), d.b))
                    return "a different pair is together";
        for (int i = 0; i < 10; ++i) {
            std::shuffle(records.begin(), records.end(), random);
            std::shuffle(decisions.begin(), decisions.end(), random);
            for (Features& f : records) {
                std::shuffle(f.identifiers.begin(), f.identifiers.end(), random);
                std::shuffle(f.birth_dates.begin(), f.birth_dates.end(), random);
            }
            if (tested(records, decisions) != first) return "the order of arrival shows";
        }
    }
    return "";
}

/// Test-only: each record goes to the first set so far with which it shares an identifier and no contradicting date.
Sets byArrival(const std::vector<Features>& records, const std::vector<Decision>&) {
    std::vector<std::vector<Features>> sets;
    for (const Features& f : records) {
        auto fits = [&](const std::vector<Features>& set) {
            return std::any_of(set.begin(), set.end(), [&](const Features& g) {
                return partition({f, g}, {}).size() == 1;
            });
        };
        auto it = std::find_if(sets.begin(), sets.end(), fits);
        if (it == sets.end()) sets.push_back({f});
        else it->push_back(f);
    }
    Sets out;
    for (const auto& set : sets) {
        auto& keys = out.emplace_back();
        for (const Features& f : set) keys.push_back(f.key);
        std::sort(keys.begin(), keys.end());
    }
    std::sort(out.begin(), out.end());
    return out;
}

TEST(Partition, propertyAnyShuffle) { EXPECT_EQ(firstViolation(partition), ""); }

TEST(Partition, negativeControlTheCheckerCatchesArrivalOrder) {
    // Without decisions in play, so that only the order can be at fault.
    const Partition arrival = byArrival;
    const Partition honest_decisions = [&](const std::vector<Features>& r, const std::vector<Decision>& d) {
        Sets sets = arrival(r, d), out;
        for (auto& set : sets) {
            bool split = false;
            for (const Decision& one : d)
                split =
                    split || (std::count(set.begin(), set.end(), one.a) && std::count(set.begin(), set.end(), one.b));
            if (!split) out.push_back(set);
            else
                for (auto& key : set) out.push_back({key});
        }
        std::sort(out.begin(), out.end());
        return out;
    };
    EXPECT_EQ(firstViolation(honest_decisions), "the order of arrival shows");
}

TEST(Partition, aTokenSharedByManyIsQuick) {
    std::vector<Features> records;
    for (int i = 0; i < 3000; ++i)
        records.push_back(record(
            "k" + std::to_string(10000 + i), {"T:1"},
            i % 3 ? std::vector<std::string>{std::to_string(1900 + i % 90) + "-01-01"} : std::vector<std::string>{},
            "ann", "bee"));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(partition(records, {}).empty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(FoldName, foldsScriptsAndPunctuation) {
    EXPECT_EQ(foldName("De la Torre"), "delatorre");
    EXPECT_EQ(foldName("Müller-Lüdenscheidt"), foldName("MULLER LUDENSCHEIDT"));
    EXPECT_EQ(foldName("José"), "jose");
    EXPECT_EQ(foldName("Иван"), "ivan");
    EXPECT_EQ(foldName(""), "");
}

}  // namespace
}  // namespace porta::identity
