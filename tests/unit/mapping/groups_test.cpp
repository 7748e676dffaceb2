// Mappings that read HL7 v2 by groups: what is proved of their paths, what they say of where values come from, and what becomes
// of a message that has no groups.
#include <gtest/gtest.h>

#include "mapping/engine/check.h"
#include "mapping/engine/explain.h"
#include "mapping/engine/lineage.h"
#include "mapping/engine/reuse.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

/// The findings of a mapping with these emits, each `rule:nearest`.
std::string found(const std::string& messages, const std::string& emit) {
    const std::string file =
        written("groups_check.yaml", "mapping: m\ninput: {format: hl7v2, groups: true, model: " + messages +
                                         "}\nemit:\n  - record: person\n" + emit);
    std::string all;
    for (const Finding& f : checkMapping(file).findings)
        all += (all.empty() ? "" : " ") + (f.kind == Finding::Kind::error ? f.rule + ":" + f.nearest : "unproved");
    return all;
}

const std::string kResults = "{hl7v2: [2.5.1], messages: [ORU_R01]}";

std::string born(const std::string& path) { return "    key: MSH.f10\n    fields: {birth_date: \"" + path + "\"}\n"; }

TEST(Groups, PathsAreHeldAgainstTheStructure) {
    const std::string patient = "PATIENT_RESULT.first().PATIENT.PID.f7";
    EXPECT_EQ(found(kResults, born(patient)), "");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT.first().PATIENTS.PID.f7")), "path:PATIENT");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULTS.first().PATIENT.PID.f7")), "path:PATIENT_RESULT");
    EXPECT_EQ(found(kResults, born("PID.f7")).substr(0, 5), "path:") << "it stands below a group";
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT.PATIENT.PID.f7")), "many:PATIENT_RESULT.PATIENT.PID.f7.first()");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT[0].ORDER_OBSERVATION.OBR.f7")),
              "many:PATIENT_RESULT.ORDER_OBSERVATION.OBR.f7.first()");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT[0].ORDER_OBSERVATION[1].OBSERVATION[0].OBX.f14")), "");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT[0].ORDER_OBSERVATION[1].OBSERVATION[0].OBX.f140")).substr(0, 5),
              "path:");
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT[0].PATIENT")), "type:") << "a group is no value";
    EXPECT_EQ(found(kResults, born("PATIENT_RESULT[0].PATIENT.ZPI.f1")), "unproved unproved");
    EXPECT_EQ(found(kResults, born("group('PATIENT_RESULT').first().group('PATIENT').PID.f7")), "");
    EXPECT_EQ(found(kResults, born("group('PATIENT_RESULT').first().group('PATENT').PID.f7")), "path:PATIENT");
    EXPECT_EQ(found("{hl7v2: [2.3.1, 2.8], messages: [ORU_R01, ADT_A01]}", born("PID.f7")), "") << "one of them has it";
    EXPECT_EQ(found("hl7v2-2.5.1", born(patient)).substr(0, 5), "model");
}

TEST(Groups, InsideOfEach) {
    auto each = [](const std::string& path) {
        return found(kResults,
                     "    each: PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION\n    key: OBX.f3.c1\n"
                     "    fields: {birth_date: \"" +
                         path + "\"}\n");
    };
    EXPECT_EQ(each("OBX.f14"), "");
    EXPECT_EQ(each("OBX.preceding('OBR').f7"), "") << "wherever in the message";
    EXPECT_EQ(each("preceding('PID').f7"), "");
    EXPECT_EQ(each("preceding('PIDD').f7"), "path:PID");
    EXPECT_EQ(each("OBSERVATION.OBX.f14").substr(0, 5), "path:") << "a group is not a type";
}

TEST(Groups, BelongToHl7v2) {
    const std::string file =
        written("groups_csv.yaml",
                "mapping: m\ninput: {format: csv, groups: true}\nemit:\n  - {record: person, key: a, fields: {}}\n");
    EXPECT_FALSE(checkMapping(file).ok());
}

const std::string kOrders =
    "mapping: orders\n"
    "input: {format: hl7v2, groups: true, model: {hl7v2: [2.5.1], messages: [ORU_R01]}, when: MSH.f9.c1 = 'ORU'}\n"
    "emit:\n"
    "  - record: involvement\n"
    "    each: PATIENT_RESULT.ORDER_OBSERVATION\n"
    "    key: OBR.f3.c1\n"
    "    subjects: [{id: \"preceding('PID').f3.first().c1\"}]\n"
    "    fields:\n"
    "      role: OBR.f4.c2\n"
    "      contact: {expr: OBSERVATION.OBX.f5.first(), onMany: first}\n";

const std::string kMessage =
    "MSH|^~\\&|LAB|A|||20240501||ORU^R01^ORU_R01|7|P|2.5.1\r"
    "PID|1||4711||TESTA^ADA\r"
    "OBR|1||A1|718-7^Haemoglobin\rOBX|1|NM|718-7||13.1\rNTE|1||fasting\r"
    "OBR|2||A2|789-8^Erythrocytes\rOBX|1|NM|789-8||4.4\rOBX|2|NM|785-6||29\r";

struct Mapped {
    std::shared_ptr<const Program> program;
    Outcome outcome;
};
Mapped mapped(const std::string& mapping, const std::string& bytes) {
    auto program = Program::load(written("groups_orders.yaml", mapping));
    if (!program) throw std::runtime_error(program.error().message);
    Input input;
    input.bytes = bytes;
    input.source = "lab";
    input.object_time = "2024-05-01";
    formats::NodeTree tree;
    formats::Settings source;  // what a source says: groups are the mapping's
    source.kind = formats::Kind::hl7v2;
    Mapped m{*program, {}};
    m.outcome = m.program->map(source, input, tree);
    return m;
}

std::string values(const schemas::Operation& op) {
    std::string all;
    for (const schemas::Leaf& leaf : op.leaves) all += " " + leaf.path + "=" + leaf.value;
    return all;
}

TEST(Groups, EachOrderHasItsResults) {
    const Mapped m = mapped(kOrders, kMessage);
    ASSERT_EQ(m.outcome.state, State::published) << m.outcome.error.rule << " " << m.outcome.error.message;
    ASSERT_EQ(m.outcome.operations.size(), 2u);
    EXPECT_NE(values(m.outcome.operations[0]).find("Haemoglobin"), std::string::npos);
    EXPECT_NE(values(m.outcome.operations[0]).find("13.1"), std::string::npos);
    EXPECT_NE(values(m.outcome.operations[1]).find("4.4"), std::string::npos);
    for (const schemas::Operation& op : m.outcome.operations)
        for (const schemas::Leaf& leaf : op.leaves)
            for (const schemas::Source& s : leaf.sources)
                EXPECT_EQ(kMessage.substr(s.offset, s.length), leaf.value) << leaf.path;
}

TEST(Groups, ExplainUnreadAndLineage) {
    const Mapped m = mapped(kOrders, kMessage);
    Explainer explainer(*m.program);
    Input input;
    input.bytes = kMessage;
    input.source = "lab";
    input.object_time = "2024-05-01";
    const Explanation e = explainer.explain(m.program->format(), input);
    std::string sources, unread;
    for (const ExplainedField& f : e.fields)
        for (const FieldSource& s : f.sources) sources += s.path + " ";
    for (const Unread& u : e.unread) unread += u.path + " ";
    EXPECT_NE(sources.find("PATIENT_RESULT.ORDER_OBSERVATION[1].OBR.f4.c2"), std::string::npos) << sources;
    EXPECT_NE(sources.find("PATIENT_RESULT.ORDER_OBSERVATION[1].OBSERVATION[0].OBX.f5"), std::string::npos) << sources;
    EXPECT_EQ(unread.find("PATIENT_RESULT.PATIENT.PID.f3"), std::string::npos) << "preceding() has read it: " << unread;
    EXPECT_NE(unread.find("PATIENT_RESULT.PATIENT.PID.f5.c1"), std::string::npos) << unread;
    EXPECT_NE(unread.find("PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION.NTE.f3"), std::string::npos) << unread;
    EXPECT_EQ(unread.find("MSH.f12"), std::string::npos) << "the reader has read it: " << unread;
    std::string lineage;
    for (const FieldLineage& f : lineageOf(*m.program))
        for (const SourcePath& s : f.sources) lineage += s.path + "\n";
    EXPECT_NE(lineage.find("PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION.OBX.f5"), std::string::npos) << lineage;
    EXPECT_NE(lineage.find("segment.where(code = 'PID').f3.c1"), std::string::npos) << lineage;
}

TEST(Groups, AMessageWithoutAStructureIsQuarantined) {
    std::string unknown = kMessage;
    unknown.replace(unknown.find("2.5.1"), 5, "");
    const Mapped m = mapped(kOrders, unknown);
    EXPECT_EQ(m.outcome.state, State::quarantined);
    EXPECT_EQ(m.outcome.error.rule, "hl7v2.structure");
    EXPECT_EQ(unknown.substr(m.outcome.error.offset, m.outcome.error.length), "ORU^R01^ORU_R01");
    std::string other = kMessage;
    other.replace(other.find("ORU^R01^ORU_R01"), 15, "ZZZ^Z01");
    EXPECT_EQ(mapped(kOrders, other).outcome.rule, "no-mapping:ZZZ^Z01") << "it is not this mapping's";
}

TEST(Groups, MappingsOfOneSourceReadInTheirOwnWay) {
    const std::string flat =
        "mapping: flat\ninput: {format: hl7v2, when: PID.exists()}\n"
        "emit:\n  - {record: person, key: PID.f3.c1, fields: {names: {each: PID.f5, family: c1}}}\n";
    auto by_groups = Program::load(written("groups_first.yaml", kOrders));
    auto by_segments = Program::load(written("groups_second.yaml", flat));
    ASSERT_TRUE(by_groups && by_segments);
    Input input;
    input.source = "lab";
    input.object_time = "2024-05-01";
    formats::Settings source;
    source.kind = formats::Kind::hl7v2;
    formats::NodeTree tree;
    Outcome out;
    std::string admission = kMessage;
    admission.replace(admission.find("ORU^R01^ORU_R01"), 15, "ADT^A01^ADT_A01");
    const std::vector<std::shared_ptr<const Program>> one{*by_groups, *by_segments}, two{*by_segments, *by_groups};
    auto first = [&](const auto& programs, const std::string& bytes) {
        input.bytes = bytes;
        mapInto(programs, source, input, tree, out);
        return out.operations.empty() ? std::string("nothing") : out.operations[0].key.entity;
    };
    EXPECT_EQ(first(one, kMessage), "involvement");
    EXPECT_EQ(first(one, admission), "person") << "left by the first, read again for the second";
    EXPECT_EQ(first(two, kMessage), "person");
}

}  // namespace
}  // namespace porta::mapping
