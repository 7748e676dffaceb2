// The specification's functions and operators against specification.tsv, and the budgets of hostile expressions.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "fhirpath/expression.h"
#include "formats/format.h"

namespace porta::fhirpath {
namespace {

/// The values as FHIRPath writes them, joined; `{}`, `!` and `!!` as the table has them.
std::string shown(const std::string& text, const formats::NodeTree& tree, const Options& options = {}) {
    auto expression = Expression::compile(text, options);
    if (!expression) return "!!";
    Arena arena;
    auto values = expression->evaluate(tree, tree.root(), {}, arena);
    if (!values) return "!";
    if (values->empty()) return "{}";
    std::string out;
    for (const Value& v : *values) {
        out += out.empty() ? "" : ", ";
        if (v.kind == ValueKind::date || v.kind == ValueKind::dateTime) out += "@";
        if (v.kind == ValueKind::time) out += "@T";
        out += v.isNode() && tree[v.node].kind == formats::NodeKind::object ? "{…}" : std::string(v.str(tree));
        if (v.kind == ValueKind::quantity) out += " " + std::string(v.unit);
    }
    return out;
}

TEST(Specification, Table) {
    std::ifstream in(PORTA_ROOT "/tests/unit/fhirpath/specification.tsv");
    ASSERT_TRUE(in.is_open());
    const formats::NodeTree tree;
    std::size_t cases = 0;
    for (std::string line; std::getline(in, line);) {
        const std::size_t tab = line.find('\t');
        if (line.starts_with('#') || tab == std::string::npos) continue;
        EXPECT_EQ(shown(line.substr(0, tab), tree), line.substr(tab + 1)) << line;
        ++cases;
    }
    EXPECT_GT(cases, 400u);
}

TEST(Specification, TheBallotCanBeSwitchedOff) {
    const formats::NodeTree tree;
    Options normative;
    normative.ballot = false;
    for (const char* text : {"(2 | 1).sort()", "defineVariable('a', 1)", "5L", "1.precision()", "coalesce({})"}) {
        EXPECT_EQ(shown(text, tree, normative), "!!") << text;
        EXPECT_NE(shown(text, tree), "!!") << text;
    }
    EXPECT_EQ(shown("'a'.upper()", tree, normative), "A");
}

/// Each ends with an error well before it has eaten the machine.
TEST(Specification, HostileExpressionsEndWithinTheirBudget) {
    const formats::NodeTree tree;
    std::string doubling = "'aaaaaaaaaaaaaaaa'", combining = "(1 | 2 | 3)";
    for (int i = 0; i < 40; ++i) {
        doubling += ".select($this & $this)";
        combining += ".select($this.combine($this))";
    }
    std::string nested = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10)";
    const std::string ten = nested;
    for (int i = 0; i < 12; ++i) nested += ".where(" + ten + ".where($this > 0)";
    nested += ".exists()" + std::string(12, ')');
    std::string deep = "1";
    for (int i = 0; i < 5000; ++i) deep = "(" + deep + ")";
    const std::string hostile[] = {
        doubling + ".length()",
        combining + ".count()",
        combining + ".distinct().count()",
        nested,
        deep,
        "1.repeat($this + 1)",
        "1.repeatAll($this).count()",
        "('a' | 'b').repeatAll($this | $this)",
        std::string(5000, '-') + "1",
        "'" + std::string(100000, 'a') + "'.replace('', '" + std::string(10000, 'b') + "')",
        "'" + std::string(100000, 'a') + "'.replaceMatches('a', '" + std::string(10000, 'b') + "')",
        "'" + std::string(20000, 'a') + "!'.matches('" + std::string(11000, 'a') + "')",
    };
    for (const std::string& text : hostile) {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(shown(text, tree).substr(0, 1), "!") << text.substr(0, 100);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << text.substr(0, 100);
    }
    // Nested quantifiers are no danger to RE2.
    EXPECT_EQ(shown("'" + std::string(100000, 'a') + "!'.matches('^(a+)+$')", tree), "false");
}

TEST(Specification, Limits) {
    const formats::NodeTree tree;
    Options options;
    options.limits.steps = 50;
    EXPECT_EQ(shown("(1 | 2 | 3).select($this + 1)", tree, options), "2, 3, 4");
    EXPECT_EQ(
        shown("(1 | 2 | 3).select($this + 1).select($this + 1).select($this + 1).select($this + 1)", tree, options),
        "!");
    options = {};
    options.limits.depth = 5;
    EXPECT_EQ(shown("1 + (1 + (1 + 1))", tree, options), "4");
    EXPECT_EQ(shown("1 + (1 + (1 + (1 + (1 + (1 + 1)))))", tree, options), "!");
    options = {};
    options.limits.steps = ~std::uint64_t{0};
    options.limits.time = std::chrono::milliseconds(20);
    std::string slow = "(1 | 2 | 3 | 4)";
    for (int i = 0; i < 30; ++i) slow += ".select($this | $this + 1 | $this + 2 | $this + 3)";
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(shown(slow, tree, options), "!");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace porta::fhirpath
