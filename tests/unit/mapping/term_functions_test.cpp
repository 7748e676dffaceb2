// FHIRPath's terminology functions answered from Porta's own tables, by themselves and in a mapping.
#include <gtest/gtest.h>

#include "fhirpath/expression.h"
#include "formats/format.h"
#include "mapping/engine/check.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/lineage.h"
#include "mapping/terminology/terms.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

using fhirpath::Expression;
using fhirpath::Value;

const char* const kUse =
    R"({"resourceType":"ValueSet","url":"http://example.org/vs/use","version":"2","compose":{"include":[{"system":"http://example.org/use",
        "concept":[{"code":"home","display":"The \"home\""},{"code":"work"}]}]}})";
const char* const kMixed =
    R"({"resourceType":"ValueSet","url":"http://example.org/vs/mixed","compose":{"include":[
        {"system":"http://example.org/use","concept":[{"code":"home"}]},{"system":"http://loinc.org","concept":[{"code":"1-8"}]}]}})";
const char* const kWhole =
    R"({"resourceType":"ValueSet","url":"http://example.org/vs/whole","compose":{"include":[{"system":"http://hl7.org/fhir/sid/icd-10"}]}})";
const char* const kExpanded =
    R"({"resourceType":"ValueSet","url":"http://example.org/vs/expanded","expansion":{"total":2,"contains":[
        {"system":"http://example.org/use","code":"all","abstract":true,"contains":[
          {"system":"http://example.org/use","code":"home"},{"system":"http://example.org/use","code":"old"}]}]}})";
const char* const kSystem =
    R"({"resourceType":"CodeSystem","url":"http://example.org/care","content":"complete","concept":[{"code":"care","display":"Care",
        "concept":[{"code":"day"},{"code":"night","concept":[{"code":"late"}]}]},{"code":"none"}]})";
const char* const kFragment =
    R"({"resourceType":"CodeSystem","url":"http://example.org/part","content":"fragment","hierarchyMeaning":"part-of","concept":[{"code":"a","concept":[{"code":"b"}]}]})";
const char* const kMap =
    R"({"resourceType":"ConceptMap","url":"http://example.org/map","group":[{"source":"http://example.org/use","target":"http://example.org/v2",
        "element":[{"code":"home","target":[{"code":"H","display":"Home","equivalence":"equivalent"}]},
                   {"code":"work","target":[{"code":"B","equivalence":"wider"},{"code":"O","equivalence":"inexact"}]}]}]})";

const char* const kRecord =
    R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Condition","code":{"coding":[
        {"system":"http://hl7.org/fhir/sid/icd-10","code":"F32.1"},{"system":"http://example.org/use","code":"home"}]},
        "identifier":[{"system":"http://example.org/use","value":"home"}],"severity":{"text":"Mario"},"bodySite":[{"coding":[{"system":"icd-10","code":"V"}]},{"coding":[{"system":"http://example.org/care","code":"day"}]}],
        "subject":{"reference":"Mario"},"clinicalStatus":{"coding":[{"system":"http://example.org/Mario","code":"Mario"}]}}}]})";

class TermFunctions : public testing::Test {
protected:
    fhirpath::Options options;
    formats::NodeTree tree;
    void SetUp() override {
        auto terms = Terms::builtIn();
        for (const char* json : {kUse, kMixed, kWhole, kExpanded, kSystem, kFragment, kMap}) {
            auto added = terms->add(json);
            ASSERT_TRUE(added) << added.error().message;
        }
        options.terminology = terms;
        formats::Settings settings;
        settings.fhir = true;
        ASSERT_TRUE(formats::parse(settings, kRecord, {}, tree));
    }
    /// The values, or `!` and the message; `@` stands for the condition of the record.
    std::string shown(std::string text) {
        for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@'))
            text.replace(at, 1, "entry.resource");
        auto expression = Expression::compile(text, options);
        if (!expression) return "!!" + expression.error().message;
        Arena arena;
        auto values = expression->evaluate(tree, tree.root(), {}, arena);
        if (!values) return "!" + values.error().message.substr(0, values.error().message.rfind(" at offset"));
        std::string out;
        for (const Value& v : *values) out += (out.empty() ? "" : ", ") + std::string(v.str(tree));
        return out;
    }
};

struct Case {
    std::string text, expected;
};

TEST_F(TermFunctions, MemberOf) {
    const std::string sex = "'https://porta.example/schemas/entities/person.json#sex'",
                      use = "'http://example.org/vs/use'";
    const Case cases[] = {
        {"'male'.memberOf(" + sex + ")", "true"},
        {"'Male'.memberOf(" + sex + ")", "false"},
        {"'male'.memberOf({})", ""},
        {"{}.memberOf(" + sex + ")", ""},
        {"''.memberOf(" + sex + ")", ""},
        {"('male' | 'female').memberOf(" + sex + ")", "!FHIRPath: one value expected, 2 found"},
        {"true.memberOf(" + sex + ")", "!FHIRPath: a code, Coding or CodeableConcept expected"},
        {"@.memberOf(" + use + ")", "!FHIRPath: a code, Coding or CodeableConcept expected"},
        {"@.subject.memberOf(" + use + ")", "!FHIRPath: a code, Coding or CodeableConcept expected"},
        {"@.code.memberOf(" + use + ")", "true"},
        {"@.code.coding[1].memberOf(" + use + ")", "true"},
        {"@.code.coding[0].memberOf(" + use + ")", "false"},
        {"@.code.coding[1].code.memberOf(" + use + ")", "true"},
        {"@.identifier.memberOf(" + use + ")", "!FHIRPath: a code, Coding or CodeableConcept expected"},
        {"@.severity.memberOf(" + use + ")", "false"},  // a text alone is no code
        {"'home'.memberOf('http://example.org/vs/use|2')", "true"},
        {"'home'.memberOf('http://example.org/vs/use|3')",
         "!FHIRPath: there is no value set `http://example.org/vs/use|3`; did you mean `http://example.org/vs/use|2`?"},
        {"'home'.memberOf('http://example.org/vs/mixed')",
         "!FHIRPath: the value set has codes of several systems, and a code without one is in none of them"},
        {"@.code.memberOf('http://example.org/vs/mixed')", "true"},
        {"'old'.memberOf('http://example.org/vs/expanded')", "true"},
        {"'all'.memberOf('http://example.org/vs/expanded')", "false"},
        {"'V'.memberOf('http://example.org/vs/whole')", "true"},
        {"'?'.memberOf('http://example.org/vs/whole')", "false"},
        {"@.code.coding[0].memberOf('http://example.org/vs/whole')",
         "!FHIRPath: the value set `http://example.org/vs/whole` has all codes of a system that is not listed here "
         "down to this one"},
        {"'home'.memberOf(%`vs-address-use`)",
         "!FHIRPath: there is no value set `http://hl7.org/fhir/ValueSet/address-use`; there are "
         "`https://porta.example/schemas/entities/person.json#sex`, "
         "`https://porta.example/schemas/entities/person.json#contacts/kind`, "
         "`https://porta.example/schemas/entities/encounter.json#status`, "
         "`https://porta.example/schemas/entities/human_fact.json#kind`, "
         "`http://example.org/vs/use`, `http://example.org/vs/use|2`, `http://example.org/vs/mixed`, "
         "`http://example.org/vs/whole` and 1 more"},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text), c.expected) << c.text;
}

TEST_F(TermFunctions, NoMessageHoldsWhatARecordSays) {
    for (const char* text :
         {"'home'.memberOf(@.subject.reference)", "%terminologies.lookup(@.clinicalStatus.coding)",
          "%terminologies.translate(@.subject.reference, 'home')", "@.clinicalStatus.subsumes(@.code)",
          "%terminologies.subsumes('isco-08', @.subject.reference, '2')",
          "%terminologies.validateCS('icd-10', @.code.coding[0].code)",
          "@.subject.select('home'.memberOf(reference & 'o'))", "@.subject.where('home'.memberOf(reference & 'o'))"}) {
        EXPECT_TRUE(shown(text).starts_with("!FHIRPath: ")) << text << ": " << shown(text);
        EXPECT_EQ(shown(text).find("Mario"), std::string::npos) << shown(text);
    }
}

TEST_F(TermFunctions, Subsumption) {
    const Case cases[] = {
        {"@.bodySite[0].subsumes(@.code)", "true"},
        {"@.code.subsumedBy(@.bodySite[0])", "true"},
        {"@.code.subsumes(@.bodySite[0])", "false"},
        {"@.code.subsumes(@.code)", "true"},
        {"@.clinicalStatus.subsumes(@.clinicalStatus)", "true"},  // equal codes need no table
        {"@.code.subsumes(@.bodySite[1])", "!FHIRPath: codes of different code systems"},
        {"@.code.subsumes(@.bodySite)", "!FHIRPath: one value expected, 2 found"},
        {"@.code.subsumes({})", ""},
        {"{}.subsumes(@.code)", ""},
        {"'V'.subsumes(@.code)", "!FHIRPath: a Coding with its system expected"},
        {"%terminologies.subsumes('isco-08', '22', '2221')", "subsumes"},
        {"%terminologies.subsumes('isco-08', '2221', '2')", "subsumed-by"},
        {"%terminologies.subsumes('isco-08', '2221', '2221')", "equivalent"},
        {"%terminologies.subsumes('isco-08', '23', '2221')", "not-subsumed"},
        {"%terminologies.subsumes('isco-08', '99', '2221')",
         "!FHIRPath: a code of 2 bytes is none of the code system `isco-08`"},
        {"%terminologies.subsumes('nace-2.1', 'K', '62.10')", "subsumes"},
        {"%terminologies.subsumes('nace-2.1', '62.10', '62.99')",
         "!FHIRPath: a code of 5 bytes is none of the code system `nace-2.1`"},
        {"%terminologies.subsumes('http://example.org/care', 'care', 'late')", "subsumes"},
        {"%terminologies.subsumes('http://example.org/care', 'day', 'late')", "not-subsumed"},
        {"%terminologies.subsumes('http://example.org/part', 'a', 'b')",
         "!FHIRPath: no table here says what stands above what in the code system `http://example.org/part`"},
        {"%terminologies.subsumes('icd-10', @.bodySite[1].coding, 'V')", "!FHIRPath: a code of another code system"},
        {"%terminologies.subsumes('isco-8', '2', '2')",
         "!FHIRPath: there is no code system `isco-8`; did you mean `isco-08`?"},
        {"%terminologies.subsumes('isco-08', '2')", "!!FHIRPath: wrong number of arguments at offset 15"},
        {"%terminologies.subsumes('isco-08', {}, '2')", ""},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text), c.expected) << c.text;
}

TEST_F(TermFunctions, Service) {
    const std::string result = ".parameter.where(name = 'result').value",
                      concept_ = ".parameter.where(name = 'match').part.where(name = 'concept').value";
    const Case cases[] = {
        {"%terminologies.validateVS('http://example.org/vs/use', 'home')" + result, "true"},
        {"%terminologies.validateVS('http://example.org/vs/use', @.code)" + result, "true"},
        {"%terminologies.validateVS('http://example.org/vs/use', @.bodySite[0])" + result, "false"},
        {"%terminologies.validateVS('http://example.org/vs/use', 'home').parameter.where(name = 'display').value",
         "The \"home\""},
        {"%terminologies.validateVS('http://example.org/vs/us', 'home')",
         "!FHIRPath: there is no value set `http://example.org/vs/us`; did you mean `http://example.org/vs/use`?"},
        {"%terminologies.validateCS('icd-10', @.bodySite[0])" + result, "true"},
        {"%terminologies.validateCS('icd-10', '+')" + result, "false"},
        {"%terminologies.validateCS('icd-10', @.code)",
         "!FHIRPath: the code system `icd-10` is not listed here down to this code"},
        {"%terminologies.validateCS('http://example.org/part', 'c')",
         "!FHIRPath: the code system `http://example.org/part` is not listed here down to this code"},
        {"%terminologies.validateCS('nace-2.1', '62.10').parameter[1].value", "Computer programming activities"},
        {"%terminologies.lookup(@.bodySite[0].coding).parameter.where(name = 'display').value",
         "Mental and behavioural disorders"},
        {"%terminologies.lookup(@.bodySite[1]).parameter.where(name = 'property').part.value", "parent, care"},
        {"%terminologies.lookup('V')", "!FHIRPath: one Coding with its system expected"},
        {"%terminologies.expand('http://example.org/vs/expanded').expansion.contains.code", "home, old"},
        {"%terminologies.expand('http://example.org/vs/use').expansion.total", "2"},
        {"%terminologies.expand('http://example.org/vs/use').resourceType", "ValueSet"},
        {"%terminologies.expand('http://example.org/vs/use').expansion.contains.where(code = 'work').exists()", "true"},
        {"%terminologies.expand('http://example.org/vs/use').expansion.contains.select(code & '!')", "home!, work!"},
        {"%terminologies.expand('http://example.org/vs/whole')",
         "!FHIRPath: not all codes of the value set `http://example.org/vs/whole` are listed here"},
        {"%terminologies.expand({})", ""},
        {"%terminologies.translate('http://example.org/map', 'home')" + concept_ + ".code", "H"},
        {"%terminologies.translate('http://example.org/map', @.code)" + concept_ + ".display", "Home"},
        {"%terminologies.translate('http://example.org/map', 'work')" + concept_ + ".code", "B, O"},
        {"%terminologies.translate('http://example.org/map', 'work')" + concept_ + ".system.distinct()",
         "http://example.org/v2"},
        {"%terminologies.translate('http://example.org/map', 'work').parameter.part.where(name = 'equivalence').value",
         "wider, inexact"},
        {"%terminologies.translate('http://example.org/map', 'far')" + result, "false"},
        {"%terminologies.translate('http://example.org/map', @.bodySite[0])" + result, "false"},
        {"%terminologies.translate('http://example.org/map', {})", ""},
        {"%terminologies.translate('http://example.org/map', ('home' | 'work'))",
         "!FHIRPath: one value expected, 2 found"},
        {"%terminologies.translate('http://example.org/map', 'home', 'reverse=true')",
         "!FHIRPath: no parameter is answered here but `date=` of translate()"},
        {"%terminologies.translate('http://example.org/mat', 'home')",
         "!FHIRPath: there is no code map `http://example.org/mat`; did you mean `http://example.org/map`?"},
        {"'home'.translate('http://example.org/map', 'home')", "!!FHIRPath: a function of %terminologies at offset 7"},
        {"%terminologies.memberOf('http://example.org/vs/use')",
         "!FHIRPath: a code, Coding or CodeableConcept expected"},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text), c.expected) << c.text;
    options.release = fhirpath::Release::r5;
    EXPECT_EQ(shown("%terminologies.translate('http://example.org/map', 'work').parameter.part"
                    ".where(name = 'relationship').value"),
              "source-is-narrower-than-target, related-to");
}

TEST(Terms, WhatOfAResourceIsNotReadIsRefused) {
    const Case cases[] = {
        {"{", "no JSON: "},
        {R"({"resourceType":"ValueSet"})", "the resource has no `url`"},
        {R"({"resourceType":"Patient","url":"u"})", "a ValueSet, CodeSystem or ConceptMap of FHIR expected"},
        {R"({"resourceType":"ValueSet","url":"u"})", "ValueSet `u`: no code in it"},
        {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","filter":[{"op":"is-a"}]}]}})",
         "ValueSet `u`: `compose.include.filter` is not read"},
        {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":["v"]}]}})",
         "ValueSet `u`: `compose.include.valueSet` is not read"},
        {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"http://snomed.info/sct"}]}})",
         "ValueSet `u`: it has all codes of `http://snomed.info/sct`, which is not here; name that CodeSystem before "
         "it"},
        {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","concept":[{"code":"a"}]}],"exclude":[{"system":"s"}]}})",
         "ValueSet `u`: `compose.exclude` is not read"},
        {R"({"resourceType":"ValueSet","url":"u","expansion":{"total":9,"contains":[{"system":"s","code":"a"}]}})",
         "ValueSet `u`: its expansion is a part: 9 codes, and 1 of them here"},
        {R"({"resourceType":"CodeSystem","url":"icd-10","concept":[{"code":"a"}]})",
         "a code system `icd-10` is there already"},
        {R"({"resourceType":"CodeSystem","url":"u","concept":[{"code":"a"},{"code":"a"}]})",
         "CodeSystem `u`: a code stands in it twice"},
        {R"({"resourceType":"ConceptMap","url":"u"})", "a ConceptMap has `group`"},
    };
    for (const Case& c : cases) {
        auto added = Terms::builtIn()->add(c.text);
        ASSERT_FALSE(added) << c.text;
        EXPECT_TRUE(added.error().message.starts_with(c.expected)) << added.error().message;
    }
}

// ---- In a mapping.

std::string mapping(const std::string& sex, const std::string& more = {}) {
    return "mapping: m\ninput: {format: csv, model: {columns: [id, sex, job]}}\n"
           "terms: {use: use.json, work: work.yaml}\n"
           "tables:\n  sexes: {about: \"http://example.org/sexes\", source_system: s, rows: {M: male, F: female}}\n"
           "emit:\n  - {record: person, key: id, version: {order: arrival}" +
           more + ",\n     fields: {sex: " + sex + ", names: [{given: [job]}]}}\n";
}

std::string checked(const std::string& text) {
    written("use.json", kUse);
    written("work.yaml",
            "terms: work\nhierarchy: isco-08\nsystem: w\nrows:\n  \"22\": {code: health}\n  \"23\": "
            "[{code: old, to: 2019-12-31}, {code: new, from: 2020-01-01}]\n  \"9\": [{code: a}, {code: b}]\n");
    std::string out;
    for (const Finding& f : checkMapping(written("m.yaml", text)).findings) {
        if (f.kind == Finding::Kind::unproved) continue;
        out +=
            std::to_string(f.line) + ":" + std::to_string(f.column) + " " + f.rule + " " + f.text + " -> " + f.nearest;
    }
    return out;
}

/// `sex` of the one record, or what is said of it.
std::string sexOf(const std::string& text, const std::string& row) {
    if (const std::string wrong = checked(text); !wrong.empty()) return wrong;
    auto program = Program::load(written("m.yaml", text));
    if (!program) return program.error().message;
    Input input;
    input.bytes = row;
    input.context = "id,sex,job";
    input.source = "s";
    formats::NodeTree tree;
    Outcome out = (*program)->map((*program)->format(), input, tree);
    if (out.state != State::published) return out.rule + out.error.message;
    return describeOperation(out.operations.at(0)).find("record")->text("sex");
}

/// What becomes of a FHIR resource: "" when it is taken, else why not.
std::string refused(const std::string& json) {
    auto added = Terms::builtIn()->add(json);
    return added ? "" : added.error().message;
}

std::string valueSet(const std::string& rest) {
    return R"({"resourceType":"ValueSet","url":"http://example.org/vs",)" + rest + "}";
}

TEST(TermResources, WhatIsOnlyAPartIsRefused) {
    const std::string two = R"("contains":[{"system":"s","code":"a"},{"system":"s","code":"b"}]}})";
    EXPECT_EQ(refused(valueSet(R"("expansion":{"total":2,)" + two.substr(0, two.size() - 1))), "");
    EXPECT_NE(refused(valueSet(R"("expansion":{"total":5,"parameter":[{"name":"count","valueInteger":2}],)" +
                               two.substr(0, two.size() - 1)))
                  .find("its expansion is a part: 5 codes, and 2"),
              std::string::npos);
    EXPECT_NE(refused(valueSet(R"("expansion":{"parameter":[{"name":"count","valueInteger":2}],)" +
                               two.substr(0, two.size() - 1)))
                  .find("its expansion is a part"),
              std::string::npos);
    EXPECT_NE(refused(valueSet(R"("compose":{"include":[{"system":"s","concept":[{}]}]})")).find("without a code"),
              std::string::npos);
    const std::string two_sources =
        R"({"resourceType":"ConceptMap","url":"m","group":[{"source":"a","target":"t","element":[{"code":"1","target":[{"code":"x",
            "equivalence":"equal"}]}]},{"source":"b","target":"t","element":[{"code":"2","target":[{"code":"y","equivalence":"equal"}]}]}]})";
    EXPECT_NE(refused(two_sources).find("a group of another source system"), std::string::npos);
}

TEST(TermResources, AConceptMapIsListedAndKnowsItsSystem) {
    auto terms = Terms::builtIn();
    ASSERT_TRUE(terms->add(kMap));
    EXPECT_EQ(terms->list().back().codes, 2u);
    const auto map = terms->find(Terms::Kind::code_map, "http://example.org/map");
    std::vector<Terms::Match> found;
    EXPECT_TRUE(terms->translate(map, {"http://example.org/other", "home", {}}, "", found));
    EXPECT_TRUE(found.empty()) << "control: a code of another system";
    EXPECT_TRUE(terms->translate(map, {"http://example.org/use", "home", {}}, "", found));
    EXPECT_EQ(found.size(), 1u);
}

TEST(TermResources, ACodeMayHaveSeveralParents) {
    auto terms = Terms::builtIn();
    ASSERT_TRUE(terms->add(
        R"({"resourceType":"CodeSystem","url":"s","content":"complete","concept":[{"code":"A","property":[{"code":"child","valueCode":"E"}]},
            {"code":"B"},{"code":"E"},{"code":"C","property":[{"code":"parent","valueCode":"A"},{"code":"parent","valueCode":"B"}]},
            {"code":"R","property":[{"code":"parent","valueCode":"R"}]}]})"));
    const auto system = terms->find(Terms::Kind::code_system, "s");
    using Answer = Terms::Answer;
    EXPECT_EQ(terms->above(system, "A", "C"), Answer::yes);
    EXPECT_EQ(terms->above(system, "B", "C"), Answer::yes);
    EXPECT_EQ(terms->above(system, "A", "E"), Answer::yes);
    EXPECT_EQ(terms->above(system, "E", "C"), Answer::no);
    EXPECT_EQ(terms->above(system, "A", "R"), Answer::unknown) << "a code above itself decides nothing";
}

TEST(TermResources, CapitalLettersWhereASystemDoesNotCare) {
    auto terms = Terms::builtIn();
    const std::string system =
        R"({"resourceType":"CodeSystem","url":"s","content":"complete","concept":[{"code":"c"}])";
    ASSERT_TRUE(terms->add(system + R"(,"caseSensitive":false})"));
    ASSERT_TRUE(terms->add(valueSet(R"("compose":{"include":[{"system":"s","concept":[{"code":"c"}]}]})")));
    std::string_view display;
    using Answer = Terms::Answer;
    EXPECT_EQ(terms->holds(terms->find(Terms::Kind::code_system, "s"), "C", display), Answer::yes);
    const auto set = terms->find(Terms::Kind::value_set, "http://example.org/vs");
    EXPECT_EQ(terms->member(set, {{}, "C", {}}, display), Answer::yes);
    EXPECT_EQ(terms->member(set, {{}, "D", {}}, display), Answer::no);
}

TEST(TermMappings, AnAnswerWithPartsIsNoKey) {
    const std::string text = mapping("sex");
    EXPECT_EQ(sexOf(text.substr(0, text.find("key: id")) + "key: \"%terminologies.translate('sexes', sex)\"" +
                        text.substr(text.find("key: id") + 7),
                    "1,M,x"),
              "a single value expected, found a group");
}

TEST(TermMappings, TwoTablesAboutTheSame) {
    EXPECT_EQ(
        checked("mapping: m\ninput: {format: csv, model: {columns: [id]}}\ntables:\n  a: {about: \"http://x/y\", rows: "
                "{M: male}}\n  b: {about: \"http://x/y\", rows: {M: female}}\nemit:\n  - {record: person, key: "
                "id, version: {order: arrival}, fields: {sex: \"'male'\"}}\n"),
        "5:6 duplicate-key another table is `about` the same: http://x/y -> ");
}

TEST(TermMappings, MapsAndSetsOfTheMappingAnswer) {
    const std::string code = ".parameter.where(name = 'match').part.where(name = 'concept').value.code";
    auto translated = [&](const std::string& call) {
        return mapping("\"%terminologies.translate(" + call + ")" + code + "\"");
    };
    EXPECT_EQ(sexOf(translated("'sexes', sex"), "1,M,x"), "male");
    EXPECT_EQ(sexOf(translated("'http://example.org/sexes', sex"), "1,F,x"), "female");
    EXPECT_EQ(sexOf(translated("'sexes', sex"), "1,?,x"), "");
    EXPECT_EQ(sexOf(translated("'work', job"), "1,M,2221"), "health");
    EXPECT_EQ(sexOf(translated("'work', job, 'date=2010-01-01'"), "1,M,2320"), "old");
    EXPECT_EQ(sexOf(translated("'work', job"), "1,M,2320"), "new");
    EXPECT_NE(sexOf(translated("'work', job, 'date=31/12/2009'"), "1,M,2320").find("a date of ISO 8601"),
              std::string::npos);
    EXPECT_NE(sexOf(translated("'work', job"), "1,M,9").find("several rows for the code"), std::string::npos);
    const std::string when = ", when: \"sex.memberOf('use')\"";
    EXPECT_EQ(sexOf(mapping("\"'male'\"", when), "1,home,x"), "male");
    EXPECT_EQ(sexOf(mapping("\"'male'\"", when), "1,HOME,x").rfind("no-mapping:", 0), 0u);
    EXPECT_EQ(sexOf(mapping("\"iif(%terminologies.subsumes('isco-08', '2', job) = 'subsumes', 'male', 'female')\""),
                    "1,x,2221"),
              "male");
}

TEST(TermMappings, AnAnswerWithPartsIsNoField) {
    EXPECT_EQ(checked(mapping("\"%terminologies.translate('sexes', sex)\"")),
              "8:20 type `sex` is a text, and the expression gives a group -> ");
    EXPECT_EQ(sexOf(mapping("\"iif(job = 'x', %terminologies.translate('sexes', sex), 'other')\""), "1,M,x"),
              "a single value expected, found a group");
}

TEST(TermMappings, AnUnknownTableIsFoundAtLoad) {
    const std::string sex = "https://porta.example/schemas/entities/person.json#sex";
    EXPECT_EQ(checked(mapping("\"'male'\"", ", when: \"sex.memberOf('" + sex + "')\"")), "");
    EXPECT_EQ(checked(mapping("\"'male'\"", ", when: \"sex.memberOf('" + sex + "x')\"")),
              "7:78 terms unknown value set `" + sex + "x` -> " + sex);
    EXPECT_EQ(checked(mapping("\"'male'\"", ", when: \"%terminologies.subsumes('isco', '2', sex) = 'subsumes'\"")),
              "7:89 terms unknown code system `isco` -> isco-08");
    EXPECT_EQ(checked(mapping("\"'male'\"", ", when: \"%terminologies.translate('sexs', sex).exists()\"")),
              "7:90 terms unknown code map `sexs` -> sexes");
    EXPECT_EQ(checked("mapping: m\ninput: {format: csv, model: {columns: [id]}, when: \"id.memberOf('uze')\"}\nterms: "
                      "{use: use.json}\nemit:\n  - {record: person, key: id, version: {order: arrival}, fields: {sex: "
                      "\"'male'\"}}\n"),
              "2:65 terms unknown value set `uze` -> use");
    EXPECT_EQ(
        checked(
            "mapping: m\ninput: {format: csv, model: {columns: [id]}}\nterms: {use: use.json, again: use.json}\nemit:\n"
            "  - {record: person, key: id, version: {order: arrival}, fields: {sex: \"'male'\"}}\n"),
        "3:31 terms a value set `http://example.org/vs/use` is there already -> ");
}

TEST(TermMappings, AFileThatIsNamedIsPartOfTheDigest) {
    auto digest = [](const char* json) {
        checked(mapping("\"'male'\""));
        written("use.json", json);
        auto program = Program::load(written("m.yaml", mapping("\"'male'\"")));
        EXPECT_TRUE(program) << (program ? "" : program.error().message);
        return program ? (*program)->digest() : Sha256{};
    };
    EXPECT_NE(digest(kUse), digest(kExpanded));
    EXPECT_EQ(digest(kUse), digest(kUse));
}

TEST(TermMappings, TheCodeIsWhatAFieldDependsOn) {
    const std::string text = mapping(
        "\"iif(job.memberOf('use'), %terminologies.translate('sexes', sex).parameter[1].part[1]"
        ".value.code, 'other')\"");
    ASSERT_EQ(checked(text), "");
    auto program = Program::load(written("m.yaml", text));
    ASSERT_TRUE(program) << program.error().message;
    for (const FieldLineage& f : lineageOf(**program)) {
        if (f.path != "sex") continue;
        const std::vector<SourcePath> expected = {{"job", Influence::conditional}, {"sex", Influence::transformation}};
        EXPECT_EQ(f.sources, expected);
    }
    Input input;
    input.bytes = "1,M,home";
    input.context = "id,sex,job";
    formats::NodeTree tree;
    Outcome out = (*program)->map((*program)->format(), input, tree);
    ASSERT_EQ(out.state, State::published) << out.error.message;
    for (const schemas::Leaf& leaf : out.operations.at(0).leaves)
        if (leaf.path == "sex") {
            EXPECT_EQ(leaf.value, "male");
            EXPECT_EQ(leaf.how, schemas::How::computed);
            ASSERT_EQ(leaf.sources.size(), 1u);
            EXPECT_EQ(leaf.sources[0].offset, 2u);
            EXPECT_EQ(leaf.sources[0].length, 1u);
        }
}

}  // namespace
}  // namespace porta::mapping
