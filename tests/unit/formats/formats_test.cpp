#include <gtest/gtest.h>

#include "formats/format.h"
#include "tests/unit/formats/trees.h"

namespace porta::formats {
namespace {

TEST(Csv, QuotesHeaderAndBrokenRows) {
    Settings s = settings(Kind::csv);
    s.delimiter = ';';
    std::string object = "a; b ;c\r\n1;\"x \"\"y\"\"; z\";\r\n;;\r\n1;2\r\n\"open;2;3\r\n4;5;6\r\n";
    auto units = split(s, object);
    ASSERT_TRUE(units);
    ASSERT_EQ(units->units.size(), 5u) << "an unclosed quote must not swallow the rows below it";
    NodeTree t;
    auto raw = [&](int i) {
        return std::string_view(object).substr(units->units[static_cast<std::size_t>(i)].offset,
                                               units->units[static_cast<std::size_t>(i)].length);
    };
    ASSERT_TRUE(parse(s, raw(0), units->context, t));
    EXPECT_EQ(path(t, {"b"}), "x \"y\"; z");
    EXPECT_EQ(path(t, {"c"}), "<none>");
    EXPECT_TRUE(parse(s, raw(1), units->context, t));
    EXPECT_EQ(parse(s, raw(2), units->context, t).error().rule, "csv.columns");
    EXPECT_EQ(parse(s, raw(3), units->context, t).error().rule, "csv.quote");
    EXPECT_TRUE(parse(s, raw(4), units->context, t));
}

TEST(Csv, WindowsCharsetAndItsHoles) {
    Settings s = settings(Kind::csv);
    s.encoding = "windows-1252";
    NodeTree t;
    ASSERT_TRUE(parse(s, "Nicol\xF2,1", "a,b", t));
    EXPECT_EQ(path(t, {"a"}), "Nicolò");
    auto r = parse(s, "Ro\x81u,1", "a,b", t);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().rule, "csv.charset");
}

// From its second row on a header is known; a column without a name takes one that another may have.
TEST(Csv, SaysThatColumnsAreDistinctWhereTheyAre) {
    NodeTree t;
    for (int row = 0; row < 3; ++row) {
        ASSERT_TRUE(parse(settings(Kind::csv), "1,2,3", "column3,b,", t));
        EXPECT_FALSE(t.gathered(t.root()));
    }
    for (int row = 0; row < 3; ++row) {
        ASSERT_TRUE(parse(settings(Kind::csv), "1,2,3", "a,b,c", t));
        EXPECT_EQ(t.gathered(t.root()), row > 0);
    }
    ASSERT_TRUE(parse(settings(Kind::json), "{\"a\":1}", {}, t));
    EXPECT_FALSE(t.gathered(t.root()));
}

TEST(Csv, ARowOfTabsIsARow) {
    Settings s = settings(Kind::csv);
    s.delimiter = '\t';
    EXPECT_EQ(split(s, "a\tb\n\t\n\n1\t2\n")->units.size(), 2u);
}

TEST(Json, SpansListsAndDuplicates) {
    NodeTree t;
    std::string raw = "{\"n\":[{\"g\":[\"A\\u00e9\",\"B\"]},{\"g\":1.50}],\"x\":null,\"x\":true}";
    ASSERT_TRUE(parse(settings(Kind::json), raw, {}, t));
    NodeId n = t.child(t.root(), "n");
    NodeId g = t.child(n, "g");
    EXPECT_EQ(t[g].text, "Aé");
    EXPECT_EQ(raw.substr(t[g].span.offset, t[g].span.length), "A\\u00e9");
    EXPECT_EQ(t[t.child(t[n].next_sibling, "g")].text, "1.50") << "the source's own digits";
    EXPECT_EQ(raw.substr(t[n].span.offset, t[n].span.length), "{\"g\":[\"A\\u00e9\",\"B\"]}");
    EXPECT_FALSE(parse(settings(Kind::json), std::string(250000, '['), {}, t));
}

// Strings are read eight bytes at a time where nothing in them is special.
TEST(Json, StringsEndWhereverTheirQuoteStands) {
    NodeTree t;
    for (std::size_t before = 0; before < 20; ++before)
        for (const std::string& after : {std::string(), std::string("b"), std::string(17, 'b')}) {
            const std::string a(before, 'a');
            auto said = [&](const std::string& middle) {
                const std::string raw = "{\"x\":\"" + a + middle + after + "\"}";
                auto read = parse(settings(Kind::json), raw, {}, t);
                return read ? path(t, {"x"}) : "!" + std::to_string(read.error().offset - 6 - before);
            };
            EXPECT_EQ(said(""), a + after);
            EXPECT_EQ(said("\\\""), a + "\"" + after);
            EXPECT_EQ(said("\xC3\xA9 "), a + "\xC3\xA9 " + after);
            EXPECT_EQ(said("\x1f"), "!0") << "a control character";
            EXPECT_EQ(said("\xFF"), "!0") << "no UTF-8";
        }
    EXPECT_FALSE(parse(settings(Kind::json), "\"aaaaaaaaaaaaaaaa", {}, t));
}

TEST(Gzip, MembersAndLimits) {
    // `printf hi | gzip -n`, twice in one file.
    static const char member[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\xc8\x04\x00\xac\x2a\x93\xd8\x02\x00\x00\x00";
    std::string one(member, sizeof member - 1);
    ASSERT_TRUE(looksGzipped(one));
    auto two = gunzip(one + one, 100);
    ASSERT_TRUE(two);
    EXPECT_EQ(*two, "hihi");
    EXPECT_EQ(gunzip(one + one, 3).error().code, Errc::exhausted);
    EXPECT_EQ(gunzip(one.substr(0, 12), 100).error().code, Errc::malformed);
}

}  // namespace
}  // namespace porta::formats
