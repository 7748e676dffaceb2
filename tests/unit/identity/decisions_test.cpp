#include "identity/decisions.h"

#include <gtest/gtest.h>

#include "identity/explain.h"

namespace porta::identity {
namespace {

Fact fact(std::string id, FactKind kind, std::string a, std::string b, std::int64_t instant) {
    Fact f;
    f.id = std::move(id);
    f.kind = kind;
    f.a = std::move(a);
    f.b = std::move(b);
    f.instant = instant;
    return f;
}

std::string itself(const std::string& key) { return key; }

std::string ids(const std::vector<Fact>& facts) {
    std::string out;
    for (const Fact& f : facts) out += f.id + " ";
    return out;
}

TEST(Decisions, TheGreatestFactOfAPairHoldsUnlessItWithdraws) {
    std::vector<Fact> facts{fact("1", FactKind::same, "a", "b", 1), fact("2", FactKind::different, "b", "a", 3),
                            fact("3", FactKind::same, "c", "d", 2), fact("4", FactKind::withdraw, "d", "c", 4),
                            fact("5", FactKind::same, "e", "f", 5), fact("6", FactKind::different, "e", "f", 5)};
    EXPECT_EQ(ids(inForce(facts)), "2 6 ");
    std::reverse(facts.begin(), facts.end());
    EXPECT_EQ(ids(inForce(facts)), "2 6 ") << "order of arrival decides nothing";
}

TEST(Decisions, AContradictionNamesItsChain) {
    auto held = inForce({fact("1", FactKind::same, "a", "b", 1), fact("2", FactKind::same, "b", "c", 1),
                         fact("3", FactKind::different, "c", "d", 1), fact("4", FactKind::same, "d", "e", 1)});
    struct Case {
        const char *a, *b;
        Verdict verdict;
        const char* chain;
    };
    for (const Case& c : {Case{"a", "c", Verdict::different, "1 2 "}, Case{"c", "a", Verdict::different, "2 1 "},
                          Case{"a", "b", Verdict::different, "1 "}, Case{"a", "e", Verdict::same, "1 2 3 4 "},
                          Case{"d", "c", Verdict::same, "3 "}, Case{"a", "x", Verdict::same, ""},
                          Case{"a", "e", Verdict::different, ""}, Case{"a", "c", Verdict::same, ""}})
        EXPECT_EQ(ids(contradiction(held, c.a, c.b, c.verdict, itself)), c.chain) << c.a << " " << c.b;
}

TEST(Decisions, TwoNamesOfOneRecordAreOneEnd) {
    auto held = inForce({fact("1", FactKind::same, "a", "old", 1)});
    auto survivor = [](const std::string& k) { return k == "old" ? std::string("new") : k; };
    EXPECT_EQ(ids(contradiction(held, "a", "new", Verdict::different, survivor)), "1 ");
    EXPECT_EQ(ids(contradiction(held, "a", "new", Verdict::different, itself)), "") << "negative control";
}

Statement statement(std::string birth, std::string given, std::string state = "valid") {
    return {"k", {{"IT-CF", "X", std::move(state)}}, {std::move(birth)}, std::move(given), "Provetta"};
}

TEST(Explain, SaysWhatTheFirstTierDoes) {
    EXPECT_TRUE(compare(statement("1980-05-17", "Ada"), statement("1980-05-17", "Eva")).joins);
    EXPECT_TRUE(compare(statement("1980", "Ada"), statement("1980-05-17", "ADA")).joins);
    EXPECT_FALSE(compare(statement("1980", "Ada"), statement("1980-05-17", "Eva")).joins) << "an identifier alone";
    EXPECT_FALSE(compare(statement("1980-05-17", "Ada"), statement("1980-05-17", "Ada", "contradicts")).joins);
    auto contradicting = compare(statement("1980-05-17", "Ada"), statement("1981-05-17", "Ada"));
    EXPECT_TRUE(contradicting.contradicts);
    EXPECT_FALSE(contradicting.joins);
    EXPECT_NE(canonicalText(statement("1980", "Ada")), canonicalText(statement("1981", "Ada")));
}

}  // namespace
}  // namespace porta::identity
