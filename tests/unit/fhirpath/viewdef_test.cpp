// What a ViewDefinition refuses, and how rows are written; rows themselves are tested by tests/suites/viewdef.
#include <gtest/gtest.h>

#include <algorithm>

#include "fhirpath/viewdef/view_definition.h"
#include "formats/format.h"

namespace porta::fhirpath {
namespace {

/// JSON written with single quotes.
std::string json(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '\'', '"');
    return out;
}

/// The rows as CSV, or `!` and what is wrong.
std::string run(const std::string& view_text, bool strict = false) {
    formats::NodeTree view_tree, tree;
    if (!formats::parse(formats::Settings{}, view_text, {}, view_tree)) return "no JSON";
    auto view = ViewDefinition::compile(view_tree, view_tree.root(), {}, strict);
    if (!view) return "!" + view.error().message;
    formats::Settings settings;
    settings.fhir = true;
    const std::string patient =
        R"({"resourceType":"Patient","id":"p1","name":[{"family":"Testa","text":"a, b"},{"family":"Prova","text":"say \"x\""}]})";
    if (!formats::parse(settings, patient, {}, tree)) return "no resource";
    Arena arena;
    std::vector<Row> rows;
    if (auto made = view->rows(tree, tree.root(), arena, rows); !made) return "!" + made.error().message;
    std::string out = headerCsv(view->columns());
    for (const Row& row : rows) out += rowCsv(view->columns(), row, tree);
    return out;
}

/// A view of Patient with these selections.
std::string patients(std::string_view selects) {
    return json("{'resource':'Patient','select':[" + std::string(selects) + "]}");
}

TEST(ViewDefinition, Refused) {
    const std::pair<std::string, std::string_view> cases[] = {
        {json("{'select':[{'column':[{'name':'a','path':'id'}]}]}"), "view.resource: is missing"},
        {json("{'resource':'Patient'}"), "view.select: is missing"},
        {patients("{'column':[{'name':'a','path':'@@'}]}"), "select[0].column[0].path: FHIRPath"},
        {patients("{'column':[{'name':'a b','path':'id'}]}"), "select[0].column[0].name"},
        {patients("{'column':[{'name':'_a','path':'id'}]}"), "select[0].column[0].name"},
        {patients("{'column':[{'path':'id'}]}"), "select[0].column[0].name: is missing"},
        {patients("{'column':[{'name':'a'}]}"), "select[0].column[0].path: is missing"},
        {patients("{'column':[{'name':'a','path':'id'},{'name':'a','path':'id'}]}"), "`a` is there twice"},
        {patients("{'column':[{'name':'a','path':'id'}]},{'forEach':'name','column':[{'name':'a','path':'family'}]}"),
         "`a` is there twice"},
        {patients("{'unionAll':[{'column':[{'name':'a','path':'id'}]},{'column':[{'name':'b','path':'id'}]}]}"),
         "unionAll[1]: other columns"},
        {patients("{'unionAll':[{'column':[{'name':'a','path':'id'},{'name':'b','path':'id'}]},"
                  "{'column':[{'name':'b','path':'id'},{'name':'a','path':'id'}]}]}"),
         "unionAll[1]: other columns"},
        {patients("{'unionAll':[{'column':[{'name':'a','path':'id','type':'id'}]},"
                  "{'column':[{'name':'a','path':'active','type':'boolean'}]}]}"),
         "unionAll[1]: other columns"},
        {patients("{'column':[{'name':'a','path':'%gone'}]}"), "the constant `%gone` is not defined"},
        {patients("{'forEachOrNul':'name','column':[{'name':'a','path':'id'}]}"), "did you mean `forEachOrNull`?"},
        {patients("{'forEach':'name','forEachOrNull':'name','column':[{'name':'a','path':'family'}]}"),
         "one of forEach"},
        {patients("{'forEach':1,'column':[{'name':'a','path':'family'}]}"), "select[0].forEach: a text expected"},
        {patients("'name'"), "select[0]: an object expected"},
        {patients("{'forEach':'name'}"), "a column, a select or a unionAll expected"},
        {json("{'resource':'Patient','constant':[{'name':'c'}],'select':[{'column':[{'name':'a','path':'id'}]}]}"),
         "constant[0]: a value expected"},
        {json("{'resource':'Patient','constant':[{'name':'c','valueQuantity':{'value':1}}],"
              "'select':[{'column':[{'name':'a','path':'id'}]}]}"),
         "constant[0]"},
        {patients("{'column':[{'name':'a','path':'name.family'}]}"), "`a` has 2 values and is no collection"},
    };
    for (const auto& [view, expected] : cases) {
        const std::string got = run(view);
        EXPECT_EQ(got.substr(0, 1), "!") << view << got;
        EXPECT_NE(got.find(expected), std::string::npos) << view << "\n" << got;
    }
}

TEST(ViewDefinition, StrictHoldsPathsAgainstTheModel) {
    const std::string misspelt =
        json("{'resource':'Patient','where':[{'path':'activ'}],'select':[{'column':[{'name':'a','path':'id'}]}]}");
    EXPECT_EQ(run(misspelt), "a\r\n");
    EXPECT_NE(
        run(misspelt, true).find("where[0].path: FHIRPath: `Patient` has no element `activ`; did you mean `active`?"),
        std::string::npos)
        << run(misspelt, true);
    const std::string nested = patients("{'forEach':'name','column':[{'name':'a','path':'familly'}]}");
    EXPECT_NE(run(nested, true).find("`HumanName` has no element `familly`; did you mean `family`?"), std::string::npos)
        << run(nested, true);
    EXPECT_EQ(run(patients("{'forEach':'name','column':[{'name':'a','path':'family'}]}"), true),
              "a\r\nTesta\r\nProva\r\n");
}

TEST(ViewDefinition, Csv) {
    EXPECT_EQ(run(patients(
                  "{'forEach':'name','column':[{'name':'t','path':'text'},{'name':'p','path':'prefix'},"
                  "{'name':'f','path':'family','collection':true},{'name':'e','path':'%context.where(false) & {}'}]}")),
              "t,p,f,e\r\n\"a, b\",,\"[\"\"Testa\"\"]\",\"\"\r\n\"say \"\"x\"\"\",,\"[\"\"Prova\"\"]\",\"\"\r\n");
}

}  // namespace
}  // namespace porta::fhirpath
