#include "fhirpath/expression.h"

#include <gtest/gtest.h>

#include "formats/format.h"

namespace porta::fhirpath {
namespace {

const std::string_view kPatient =
    R"({"resourceType":"Patient","active":true,"birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"u","valueString":"x"}]},)"
    R"("name":[{"use":"official","family":"Testa","given":["Ada","Eva"]},{"use":"usual","given":["Adi"]}],)"
    R"("extension":[{"url":"h","valueQuantity":{"value":185,"code":"[lb_av]"}}],"multipleBirthInteger":2})";
const std::string_view kMessage =
    "MSH|^~\\&|A|B|C|D|20240501||ADT^A01|1|P|2.5.1\rPID|1||4711^^^H~4712||Testa^Ada||19741225|F\r";

/// The values' texts joined by `,`, or `!` and the error's code.
std::string run(std::string_view text, const formats::NodeTree& tree, Profile profile = Profile::standard) {
    auto expression = Expression::compile(text, profile);
    if (!expression) return "!" + std::string(name(expression.error().code));
    Arena arena;
    auto values = expression->evaluate(tree, tree.root(), {}, arena);
    // A condition is asked in another way; its answer is the truth of the values.
    auto yes = expression->test(tree, tree.root(), {}, arena);
    auto reference = values ? truth(*values, tree) : Result<bool>(values.error());
    auto told = [](const Result<bool>& r) { return r ? std::string(*r ? "true" : "false") : r.error().message; };
    EXPECT_EQ(told(yes), told(reference)) << text;
    if (!values) return "!" + std::string(name(values.error().code));
    std::string out;
    for (const Value& v : *values) out += (out.empty() ? "" : ",") + std::string(v.str(tree));
    return out;
}

struct Case {
    std::string_view text, expected;
};

TEST(Expression, Fhir) {
    formats::Settings settings;
    settings.fhir = true;
    formats::NodeTree tree;
    ASSERT_TRUE(formats::parse(settings, kPatient, {}, tree));
    const Case cases[] = {
        {"name.given", "Ada,Eva,Adi"},
        {"Patient.name.given", "Ada,Eva,Adi"},
        {"name.where(use = 'official').family", "Testa"},
        {"name[1].given", "Adi"},
        {"name.given[2]", "Adi"},
        {"active", "true"},
        {"active and name.exists()", "true"},
        {"birthDate < @1975", "true"},
        {"birthDate = @1974", ""},
        {"birthDate.extension('u').value", "x"},
        {"extension('h').value > 80 'kg'", "true"},
        {"multipleBirth + 1", "3"},
        {"1.1 + 2.2 = 3.3", "true"},
        {"(0.1 + 0.2).toString()", "0.3"},
        {"7 div 2", "3"},
        {"7 mod 2", "1"},
        {"1 / 0", ""},
        {"'a' & {} & 'b'", "ab"},
        {"name.given.join(' ')", "Ada Eva Adi"},
        {"name.select(given.first())", "Ada,Adi"},
        {"iif(active, 'yes', 'no')", "yes"},
        {"name.single()", "!malformed"},
        {"name.", "!misconfigured"},
        {"'B\\u00e9a'.upper()",
         "B\xC3\x89"
         "A"},
        {"'ab12'.replaceMatches('([a-z]+)', '<$1>')", "<ab>12"},
        {"@2024-01-31 + 1 month", "2024-02-29"},
        {"@2024-03-01 - 1 day", "2024-02-29"},
        {"{} and false", "false"},
        {"{} or true", "true"},
        {"'12/03/2024'.pattern('dd/MM/yyyy')", "2024-03-12"},
        {"'19741225'.hl7Date()", "1974-12-25"},
        {"'  a \t b '.normalizeSpace()", "a b"},
        {"(1 | 2 | 3).aggregate($this + $total, 0)", "6"},
        {"name.given.exists($this = 'Eva')", "true"},
        {"2.power(10)", "1024"},
        {"1.587.lowBoundary()", "1.58650000"},
        {"(-1.587).lowBoundary(0)", "-2"},
        {"(-0.0034).lowBoundary(1)", "-0.0"},
        {"0.0034.lowBoundary(1)", "0.0"},
        {"(-0.6).lowBoundary(0)", "-1"},
        {"1.587.lowBoundary(32)", ""},
        {"@2014.lowBoundary(6)", "2014-01"},
        {"@T10:30.lowBoundary(9)", "10:30:00.000"},
        {"name.given.combine('Eva').exclude('Adi').count()", "3"},
        {"name.given.indexOf('x')", "!malformed"},
        {"'1 \\'wk\\''.toQuantity() = 1 week", "true"},
        {"'1 \\'mo\\''.toQuantity() = 1 month", ""},
        {"(1 | 2 | 3) ~ (3 | 2 | 1)", "true"},
        {"@2018-03 > @2018-03-01", ""},
        {"@2012-04-15T15:00:00Z != @2012-04-15T10:00:00", ""},
        {"1 'cm'.comparable(1 '[in_i]')", "true"},
        {"'A\nB'.matches('A.*B')", "true"},
        {"'abc'.replace('', 'x')", "xaxbxcx"},
        {"'\"1<2\"'.escape('html')", "&quot;1&lt;2&quot;"},
        {"name.select(iif(use = 'usual', $index, {}))", "1"},
        {"-1.convertsToInteger()", "!malformed"},
        {"(1 | 2).not()", "!malformed"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(run(c.text, tree), c.expected) << c.text;
        // The strict profile walks where the others follow prepared paths.
        EXPECT_EQ(run(c.text, tree, Profile::strict), c.expected) << c.text;
    }
    EXPECT_EQ(run("today()", tree, Profile::mapping), "!misconfigured");
    EXPECT_EQ(run("Encounter.name", tree), "") << "another resource's path finds nothing";
    EXPECT_EQ(run("Encounter.name", tree, Profile::strict), "!malformed");
    EXPECT_EQ(run("Patient.name.family", tree, Profile::strict), "Testa");
}

TEST(Expression, Hl7) {
    formats::Settings settings;
    settings.kind = formats::Kind::hl7v2;
    formats::NodeTree tree;
    ASSERT_TRUE(formats::parse(settings, kMessage, {}, tree));
    const Case cases[] = {
        {"PID.f3.c1", "4711,4712"},
        {"PID.f3.where(c4 = 'H').c1", "4711"},
        {"PID.f5.c1.s1", "Testa"},
        {"PID.f5.c2", "Ada"},
        {"PID.f7.hl7Date()", "1974-12-25"},
        {"PID.f8 = 'F'", "true"},
        {"MSH.f9.c1 & '^' & MSH.f9.c2", "ADT^A01"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(run(c.text, tree), c.expected) << c.text;
        // The strict profile walks where the others follow prepared paths.
        EXPECT_EQ(run(c.text, tree, Profile::strict), c.expected) << c.text;
    }
}

/// The specification's appendix, each beside our short form.
TEST(Expression, Hl7AsTheAppendixSeesIt) {
    formats::Settings settings;
    settings.kind = formats::Kind::hl7v2;
    formats::NodeTree tree;
    const std::string_view message =
        "MSH|^~\\&|A|B|C|D|20240501||ADT^A01|1|P|2.5.1\rPID|1||4711^^^H&1.2&ISO^MR~4712^^^X^PI||Testa^Ada||19741225|F\r"
        "OBX|1|LN||1\rOBX|2|ST||2\r";
    ASSERT_TRUE(formats::parse(settings, message, {}, tree));
    const Case cases[] = {
        {"Message.segment.where(code = 'PID').field[3].element.first().simple()", "4711"},
        {"Message.segment[2].elements(3).simple()", "4711,4712"},
        {"Message.segment.where(code = 'PID').field[3].element.where(component[5].value = 'MR').simple()", "4711"},
        {"Message.segment.where(code = 'PID').elements(3).where(component[5].value = 'PI').component[1].text", "4712"},
        {"segment.where(code = 'PID').field[3].element[2].component[1].value", "4712"},
        {"segment.where(code = 'PID').field[3].element[1].component[4].subcomponent[2].value", "1.2"},
        {"segment.where(code = 'OBX' and elements(2).exists($this = 'LN')).elements(1)", "1"},
        {"segment.code", "MSH,PID,OBX,OBX"},
        {"segment.count()", "4"},
        {"segment.where(code = 'PID').field[8].component.count()", "1"},
        {"PID.elements(5).components(2)", "Ada"},
        {"PID.f3.component[1]", "4711,4712"},
        {"segment[9].code", ""},
        {"Message.group('PATIENT')", "!malformed"},
        {"PID.code", "PID"},
        {"OBX.last().preceding('PID').f8", "F"},
        {"OBX.f2.preceding('OBX').f1", "1"},
        {"OBX.first().preceding('OBR')", ""},
        {"preceding('PID').f8", ""},
    };
    for (const Case& c : cases) EXPECT_EQ(run(c.text, tree), c.expected) << c.text;
}

TEST(Expression, Hl7ByGroups) {
    formats::Settings settings;
    settings.kind = formats::Kind::hl7v2;
    settings.groups = true;
    formats::NodeTree tree;
    const std::string_view message =
        "MSH|^~\\&|A|B|C|D|20240501||ORU^R01|1|P|2.5.1\rPID|1||4711\rOBR|1|||A\rOBX|1|LN||1\rNTE|1||n\rZZZ|z\r"
        "OBX|2|ST||2\rOBR|2|||B\rOBX|3|ST||3\r";
    ASSERT_TRUE(formats::parse(settings, message, {}, tree));
    const std::string orders = "PATIENT_RESULT.ORDER_OBSERVATION";
    const std::pair<std::string, std::string> cases[] = {
        {"MSH.f9.c1", "ORU"},
        {"PID.f3", ""},
        {"PATIENT_RESULT.PATIENT.PID.f3", "4711"},
        {orders + ".OBR.f4", "A,B"},
        {orders + "[1].OBSERVATION.OBX.f1", "3"},
        {orders + "[0].OBSERVATION[1].OBX.f1", "2"},
        {orders + "[2].OBR.f4", ""},
        {orders + "[0].OBSERVATION.ZZZ.f1", "z"},
        {orders + ".where(OBR.f4 = 'B').OBSERVATION.OBX.f1", "3"},
        {orders + ".OBSERVATION.OBX.select(f1 & preceding('OBR').f4)", "1A,2A,3B"},
        {orders + ".OBSERVATION.NTE.preceding('OBX').f1", "1"},
        {orders + "[1].preceding('OBR').f4", "A"},
        {orders + "[1].OBSERVATION.OBX.preceding('PID').f3", "4711"},
        {"Message.group('PATIENT_RESULT').group('PATIENT').PID.f3", "4711"},
        {"group('PATIENT_RESULT').groups().count()", "3"},
        {"group('PATIENT_RESULT').group('PID')", ""},
        {"PATIENT_RESULT.PATIENT.PID.group('PATIENT')", ""},
        {"Message.segment.code", "MSH,PID,OBR,OBX,NTE,ZZZ,OBX,OBR,OBX"},
        {"segment.where(code = 'OBX').f1", "1,2,3"},
        {"segment[3].elements(4)", "A"},
        {orders + "[0].segment.code", "OBR,OBX,NTE,ZZZ,OBX"},
        {orders + "[0].item.code", "OBR"},
        {orders + "[0].OBSERVATION[0].OBX.field[2].text", "LN"},
        {"PATIENT_RESULT.code", ""},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(run(text, tree), expected) << text;
}

TEST(Expression, Conditions) {
    formats::Settings settings;
    settings.kind = formats::Kind::hl7v2;
    formats::NodeTree tree;
    ASSERT_TRUE(formats::parse(settings, kMessage, {}, tree));
    const Case cases[] = {
        {"PID.f8 = 'F' and PID.f7.exists()", "true"},
        {"PID.f8 = 'M' and (1 | 2)", "false"},  // the right side is left alone
        {"PID.f9 = 'M' and PID.f8 = 'F'", ""},
        {"PID.f9 = 'M' or PID.f8 = 'F'", "true"},
        {"PID.f9 = 'M' implies PID.f8 = 'M'", ""},
        {"PID.f8 = 'M' implies (1 | 2)", "true"},
        {"PID.f8 = 'F' xor PID.f7.empty()", "true"},
        {"PID.f8 = 'F' and (1 | 2)", "!malformed"},
        {"PID.f8 in ('F' | 'M')", "true"},
        {"PID.f9 in ('F' | 'M')", ""},
        {"PID.f3 in ('F' | 'M')", "!malformed"},
        {"PID.f8 in ('F' | 1)", "true"},
        {"('F' | 'M') contains PID.f8", "true"},
        {"PID.f3.c1 = ('4711' | '4712')", "true"},
        {"PID.f8 != 'F'", "false"},
        {"PID.where(f8 = 'F' and f7.exists()).f1", "1"},
        {"iif(PID.f8 = 'F', PID.f7, PID.f8)", "19741225"},
        {"iif(PID.f3, PID.f7, PID.f8)", "!malformed"},
        {"iif(PID.f9 = 'F', PID.f7, {})", ""},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(run(c.text, tree), c.expected) << c.text;
        EXPECT_EQ(run(c.text, tree, Profile::strict), c.expected) << c.text;
    }
}

TEST(Expression, ValuesKnowTheirSources) {
    formats::Settings settings;
    settings.kind = formats::Kind::hl7v2;
    formats::NodeTree tree;
    ASSERT_TRUE(formats::parse(settings, kMessage, {}, tree));
    Arena arena;
    auto joined = Expression::compile("PID.f5.c1 & ' ' & PID.f5.c2", Profile::mapping);
    auto values = joined->evaluate(tree, tree.root(), {}, arena);
    ASSERT_TRUE(values && values->size() == 1);
    ASSERT_EQ(values->front().spans.size(), 2u);
    EXPECT_EQ(kMessage.substr(values->front().spans[1].offset, values->front().spans[1].length), "Ada");
    EXPECT_FALSE(values->front().isCopy());
    auto copied = Expression::compile("PID.f5.c1.trim()", Profile::mapping)->evaluate(tree, tree.root(), {}, arena);
    ASSERT_TRUE(copied && copied->size() == 1);
    EXPECT_TRUE(copied->front().copied);
    auto chosen = Expression::compile("iif(PID.f8 = 'F', 'female', 'other')", Profile::mapping)
                      ->evaluate(tree, tree.root(), {}, arena);
    ASSERT_TRUE(chosen && chosen->size() == 1);
    EXPECT_EQ(chosen->front().spans.size(), 1u);
}

std::string times(const std::string& text, int n) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
}

TEST(Expression, WhatGoesTooDeepIsRefusedNotFollowed) {
    const struct {
        const char* name;
        std::string text;
    } cases[] = {
        {"parentheses", times("(", 10000) + "1" + times(")", 10000)},
        {"members", "a" + times(".a", 10000)},
        {"indexes", "a" + times("[0]", 10000)},
        {"calls", "a" + times(".first()", 10000)},
        {"nested calls", times("iif(a, ", 10000) + "1" + times(")", 10000)},
        {"signs", times("-", 10000) + "1"},
        {"sums", "1" + times(" + 1", 10000)},
        {"unions", "a" + times(" | a", 10000)},
        {"types", "a" + times(" is String", 10000)},
    };
    for (const auto& c : cases) {
        auto made = Expression::compile(c.text);
        ASSERT_FALSE(made) << c.name;
        EXPECT_NE(made.error().message.find("nested too deeply"), std::string::npos) << c.name;
        EXPECT_LT(made.error().offset, c.text.size()) << c.name;
    }
    EXPECT_TRUE(Expression::compile("a" + times(".a", 900)));
}

TEST(Expression, WhatMultipliesIsBounded) {
    auto doubled = Expression::compile("a" + times(".select(a | b)", 60));
    ASSERT_TRUE(doubled);
    const auto reads = doubled->reads();
    ASSERT_FALSE(reads.empty());
    EXPECT_LT(reads.size(), 1000u);
    EXPECT_EQ(reads.back().path.rfind("%resource.descendants()", 0), 0u) << reads.back().path;
    auto repeated = Expression::compile(times("repeat(", 100) + "contact" + times(")", 100));
    ASSERT_TRUE(repeated);
    EXPECT_TRUE(repeated->check("Patient"));
    // A constant that is named again and again stays one constant.
    Shape shape;
    shape.root = shape.group("row");
    Known known = Known::made(Leaf::text);
    known.literals = {"x"};
    auto twice = Expression::compile("%v | %v");
    ASSERT_TRUE(twice);
    for (int i = 0; i < 60; ++i) known = twice->analyse(shape, Known::at(shape.root), {{"v", known}}).result;
    EXPECT_EQ(known.literals.size(), 1u);
}

}  // namespace
}  // namespace porta::fhirpath
