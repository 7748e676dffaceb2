// Documents in values: what they hold, the bytes it stands in, and what is broken. The property is that of every span: another
// byte inside makes another value or no document, one outside leaves the value as it is.
#include "formats/within.h"

#include <gtest/gtest.h>

#include "tests/unit/formats/trees.h"

namespace porta::formats {
namespace {

std::string base64(std::string_view bytes) {
    static const char* const kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += i + k < bytes.size() + 1 ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

struct Case {
    const char* name;
    Kind outer;
    std::string raw;
    std::initializer_list<const char*> path;
    Within::Decode decode = Within::Decode::none;
    Kind inner = Kind::xml;
};

const std::string kReport = "<report id=\"R-7\"><patient>PROVETTA</patient><sex>F</sex><n>1</n><n>2</n></report>";
const std::string kRow = R"({"report":{"id":"R-7","patient":"PROVETTA","sex":"F","n":[1,2]}})";

std::string escapedJson(const std::string& text) {
    std::string out;
    for (char c : text) out += c == '"' ? "\\\"" : std::string(1, c);
    return out;
}
std::string doubled(const std::string& text) {
    std::string out;
    for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out;
}
std::string withReferences(const std::string& text) {
    std::string out;
    for (char c : text) out += c == '<' ? "&lt;" : c == '"' ? "&#x22;" : std::string(1, c);
    return out;
}
std::string hl7(const std::string& value) {
    return "MSH|^~\\&|LAB|H|||20240502101500||ORU^R01|1|P|2.5.1\rOBX|1|ED|11502-2||LAB^Application^XML^Base64^" +
           value + "||||||F\r";
}
std::string inLines(std::string text) {
    for (std::size_t at = 20; at < text.size(); at += 21) text.insert(at, "\n");
    return text;
}

const Case kCases[] = {
    {"base64 in HL7 v2", Kind::hl7v2, hl7(base64(kReport)), {"OBX", "f5", "c5"}, Within::Decode::base64},
    {"the same, one byte further",
     Kind::hl7v2,
     hl7(base64(" " + kReport)),
     {"OBX", "f5", "c5"},
     Within::Decode::base64},
    {"XML in CDATA", Kind::xml, "<a><b>\n<![CDATA[" + kReport + "]]></b></a>", {"a", "b"}},
    {"XML by references", Kind::xml, "<a><b>" + withReferences(kReport) + "</b></a>", {"a", "b"}},
    {"base64 in lines in XML",
     Kind::xml,
     "<a><b x='1'>\r\n" + inLines(base64(kReport)) + "</b></a>",
     {"a", "b"},
     Within::Decode::base64},
    {"JSON in JSON",
     Kind::json,
     R"({"a":{"b":")" + escapedJson(kRow) + "\"}}",
     {"a", "b"},
     Within::Decode::none,
     Kind::json},
    {"XML in JSON", Kind::json, R"({"a":"\u000a)" + escapedJson(kReport) + "\"}", {"a"}},
    {"JSON in CSV", Kind::csv, "1,\"" + doubled(kRow) + "\"", {"b"}, Within::Decode::none, Kind::json},
};

bool open(const Case& c, const std::string& raw, NodeTree& tree, NodeId& at) {
    if (!parse(settings(c.outer), raw, c.outer == Kind::csv ? "a,b" : "", tree)) return false;
    at = tree.root();
    for (const char* step : c.path)
        if (at = tree.child(at, step); at == kNoNode) return false;
    return openWithin({c.decode, settings(c.inner)}, c.outer, raw, at, tree).has_value();
}

TEST(Within, HoldsTheDocumentAndEachValuesBytes) {
    for (const Case& c : kCases) {
        SCOPED_TRACE(c.name);
        NodeTree tree;
        NodeId at = 0;
        ASSERT_TRUE(open(c, c.raw, tree, at));
        const NodeId report = tree.child(at, "report");
        ASSERT_NE(report, kNoNode);
        EXPECT_EQ(tree[tree.child(report, "patient")].text, "PROVETTA");
        EXPECT_EQ(tree[tree.child(report, "id")].text, "R-7");
        std::size_t changes = 0;
        for (NodeId leaf = report + 1; leaf < tree.size(); ++leaf) {
            if (tree[leaf].first_child != kNoNode) continue;
            const std::string text(tree[leaf].text);
            const Span span = tree[leaf].span;
            ASSERT_LE(span.offset + span.length, c.raw.size());
            if (c.decode == Within::Decode::none) {
                EXPECT_EQ(c.raw.substr(span.offset, span.length), text);
            }
            for (std::size_t i = 0; i < c.raw.size(); ++i)
                for (char other : {'2', 'Q'}) {
                    if (c.raw[i] == other || !std::isalnum(static_cast<unsigned char>(c.raw[i]))) continue;
                    std::string raw = c.raw;
                    raw[i] = other;
                    NodeTree changed;
                    NodeId where = 0;
                    if (!open(c, raw, changed, where) || changed.size() != tree.size()) continue;
                    const bool inside = i >= span.offset && i < span.offset + span.length;
                    if (!inside) {
                        EXPECT_EQ(changed[leaf].text, text) << i << " " << tree[leaf].name;
                    }
                    changes += inside && changed[leaf].text != text;
                }
        }
        EXPECT_GT(changes, 5u);
    }
}

TEST(Within, BrokenDocumentsAreRefusedAtTheirPlace) {
    const struct {
        const char* name;
        std::string value;
        const char* rule;
        std::size_t place;  ///< in the value
    } cases[] = {
        {"another character", "PGE+*eDwvYT4=", "within.base64", 4},
        {"behind the padding", "PGE+eDwvYT4=PGE+", "within.base64", 12},
        {"cut off", "PGE+eDwvYT4", "within.base64", 10},
        {"padding alone", "====", "within.base64", 0},
        {"no document", base64("<a><b></a>"), "xml.syntax", 8},
        {"a document type", base64("<!DOCTYPE a><a/>"), "xml.doctype", 0},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string raw = hl7(c.value);
        NodeTree tree;
        ASSERT_TRUE(parse(settings(Kind::hl7v2), raw, {}, tree));
        const NodeId at = tree.child(tree.child(tree.child(tree.root(), "OBX"), "f5"), "c5");
        auto opened = openWithin({Within::Decode::base64, settings(Kind::xml)}, Kind::hl7v2, raw, at, tree);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Errc::malformed);
        EXPECT_EQ(opened.error().rule, c.rule);
        EXPECT_GE(opened.error().offset, tree[at].span.offset + c.place);
        EXPECT_LE(opened.error().offset + opened.error().length, tree[at].span.offset + tree[at].span.length);
    }
}

TEST(Within, WhatCannotBeFollowedHasTheWholeValue) {
    Settings latin = settings(Kind::csv);
    latin.encoding = "iso-8859-1";
    const std::string raw = "1,<a>\xE8</a>";
    NodeTree tree;
    ASSERT_TRUE(parse(latin, raw, "a,b", tree));
    const NodeId at = tree.child(tree.root(), "b");
    const Span whole = tree[at].span;
    ASSERT_TRUE(openWithin({Within::Decode::none, settings(Kind::xml)}, Kind::csv, raw, at, tree));
    EXPECT_EQ(tree[tree.child(at, "a")].text, "\u00e8");
    EXPECT_EQ(tree[tree.child(at, "a")].span, whole);
    EXPECT_FALSE(openWithin({Within::Decode::none, settings(Kind::xml)}, Kind::csv, raw, at, tree)) << "it is open";
}

}  // namespace
}  // namespace porta::formats
