// Documents that are values of a record: the example that is shipped, what is proved of their paths, and what is refused.
#include <gtest/gtest.h>

#include "mapping/engine/check.h"
#include "mapping/engine/explain.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/mutate.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

const std::string kExample = PORTA_ROOT "/config/examples/mappings/lab-reports.yaml";

TEST(Documents, TheExampleHoldsAndWouldNoticeABrokenRule) {
    const CheckReport check = checkMapping(kExample);
    ASSERT_TRUE(check.ok());
    ASSERT_EQ(check.findings.size(), 1u) << "OBX-5 varies (HL7 v2.5.1, 7.4.2), the report does not";
    EXPECT_EQ(check.findings[0].line, 6);
    EXPECT_EQ(check.findings[0].kind, Finding::Kind::unproved);
    auto report = testMapping(kExample);
    ASSERT_TRUE(report) << report.error().message;
    for (const auto& c : report->cases) EXPECT_EQ(c.difference, "") << c.name;
    for (const auto& rule : report->unused)
        ADD_FAILURE() << rule.line << " " << rule.name << " is reached by no golden";
    auto mutants = testMutants(kExample);
    ASSERT_TRUE(mutants) << mutants.error().message;
    EXPECT_GE(mutants->share(), 950u);
}

std::string mapping(const std::string& let, const std::string& fields, const std::string& input = "{format: json}") {
    return "mapping: m\ninput: " + input + "\nlet:\n" + let + "emit:\n  - {record: person, key: id, fields: " + fields +
           "}\n";
}

Outcome mapped(const std::string& file, const std::string& bytes, formats::NodeTree& tree) {
    auto program = Program::load(file);
    if (!program) throw std::runtime_error(program.error().message);
    Input input;
    input.bytes = bytes;
    input.source = "s";
    input.object_time = "2024-05-01";
    return (*program)->map((*program)->format(), input, tree);
}

TEST(Documents, OneInsideAnotherIsFollowedToItsBytes) {
    const std::string file = written("nested.yaml", mapping("  outer: {expr: payload, document: json}\n"
                                                            "  inner: {expr: '%outer.report', document: xml}\n",
                                                            "{birth_date: '%inner.p.born', sex: '%inner.p.sex'}"));
    const std::string raw =
        R"({"id":"1","payload":"{\"n\":1,\"report\":\"<p><born>1981-03-07<\/born><sex>female<\/sex><\/p>\"}"})";
    formats::NodeTree tree;
    const Outcome outcome = mapped(file, raw, tree);
    ASSERT_EQ(outcome.state, State::published) << outcome.error.rule << " " << outcome.error.message;
    const auto& leaves = outcome.operations[0].leaves;
    ASSERT_EQ(leaves.size(), 2u);
    for (const schemas::Leaf& leaf : leaves) {
        EXPECT_EQ(leaf.how, schemas::How::copied);
        ASSERT_EQ(leaf.sources.size(), 1u);
        EXPECT_EQ(raw.substr(leaf.sources[0].offset, leaf.sources[0].length), leaf.value);
    }
}

TEST(Documents, InAMessageNamesMayStandApart) {
    // HL7 v2 itself has parts of one name side by side; what stands in a value need not.
    const std::string file =
        written("apart.yaml",
                "mapping: m\ninput: {format: hl7v2}\nlet:\n  doc: {expr: OBX.f5, document: xml}\n"
                "emit:\n  - {record: person, key: PID.f3, fields: {citizenships: ['%doc.p.c']}}\n");
    formats::NodeTree tree;
    const Outcome outcome = mapped(
        file, "MSH|^~\\&|A|B|C|D|20240501||ORU^R01|1|P|2.5.1\rPID|1||7\rOBX|1|ED|||<p><c>IT</c><d/><c>ES</c></p>\r",
        tree);
    ASSERT_EQ(outcome.state, State::published) << outcome.error.rule << " " << outcome.error.message;
    ASSERT_EQ(outcome.operations[0].leaves.size(), 2u);
    EXPECT_EQ(outcome.operations[0].leaves[1].value, "ES");
}

TEST(Documents, ABrokenOneQuarantinesItsRecordAtItsPlace) {
    const std::string file =
        written("broken.yaml", mapping("  doc: {expr: payload, document: json}\n", "{birth_date: '%doc.born'}"));
    const std::string raw = R"({"id":"1","payload":"{\"born\": 1981-03-07}"})";
    formats::NodeTree tree;
    const Outcome broken = mapped(file, raw, tree);
    EXPECT_EQ(broken.state, State::quarantined);
    EXPECT_EQ(broken.error.rule, "json.syntax");
    EXPECT_EQ(broken.error.path, "let.doc");
    EXPECT_EQ(raw.substr(broken.error.offset - 4, 5), "1981-");
    EXPECT_EQ(broken.error.message.find("1981"), std::string::npos);
    for (const char* none : {R"({"id":"1"})", R"({"id":"1","payload":null})"})
        EXPECT_EQ(mapped(file, none, tree).state, State::published) << "no document, nothing to open";
    EXPECT_EQ(mapped(file, R"({"id":"1","payload":""})", tree).error.rule, "within.text");
    EXPECT_EQ(mapped(file, R"({"id":"1","payload":{"born":"1981"}})", tree).error.rule, "within.text");
}

TEST(Documents, AreExplainedByTheirPaths) {
    auto program = Program::load(kExample);
    ASSERT_TRUE(program);
    auto cases = Explainer(**program);
    const std::string raw =
        "MSH|^~\\&|LAB|L|||20240510090000||ORU^R01|1|P|2.5.1\rPID|1||100300^^^HOSPITAL^MR||PROVETTA^ANNA||19810307|F\r"
        "OBX|1|ED|1||LAB^Application^XML^Base64^"
        "PHJlcG9ydD48ZmluZGluZyBpZD0iRi0xIj48Y29kZT5FMTE8L2NvZGU+PC9maW5kaW5nPjwvcmVwb3J0Pg==||||||F\r";
    Input input;
    input.bytes = raw;
    input.source = "lab";
    input.object_time = "2024-05-10";
    const Explanation e = cases.explain((*program)->format(), input);
    ASSERT_EQ(e.outcome.state, State::published) << e.outcome.error.message;
    bool found = false;
    for (const ExplainedField& f : e.fields)
        for (const FieldSource& s : f.sources)
            if (s.path == "OBX.f5.c5.report.finding.code") {
                found = true;
                EXPECT_EQ(s.decoded, "E11");
                // Bytes 32 to 35 of the document: four characters for three bytes.
                EXPECT_EQ(s.span.offset, raw.find("PHJl") + 42);
                EXPECT_EQ(s.span.length, 5u);
            }
    EXPECT_TRUE(found);
}

struct Wrong {
    const char* name;
    std::string let;
    const char* message;
};
class DocumentsRefused : public testing::TestWithParam<Wrong> {};
TEST_P(DocumentsRefused, AtTheirPlace) {
    const std::string file =
        written(std::string("documents_") + GetParam().name + ".yaml",
                mapping(GetParam().let, "{birth_date: '%doc.born'}", "{format: json, model: documents.json}"));
    written("documents.json", R"({"properties": {"id": {"type": "string"}, "payload": {"type": "string"}}})");
    written("inner.json", R"({"properties": {"born": {"type": "string", "format": "date"}}})");
    auto program = Program::load(file);
    ASSERT_FALSE(program);
    EXPECT_NE(program.error().message.find(GetParam().message), std::string::npos) << program.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Mapping, DocumentsRefused,
    testing::Values(
        Wrong{"format", "  doc: {expr: payload, document: jsn}\n",
              ":4:34: error: choice: unknown document `jsn` (nearest: json)"},
        Wrong{"decode", "  doc: {expr: payload, document: json, decode: base46}\n",
              "unknown decode `base46` (nearest: base64)"},
        Wrong{"key", "  doc: {expr: payload, documents: json}\n", "unknown key `documents` (nearest: document)"},
        Wrong{"none", "  doc: {expr: payload}\n", "`document` is missing"},
        Wrong{"computed", "  doc: {expr: payload.upper(), document: json}\n", "this one is computed"},
        Wrong{"outer", "  doc: {expr: payloda, document: json}\n", "the model of the input has no `payloda`"},
        Wrong{"inner", "  doc: {expr: payload, document: json, model: inner.json}\n  b: '%doc.borm'\n",
              ":5:12: error: path: the model of the input has no `borm`"},
        Wrong{"many",
              [] {
                  std::string all;
                  for (char c = 'a'; c < 'j'; ++c) all += std::string("  ") + c + ": {expr: payload, document: json}\n";
                  return all;
              }(),
              "more than 8 documents"}),
    [](const testing::TestParamInfo<Wrong>& info) { return std::string(info.param.name); });

TEST(Documents, WithoutAModelTheirPathsAreUnproved) {
    const std::string file =
        written("unproved.yaml", mapping("  doc: {expr: payload, document: json}\n", "{birth_date: '%doc.born'}",
                                         "{format: json, model: {columns: [id, payload]}}"));
    const CheckReport report = checkMapping(file);
    ASSERT_TRUE(report.ok());
    ASSERT_EQ(report.findings.size(), 1u);
    EXPECT_NE(report.findings[0].message().find("unproved: path: the input is open at"), std::string::npos);
}

}  // namespace
}  // namespace porta::mapping
