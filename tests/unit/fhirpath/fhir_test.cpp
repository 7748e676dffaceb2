// FHIR: types of nodes by the model, what FHIR adds to FHIRPath, and the strict check.
#include <gtest/gtest.h>

#include "fhirpath/expression.h"
#include "formats/format.h"

namespace porta::fhirpath {
namespace {

const std::string_view kBundle = R"J({"resourceType":"Bundle","id":"b","entry":[
 {"fullUrl":"https://example.org/fhir/Patient/1","resource":{"resourceType":"Patient","id":"1","active":true,"birthDate":"1974-12-25",
  "_birthDate":{"extension":[{"url":"http://example.org/time","valueDateTime":"1974-12-25T14:35:00Z"}]},
  "gender":"male","deceasedBoolean":false,"multipleBirthInteger":2,
  "name":[{"family":"Testa","given":["Ada",null,"Eva"],"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]},null]}],
  "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Ada</p></div>"},
  "modifierExtension":[{"url":"http://example.org/m","valueBoolean":true}],
  "contained":[{"resourceType":"Organization","id":"o","name":"Uno","partOf":{"reference":"#"}}],
  "managingOrganization":{"reference":"#o"},"generalPractitioner":[{"reference":"Practitioner/2"},{"reference":"urn:uuid:3"},{"reference":"Practitioner/9"}]}},
 {"fullUrl":"https://example.org/fhir/Practitioner/2","resource":{"resourceType":"Practitioner","id":"2"}},
 {"fullUrl":"urn:uuid:3","resource":{"resourceType":"Practitioner","id":"3"}},
 {"fullUrl":"https://example.org/fhir/Observation/4","resource":{"resourceType":"Observation","id":"4","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"valueQuantity":{"value":185,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"},
  "effectivePeriod":{"start":"2013-04"}}}]})J";

std::string shown(const std::string& text, const formats::NodeTree& tree, Profile profile = Profile::standard) {
    auto expression = Expression::compile(text, profile);
    if (!expression) return "!!" + expression.error().message;
    Arena arena;
    auto values = expression->evaluate(tree, tree.root(), {}, arena);
    if (!values) return "!" + values.error().message;
    std::string out;
    for (const Value& v : *values) {
        out += out.empty() ? "" : ", ";
        out += v.isNode() && tree[v.node].kind == formats::NodeKind::object ? "{…}" : std::string(v.str(tree));
        if (v.kind == ValueKind::quantity) out += " " + std::string(v.unit);
    }
    return out;
}

struct Case {
    std::string text, expected;
};

class Fhir : public testing::Test {
protected:
    formats::NodeTree tree;
    void SetUp() override {
        formats::Settings settings;
        settings.fhir = true;
        ASSERT_TRUE(formats::parse(settings, kBundle, {}, tree));
    }
};

TEST_F(Fhir, TypesByTheModel) {
    const std::string p = "Bundle.entry.resource.ofType(Patient)", o = "Bundle.entry.resource.ofType(Observation)";
    const Case cases[] = {
        {p + ".birthDate is date", "true"},
        {p + ".birthDate is dateTime", "false"},
        {p + ".gender is code", "true"},
        {p + ".gender is string", "true"},  // a code is a string
        {p + ".gender is uri", "false"},
        {p + ".gender is System.String", "false"},
        {p + ".gender is FHIR.code", "true"},
        {p + " is DomainResource", "true"},
        {p + " is Observation", "false"},
        {p + " is Patiant", "!FHIRPath: an unknown type at offset 38"},
        {p + ".active.type().name", "boolean"},
        {p + ".active.type().namespace", "FHIR"},
        {p + ".deceased is boolean", "true"},
        {p + ".multipleBirth is integer", "true"},
        {p + ".birth", ""},  // no choice, although birthDate begins so
        {p + ".name.type().name", "HumanName"},
        {p + ".id is id", "true"},
        {"Bundle.entry.first().type().name", "BackboneElement"},
        {o + ".value is Quantity", "true"},
        {o + ".value.value is decimal", "true"},  // the model's type, although 185 has no point
        {o + ".value.ofType(string)", ""},
        {o + ".value > 80 'kg'", "true"},
        {o + ".value * 2", "370 '[lb_av]'"},
        {o + ".value.toString()", "185 '[lb_av]'"},
        {o + ".value.value < 'x'", "!FHIRPath: different types cannot be ordered at offset 54"},
        {o + ".effective.start.type().name", "dateTime"},
        {p + ".birthDate + 1 month", "1975-01-25"},
        {p + ".birthDate.toInteger()", ""},
        {p + ".active.toInteger()", "1"},
        {p + ".active.upper()", "!FHIRPath: a string expected; toString() makes one at offset 45"},
        {p + ".active.toString().upper()", "TRUE"},
        {p + ".birthDate.substring(0, 4)", "1974"},
        {p + ".name.toString()", ""},
        {p + ".name.convertsToString()", "false"},
        {p + ".birthDate = @1974-12", ""},
        {p + ".birthDate.lowBoundary()", "1974-12-25"},
        {o + ".effective.start.highBoundary()", "2013-04-30T23:59:59.999-12:00"},
        {o + ".effective.lowBoundary()", "2013-04-01T00:00:00.000+14:00"},
        {o + ".effective.highBoundary()", ""},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text, tree), c.expected) << c.text;
}

/// XML does not tell a number from a text: the model does.
TEST_F(Fhir, StringsOfXml) {
    formats::Settings settings;
    settings.kind = formats::Kind::xml;
    settings.fhir = true;
    formats::NodeTree patient;
    ASSERT_TRUE(formats::parse(settings,
                               "<Patient xmlns=\"http://hl7.org/fhir\"><active value=\"true\"/><birthDate value=\""
                               "1955-06-12\"/></Patient>",
                               {}, patient));
    EXPECT_EQ(shown("active.length()", patient), "!FHIRPath: a string expected; toString() makes one at offset 7");
    EXPECT_EQ(shown("active.toString().length()", patient), "4");
    EXPECT_EQ(shown("birthDate.length()", patient), "10");
}

TEST_F(Fhir, Functions) {
    const std::string p = "entry[0].resource", o = "entry[3].resource";
    const Case cases[] = {
        {p + ".birthDate.extension('http://example.org/time').value", "1974-12-25T14:35:00Z"},
        {p + ".birthDate.children().count()", "1"},
        {p + ".children().where($this is Extension).count()", "1"},
        {p + ".name.given", "Ada, Eva"},
        {p + ".name.hasValue()", "false"},
        {p + ".birthDate.hasValue()", "true"},
        {p + ".birthDate.getValue()", "1974-12-25"},
        {p + ".managingOrganization.resolve().name", "Uno"},
        {p + ".managingOrganization.resolve().partOf.resolve().id", "1"},
        {p + ".generalPractitioner.resolve().id", "2, 3"},  // the last one is not in the bundle
        {"'https://example.org/fhir/Observation/4'.resolve().status", "final"},
        {p + ".conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true"},
        {o + ".conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "false"},
        {o + ".conformsTo('http://example.org/profile')", "!FHIRPath: an unknown profile at offset 18"},
        {p + ".checkModifiers('http://example.org/m').id", "1"},
        {p + ".checkModifiers()", "!FHIRPath: a modifier extension that the expression does not expect at offset 18"},
        {p + ".text.div.htmlChecks()", "true"},
        {"'<div><script>x</script></div>'.htmlChecks()", "false"},
        {"'<div><a href=\"javascript:x\">x</a></div>'.htmlChecks()", "false"},
        {"'<div> </div>'.htmlChecks()", "false"},
        {"'<div><p>x</div></p>'.htmlChecks()", "false"},
        {"'<div onclick=\"x\">x</div>'.htmlChecks()", "false"},
        {"'<p>x</p>'.htmlChecks()", "false"},
        {p + ".name.given[1].pathname()", "Bundle.entry[0].resource[0].name[0].given[2]"},
        {p + ".name.given[1].pathname(true)", "Bundle.entry[0].resource.name[0].given[2]"},
        {o + ".value.pathname(true)", "Bundle.entry[3].resource.value"},
        {p + ".name.select(family & '!').pathname()", ""},
        {o + ".code.memberOf('http://example.org/vs')",
         "!FHIRPath: no table of a terminology answers this; ask a terminology server beforehand at offset 23"},
        {"%terminologies.expand('http://example.org/vs')",
         "!FHIRPath: no table of a terminology answers this; ask a terminology server beforehand at offset 15"},
        {"'a'.lookup('b')", "!!FHIRPath: a function of %terminologies at offset 4"},
        {"'a'.subsumes('b', 'c', 'd')", "!!FHIRPath: wrong number of arguments at offset 4"},
        {"%terminologies.subsumes('b')", "!!FHIRPath: wrong number of arguments at offset 15"},
        {o + ".value.elementDefinition()", "!FHIRPath: no profile with its definitions is loaded at offset 24"},
        {"%resource.id", "b"},
        {"%rootResource.type().name", "Bundle"},
        {"entry.resource.descendants().where($this is code).count() > 1", "true"},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text, tree), c.expected) << c.text;
}

TEST_F(Fhir, EqualityOfComplexValues) {
    formats::NodeTree two;
    formats::Settings settings;
    settings.fhir = true;
    ASSERT_TRUE(formats::parse(
        settings,
        R"({"resourceType":"Patient","name":[{"family":"A","given":["x","y"]},{"given":["x","y"],"family":"A"},)"
        R"({"family":"a","given":["x","y"]},{"family":"A","given":["y","x"]},{"family":"A"}]})",
        {}, two));
    const Case cases[] = {
        {"name[0] = name[1]", "true"},  // the order of members is the format's
        {"name[0] = name[2]", "false"}, {"name[0] ~ name[2]", "true"},    {"name[0] = name[3]", "false"},
        {"name[0] = name[4]", "false"}, {"name.distinct().count()", "4"}, {"name = name", "true"},
        {"name[0] = 'A'", "false"},
    };
    for (const Case& c : cases) EXPECT_EQ(shown(c.text, two), c.expected) << c.text;
}

TEST(FhirCheck, RefusesWhatTheModelDoesNotHave) {
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"Patient", "name.given", ""},
        {"Patient", "name.given1", "`HumanName` has no element `given1`; did you mean `given`?"},
        {"Patient", "Patient.nmae", "`Patient` has no element `nmae`; did you mean `name`?"},
        {"Patient", "Encounter.name", "the path begins with `Encounter`, the context is `Patient`"},
        {"Patient", "name.where(uze = 'official')", "`HumanName` has no element `uze`; did you mean `use`?"},
        {"Patient", "name.where(use = 'official').select(given.first() & family)", ""},
        {"Patient", "contact.name.family | name.family", ""},
        {"Patient", "contact.nam", "`Patient.contact` has no element `nam`; did you mean `name`?"},
        {"Observation", "valueQuantity", "`valueQuantity` is the choice `value`"},
        {"Observation", "value.unit", ""},
        {"Observation", "value.unity", "has no element `unity`"},
        {"Observation", "(value as Period).unit", "`Period` has no element `unit`"},
        {"Observation", "value.ofType(Quantiti)", "`Quantiti` is no type; did you mean `Quantity`?"},
        {"Observation", "value is System.Boolean", ""},
        {"Observation", "component.where(code.coding.exists(system = 'x')).value.ofType(Quantity).value", ""},
        {"Bundle", "entry.resource.ofType(Patient).name.family", ""},
        {"Bundle", "entry.resource.name", ""},  // any resource: not to be known
        {"Bundle", "entry.resource.ofType(Patient).nam", "`Patient` has no element `nam`; did you mean `name`?"},
        {"Patient", "extension('x').value.code", ""},
        {"Patient", "identifier.startsWith('x')", "`startsWith()` needs a text, and `Identifier` is none"},
        {"Patient", "birthDate.extension.url", ""},
        {"Questionnaire", "repeat(item).linkId", ""},
        {"Questionnaire", "repeat(item).linkID", "has no element `linkID`; did you mean `linkId`?"},
        {"Patient", "defineVariable('n', name.first()).select(%n.anything)", ""},
        {"Patient", "iif(active, name, contact.name).familly",
         "`HumanName` has no element `familly`; did you mean `family`?"},
        {"HumanName", "given.first()", ""},
        {"Patiant", "name", "the context's type is unknown"},
    };
    for (const auto& [type, text, expected] : cases) {
        auto expression = Expression::compile(text);
        ASSERT_TRUE(expression) << text;
        auto fits = expression->check(type);
        if (expected.empty()) EXPECT_TRUE(fits) << text << ": " << (fits ? "" : fits.error().message);
        else if (fits) ADD_FAILURE() << text << " is accepted";
        else EXPECT_NE(fits.error().message.find(expected), std::string::npos) << text << ": " << fits.error().message;
    }
}

TEST(FhirCheck, OrderAndReleases) {
    auto unordered = Expression::compile("Patient.children().skip(1)"),
         ordered = Expression::compile("Patient.name.skip(1)");
    EXPECT_TRUE(unordered->check("Patient"));
    EXPECT_FALSE(unordered->check("Patient", true));
    EXPECT_TRUE(ordered->check("Patient", true));
    Options r5;
    r5.release = Release::r5;
    EXPECT_TRUE(Expression::compile("Encounter.admission", r5)->check("Encounter"));
    EXPECT_FALSE(Expression::compile("Encounter.admission")->check("Encounter"));
}

}  // namespace
}  // namespace porta::fhirpath
