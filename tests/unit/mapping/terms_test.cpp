// Code maps: which row a code takes, groups of classifications, maps that others publish.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mapping/engine/check.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/stand_ins.h"
#include "mapping/terminology/code_map.h"
#include "mapping/terminology/hierarchy.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

const std::string kMapping =
    "mapping: m\ninput: {format: csv, model: {columns: [id, code, day]}}\nterms: {t: map.yaml}\nemit:\n"
    "  - {record: condition, key: id, version: {order: arrival}, subjects: [{id: id}],\n"
    "     fields: {code: {expr: code, translate: t, at: day}}}\n";

/// `code equivalence` of the one record, or the rule that refused it.
std::string mapped(const std::string& map, const std::string& code, const std::string& day) {
    written("map.yaml", map);
    auto program = Program::load(written("m.yaml", kMapping));
    if (!program) return program.error().message;
    const std::string header = "id,code,day", row = "1," + code + "," + day;
    Input input;
    input.bytes = row;
    input.context = header;
    input.source = "s";
    formats::NodeTree tree;
    Outcome out = (*program)->map((*program)->format(), input, tree);
    if (out.state != State::published) return out.error.rule + ": " + out.error.message;
    const Json record = *describeOperation(out.operations.at(0)).find("record");
    return record.find("code")->text("code") + " " + record.find("code")->text("equivalence");
}

const std::string kMap =
    "terms: t\nhierarchy: icd-10\nrows:\n"
    "  A: {code: one}\n"
    "  B:\n    - {code: old, to: 2019-12-31}\n    - {code: new, from: 2020-01-01}\n"
    "  C:\n    - {code: far, equivalence: inexact}\n    - {code: near}\n"
    "  D: [{code: left}, {code: right}]\n"
    "  V: {code: mind}\n"
    "  F32: {code: depression}\n";

TEST(Terms, TheRowOfTheDay) {
    EXPECT_EQ(mapped(kMap, "A", ""), "one equal");
    EXPECT_EQ(mapped(kMap, "B", "2019-12-31"), "old equal");
    EXPECT_EQ(mapped(kMap, "B", "2020-01-01"), "new equal");
    EXPECT_EQ(mapped(kMap, "B", "2020-06-30T10:00"), "new equal");
    EXPECT_EQ(mapped(kMap, "B", ""), "new equal") << "without a day, what has not ended";
}

TEST(Terms, OfSeveralRowsTheBetterOrNone) {
    EXPECT_EQ(mapped(kMap, "C", ""), "near equal");
    EXPECT_EQ(mapped(kMap, "D", "").rfind("t: a code of 1 bytes has several rows", 0), 0u) << mapped(kMap, "D", "");
}

TEST(Terms, WhatNoRowDecidesIsListed) {
    auto unproved = [](const std::string& map) {
        written("map.yaml", map);
        std::size_t n = 0;
        for (const Finding& f : checkMapping(written("m.yaml", kMapping)).findings) n += f.rule == "many";
        return n;
    };
    EXPECT_EQ(unproved(kMap), 1u);
    EXPECT_EQ(unproved("terms: t\nrows:\n  B: [{code: old, to: 2019-12-31}, {code: new, from: 2020-01-01}]\n"), 0u);
    EXPECT_EQ(unproved("terms: t\nrows:\n  B: [{code: old}, {code: new, equivalence: wider}]\n"), 0u);
}

TEST(Terms, TheNearestGroupStandsIn) {
    EXPECT_EQ(mapped(kMap, "F32", ""), "depression equal");
    EXPECT_EQ(mapped(kMap, "F32.1", ""), "depression wider");
    EXPECT_EQ(mapped(kMap, "F41.0", ""), "mind wider");
    EXPECT_EQ(mapped(kMap, "Z99", "").rfind("t: a code of 3 bytes has no row", 0), 0u);
}

TEST(Terms, TitlesOfNaceDownToItsClasses) {
    const Hierarchy& nace = *Hierarchy::named("nace-2.1");
    EXPECT_EQ(nace.titles().size(), 22u + 87 + 287 + 651);
    EXPECT_EQ(nace.title("62.10"), "Computer programming activities");
    EXPECT_EQ(nace.title("16.23"), "Manufacture of other builders' carpentry and joinery");
    EXPECT_EQ(nace.title("62.99"), "");
    for (const Hierarchy::Title& t : nace.titles()) {
        std::string top(t.code);
        while (!nace.parent(top).empty()) {
            top = nace.parent(top);
            EXPECT_NE(nace.title(top), "") << t.code;
        }
        EXPECT_EQ(top.size(), 1u) << t.code;
    }
}

TEST(Terms, WhatMayStandBelowAGroup) {
    auto possible = [](const char* name, const char* code) { return Hierarchy::named(name)->possible(code); };
    EXPECT_TRUE(possible("nace-2.1", "62.10"));
    EXPECT_FALSE(possible("nace-2.1", "62.99")) << "its table is complete";
    EXPECT_TRUE(possible("nace-2", "62.01"));
    EXPECT_FALSE(possible("nace-2", "04.1")) << "in no section";
    EXPECT_TRUE(possible("isco-08", "2221"));
    EXPECT_FALSE(possible("isco-08", "22garbage"));
    EXPECT_FALSE(possible("isco-08", "22x"));
    EXPECT_FALSE(possible("isco-08", "99")) << "all groups of two digits are listed";
    EXPECT_FALSE(possible("isco-08", "9911"));
    EXPECT_TRUE(possible("icd-10", "F32.1"));
    EXPECT_FALSE(possible("icd-10", "?"));
}

/// `table code taken` of the one record.
std::string stoodIn(const std::string& map, const std::string& code, const std::string& more = {},
                    const std::string& of_emit = {}) {
    written("map.yaml", map);
    std::string text = kMapping;
    text.replace(text.find(", at: day"), 9, more);
    text.insert(text.find(", subjects"), of_emit);
    auto program = Program::load(written("m.yaml", text));
    if (!program) return program.error().message;
    const std::string row = "1," + code + ",";
    Input input;
    input.bytes = row;
    input.context = "id,code,day";
    input.source = "s";
    formats::NodeTree tree;
    std::string out;
    for (const StandIn& s : standIns({*program}, (*program)->format(), input, tree))
        out += s.table + " " + s.code + " " + std::string(s.taken);
    return out;
}

TEST(Terms, WhatStoodInForARow) {
    EXPECT_EQ(stoodIn(kMap, "A"), "") << "a row of its own";
    EXPECT_EQ(stoodIn(kMap, "F32.1"), "t F32.1 group");
    EXPECT_EQ(stoodIn(kMap, "Z99"), "") << "it waits in quarantine";
    EXPECT_EQ(stoodIn(kMap, "Z99", ", unmapped: keep"), "t Z99 kept");
    EXPECT_EQ(stoodIn(kMap, "Z99", "", ", partial: allow"), "t Z99 left out");
    const std::string other = kMap + "otherwise: {code: some}\n";
    EXPECT_EQ(stoodIn(other, "Z99"), "t Z99 otherwise");
    EXPECT_EQ(stoodIn(other, "F41"), "t F41 group");
    EXPECT_EQ(stoodIn(other, "A"), "");
}

TEST(Terms, AMistakeInAFileIsToldWithItsPlace) {
    written("map.yaml", "terms: t\nrows:\n  A: {code: one, equivalnce: wider}\n");
    const CheckReport report = checkMapping(written("m.yaml", kMapping));
    ASSERT_EQ(report.findings.size(), 1u);
    EXPECT_NE(report.findings[0].file.find("map.yaml"), std::string::npos);
    EXPECT_EQ(report.findings[0].line, 3);
    EXPECT_EQ(report.findings[0].nearest, "equivalence");
}

TEST(Hierarchies, KnowWhatStandsAbove) {
    EXPECT_EQ(Hierarchy::named("isco-08")->parent("2221"), "222");
    EXPECT_EQ(Hierarchy::named("isco-08")->parent("2"), "");
    EXPECT_EQ(Hierarchy::named("nace-2")->parent("62.01"), "62.0");
    EXPECT_EQ(Hierarchy::named("nace-2")->parent("62.0"), "62");
    EXPECT_EQ(Hierarchy::named("nace-2")->parent("62"), "J");
    EXPECT_EQ(Hierarchy::named("nace-2.1")->parent("62"), "K");
    EXPECT_EQ(Hierarchy::named("icd-10")->parent("S72"), "XIX");
    EXPECT_EQ(Hierarchy::named("icd-10")->parent("XIX"), "");
    EXPECT_EQ(Hierarchy::named("icd-10")->parent("no code"), "");
    EXPECT_EQ(Hierarchy::named("isco"), nullptr);
}

TEST(CodeMaps, FromConceptMaps) {
    auto map =
        importCodeMap(Origin::conceptmap,
                      R"({"resourceType": "ConceptMap", "url": "urn:x", "group": [{"source": "urn:a", "target": "urn:b",
        "element": [{"code": "1", "target": [{"code": "x", "equivalence": "equivalent"}, {"code": "y", "relationship": "source-is-narrower-than-target"}]},
                    {"code": "2", "target": [{"equivalence": "unmatched"}]}], "unmapped": {"mode": "fixed", "code": "z"}}]})",
                      "m");
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->text(),
              "terms: \"m\"\nabout: \"urn:x\"\nsource_system: \"urn:a\"\nsystem: \"urn:b\"\nrows:\n  \"1\":\n    - "
              "{code: \"x\"}\n"
              "    - {code: \"y\", equivalence: wider}\notherwise: {code: \"z\", equivalence: inexact}\n");
    EXPECT_EQ(map->left_out.size(), 1u);
    EXPECT_FALSE(importCodeMap(Origin::conceptmap, "{}", "m"));
}

TEST(CodeMaps, FromSheetsOfTheGuide) {
    auto map = importCodeMap(
        Origin::v2_to_fhir,
        "HL7 v2,,,Condition (IF True),,,HL7 FHIR,,,,\nCode,Text,Code System,Computable ANTLR,Computable "
        "FHIRPath,Narrative,Code,,Display,Code System,\n"
        "F,Female,HL70001,,,,female,,Female,urn:gender,\nX,Under a condition,HL70001,IF x,,,other,,Other,urn:gender,\n",
        "sex");
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->source_system, "HL70001");
    EXPECT_EQ(map->system, "urn:gender");
    EXPECT_EQ(map->targets(), 1u);
    EXPECT_EQ(map->left_out.size(), 1u);
}

TEST(CodeMaps, FromCsvWithTheNearestColumn) {
    auto wrong = importCodeMap(Origin::csv, "source;coda\n1;2\n", "m");
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("did you mean `code`"), std::string::npos);
}

}  // namespace
}  // namespace porta::mapping
