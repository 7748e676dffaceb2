// The check of mappings: each mistake at its place with what it may have meant, and what is right passes.
#include "mapping/engine/check.h"
#include "tests/unit/mapping/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace porta::mapping {
namespace {

const std::string kColumns =
    "mapping: m\n"
    "input: {format: csv, model: {columns: {id: text, surname: text, born: date, code: text, n: number}}}\n";
const std::string kHl7 = "mapping: m\ninput: {format: hl7v2, model: hl7v2-2.5.1}\n";

struct Mistake {
    const char* name;
    std::string text;
    /// Behind the file's name.
    const char* expected;
};
class TwelveMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(TwelveMistakes, AreRefusedAtTheirPlaceWithASuggestion) {
    const std::string file = written(std::string(GetParam().name) + ".yaml", GetParam().text);
    const CheckReport report = checkMapping(file);
    EXPECT_FALSE(report.ok());
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings[0].message(), file + GetParam().expected);
    auto program = Program::load(file);
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().code, Errc::misconfigured);
    EXPECT_EQ(program.error().message.rfind(file + GetParam().expected, 0), 0u) << program.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Mapping, TwelveMistakes,
    testing::Values(
        Mistake{"unknown_key", kColumns + "emits: []\n",
                ":3:1: error: unknown-key: unknown key `emits` (nearest: emit)"},
        Mistake{"misspelt_path",
                kHl7 + "emit:\n  - record: person\n    key: PID.f3.first().c1\n    fields:\n"
                       "      names: {each: PID.f5, family: c1.s99}\n",
                ":7:40: error: path: the model of the input has no `s99` in `c1.s99` (nearest: s1)"},
        Mistake{"wrong_type", kColumns + "emit:\n  - {record: person, key: id, fields: {birth_date: n}}\n",
                ":4:52: error: type: `birth_date` is a date, and the expression gives a number (nearest: born)"},
        Mistake{"wrong_type_stated",
                kColumns + "emit:\n  - {record: person, key: id, fields: {sex: {expr: code, type: date}}}\n",
                ":4:64: error: type: the common schema has another type at `sex` (nearest: text)"},
        Mistake{"outside_value_set",
                kColumns + "tables: {sex: {rows: {M: male, F: femal}}}\nemit:\n"
                           "  - {record: person, key: id, fields: {sex: {expr: code, translate: sex}}}\n",
                ":3:35: error: value-set: unknown target of table `sex` in `sex`: `femal` (nearest: female)"},
        Mistake{"required_uncovered",
                kColumns + "emit:\n  - {record: condition, key: id, subjects: [{id: id}], fields: {status: code}}\n",
                ":4:64: error: required: `condition` needs `code`, and no rule fills it (nearest: code)"},
        Mistake{"list_into_single",
                kHl7 + "emit:\n  - {record: person, key: PID.f3.first().c1, fields: {birth_date: PID.f3.c7}}\n",
                ":4:67: error: many: `PID.f3.c7` repeats, and `birth_date` is a single value; take one, or say "
                "`onMany: first` (nearest: PID.f3.c7.first())"},
        Mistake{"missing_table",
                kColumns + "tables: {sex: {rows: {M: male}}}\nemit:\n"
                           "  - {record: person, key: id, fields: {sex: {expr: code, translate: sexx}}}\n",
                ":5:69: error: table: unknown table `sexx` (nearest: sex)"},
        Mistake{"duplicate_key", kColumns + "emit:\n  - record: person\n    key: id\n    key: surname\n",
                ":6:5: error: duplicate-key: the key `key` stands twice, first in line 5; remove one"},
        Mistake{"unquoted_no",
                kColumns + "tables: {c: {rows: {SE: Sweden, NO: Norway}}}\nemit:\n"
                           "  - {record: person, key: id, fields: {birth_date: born}}\n",
                ":3:33: error: unquoted: `NO` without quotes is a boolean to many readers of YAML; quote it where text "
                "is meant (nearest: \"NO\")"},
        Mistake{"circular",
                kColumns + "let: {a: '%b & surname', b: '%a'}\nemit:\n"
                           "  - {record: person, key: '%a', fields: {birth_date: born}}\n",
                ":3:10: error: circular: `a` needs `b`, which needs `a`; `let` is evaluated in order, from above"},
        Mistake{
            "clock",
            kColumns + "emit:\n  - {record: person, key: id, fields: {birth_date: 'iif(id.exists(), now(), born)'}}\n",
            ":4:70: error: clock: in the expression at character 18: FHIRPath: a mapping may not read the clock; "
            "use %asOf at offset 17 (nearest: %objectTime)"}),
    [](const testing::TestParamInfo<Mistake>& info) { return std::string(info.param.name); });

TEST(Check, AGoldenWithAnUnknownMatcherIsRefused) {
    const std::string file =
        written("sampled.yaml", kColumns + "emit:\n  - {record: person, key: id, fields: {birth_date: born}}\n");
    EXPECT_TRUE(checkMapping(file).ok());
    std::filesystem::create_directories(std::filesystem::path(file).parent_path() / "goldens/sampled");
    written("goldens/sampled/one.csv", "id,surname,born,code,n\n1,Inventi,1950-01-02,a,1\n");
    written("goldens/sampled/one.expected.json", "[\n{\"state\": \"published\", \"operation\": []}\n]\n");
    const CheckReport report = checkMapping(file);
    EXPECT_FALSE(report.ok());
    ASSERT_EQ(report.findings.size(), 1u);
    const Finding& f = report.findings[0];
    EXPECT_NE(f.file.find("one.expected.json"), std::string::npos);
    EXPECT_EQ(f.line, 2);
    EXPECT_EQ(f.rule, "golden");
    EXPECT_EQ(f.nearest, "operations");
    EXPECT_TRUE(Program::load(file)) << "a gateway does not read goldens";
    std::filesystem::remove_all(std::filesystem::path(file).parent_path() / "goldens");
}

TEST(Check, TellsAllMistakesAtOnce) {
    const CheckReport report = checkMapping(
        written("many.yaml", kColumns + "emit:\n  - record: person\n    key: idd\n    fields:\n      birth_date: borm\n"
                                        "      names: {family: surnam}\n  - {record: persn, key: id}\n"));
    EXPECT_EQ(report.findings.size(), 4u);
}

TEST(Check, QuotedWordsAreText) {
    EXPECT_TRUE(
        checkMapping(written("quoted.yaml", kColumns + "tables: {c: {rows: {\"NO\": Norway, 'no': \"NO\"}}}\nemit:\n"
                                                       "  - {record: person, key: id, fields: {birth_date: born}}\n"))
            .ok());
}

TEST(Check, AnOpenInputIsListedAsUnproved) {
    const std::string file =
        written("open.yaml",
                "mapping: m\ninput: {format: csv}\nemit:\n  - {record: person, key: id, fields: {birth_date: b}}\n");
    const CheckReport report = checkMapping(file);
    EXPECT_TRUE(report.ok());
    ASSERT_EQ(report.findings.size(), 2u);
    EXPECT_EQ(report.findings[1].message(), file + ":4:52: unproved: path: the input is open at `b`");
}

/// `kind: path`, of the findings of a mapping with this model and these fields of a person.
std::vector<std::string> found(const std::string& format, const std::string& model, const std::string& rest) {
    std::vector<std::string> all;
    for (const Finding& f : checkMapping(written("model.yaml", "mapping: m\ninput: {format: " + format + ", model: " +
                                                                   model + "}\nemit:\n  - record: person\n" + rest))
                                .findings)
        all.push_back((f.kind == Finding::Kind::error ? f.rule : "unproved") +
                      (f.nearest.empty() ? "" : ":" + f.nearest));
    return all;
}
using Found = std::vector<std::string>;

TEST(Models, JsonSchema) {
    const std::string schema = written("person.json", R"({"$ref": "#/definitions/person", "definitions": {
      "person": {"type": "object", "properties": {
        "id": {"type": "string"}, "born": {"type": "string", "format": "date"}, "active": {"type": "boolean"},
        "sex": {"enum": ["male", "female"]},
        "names": {"type": "array", "items": {"$ref": "#/definitions/name"}}, "mother": {"$ref": "#/definitions/person"}}},
      "name": {"allOf": [{"properties": {"family": {"type": "string"}}}, {"properties": {"given": {"type": "array", "items": {"type": "string"}}}}]}}})");
    EXPECT_EQ(
        found(
            "json", schema,
            "    key: id\n    fields: {birth_date: mother.mother.born, sex: sex, names: {each: names, family: family, "
            "given: [given]}}\n"),
        Found{});
    EXPECT_EQ(found("json", schema, "    key: names.family\n    fields: {birth_date: active, sex: mother.sx}\n"),
              (Found{"many:names.family.first()", "type:born", "path:sex"}));
}

TEST(Models, XmlSchema) {
    written("types.xsd", R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:complexType name="Named"><xs:sequence><xs:element name="family" type="xs:string"/></xs:sequence>
        <xs:attribute name="use" type="xs:string"/></xs:complexType></xs:schema>)");
    const std::string schema =
        written("person.xsd", R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="urn:p">
      <xs:include schemaLocation="types.xsd"/>
      <xs:element name="people"><xs:complexType><xs:sequence>
        <xs:element name="person" type="p:Person" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
      <xs:complexType name="Person"><xs:complexContent><xs:extension base="p:Named"><xs:sequence>
        <xs:element name="born" type="xs:date"/><xs:element name="weight" type="p:Kilo"/></xs:sequence>
        <xs:attribute name="id" type="xs:ID"/></xs:extension></xs:complexContent></xs:complexType>
      <xs:simpleType name="Kilo"><xs:restriction base="xs:decimal"/></xs:simpleType></xs:schema>)");
    EXPECT_EQ(found("xml", schema,
                    "    each: people.person\n    key: id\n    fields: {birth_date: born, names: {family: family, use: "
                    "use}}\n"),
              Found{});
    EXPECT_EQ(found("xml", schema,
                    "    key: people.person.id\n    fields: {birth_date: people.person.first().weight, names: {family: "
                    "people.persn.family}}\n"),
              (Found{"many:people.person.id.first()", "type", "path:person"}));
}

TEST(Models, SchemasThatHoldThemselvesEnd) {
    const std::string xsd = written(
        "itself.xsd", R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType>
      <xs:group ref="g"/></xs:complexType></xs:element>
      <xs:group name="g"><xs:sequence><xs:element name="id" type="xs:string"/><xs:group ref="g"/></xs:sequence></xs:group></xs:schema>)");
    EXPECT_EQ(found("xml", xsd, "    key: a.id\n    fields: {birth_date: a.none}\n"), Found{"unproved"});
    std::string doubled =
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><xs:element name=\"a\"><xs:complexType>"
        "<xs:group ref=\"g0\"/></xs:complexType></xs:element>";
    for (int i = 0; i < 60; ++i) {
        const std::string next = "<xs:group ref=\"g" + std::to_string(i + 1) + "\"/>";
        doubled +=
            "<xs:group name=\"g" + std::to_string(i) + "\"><xs:sequence>" + next + next + "</xs:sequence></xs:group>";
    }
    EXPECT_EQ(
        found("xml", written("doubled.xsd", doubled + "</xs:schema>"), "    key: a\n    fields: {birth_date: a.b}\n")
            .back(),
        "unproved");
    std::string chain = R"({"$ref": "#/definitions/n0", "definitions": {)";
    for (int i = 0; i < 50000; ++i)
        chain += "\"n" + std::to_string(i) + R"(": {"properties": {"a": {"$ref": "#/definitions/n)" +
                 std::to_string(i + 1) + "\"}}},";
    EXPECT_EQ(
        found("json", written("chain.json", chain + R"("n50000": {}}})"), "    key: a.b\n    fields: {}\n").front(),
        "path:a");
}

TEST(Models, Hl7v2ByVersionAndMessage) {
    // PID-39 came after v2.3.1; a segment of its own is the sender's business.
    const std::string fields = "    key: PID.first().f3.first().c1\n    fields: {citizenships: [PID.first().f39.c1]}\n";
    EXPECT_EQ(found("hl7v2", "hl7v2-2.5.1", fields), Found{});
    EXPECT_EQ(found("hl7v2", "hl7v2-2.3.1", fields).at(0).substr(0, 5), "path:");
    EXPECT_EQ(found("hl7v2", "{hl7v2: [2.3.1, 2.8]}", fields), Found{});
    EXPECT_EQ(found("hl7v2", "hl7v2-2.8", "    key: ZPI.f1\n    fields: {birth_date: PID.f7}\n").at(0), "unproved");
    EXPECT_EQ(found("hl7v2", "{hl7v2: [2.5.1], messages: [ADT_A39]}",
                    "    key: MRG.first().f1.first().c1\n    fields: {birth_date: PID.f7}\n"),
              (Found{"many:PID.f7.first()"}));
    EXPECT_EQ(found("hl7v2", "{hl7v2: [2.5.1], messages: [ADT_A1]}", fields).at(0), "model:ADT_A01");
    const auto order = [](const std::string& path) {
        return "    each: OBX\n    key: f3.c1\n    fields: {birth_date: " + path + "}\n";
    };
    EXPECT_EQ(found("hl7v2", "hl7v2-2.5.1", order("preceding('OBR').f7")), Found{});
    EXPECT_EQ(found("hl7v2", "hl7v2-2.5.1", order("preceding('OBR').f777")).at(0), "path:f7");
    EXPECT_EQ(found("hl7v2", "hl7v2-2.5.1", order("preceding('OBRR').f7")).at(0), "path:OBR");
}

TEST(Models, FhirResources) {
    EXPECT_EQ(found("json", "fhir-r4",
                    "    each: entry.resource.where(resourceType = 'Patient')\n    key: id\n    fields:\n"
                    "      birth_date: birthDate\n      death_date: deceased.ofType(dateTime)\n      sex: gender\n"),
              Found{"unproved"});  // gender's codes are not in the table
    EXPECT_EQ(found("json", "{fhir: R4, resource: Patient}",
                    "    key: id\n    fields: {birth_date: birthdate, death_date: deceasedBoolean}\n"),
              (Found{"path:birthDate", "type:birthDate"}));
}

}  // namespace
}  // namespace porta::mapping
