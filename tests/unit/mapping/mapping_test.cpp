#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "mapping/engine/golden.h"
#include "mapping/engine/targets.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

namespace fs = std::filesystem;

TEST(Library, EveryGoldenIsAsExpectedAndEveryRuleCovered) {
    std::size_t mappings = 0;
    for (const auto& entry : fs::directory_iterator(kLibrary)) {
        if (entry.path().extension() != ".yaml") continue;
        ++mappings;
        auto report = testMapping(entry.path().string());
        ASSERT_TRUE(report) << report.error().message;
        for (const auto& c : report->cases) EXPECT_EQ(c.difference, "") << entry.path().filename() << " " << c.name;
        for (const auto& rule : report->unused)
            ADD_FAILURE() << rule.file << ":" << rule.line << " " << rule.name << " is reached by no golden";
    }
    EXPECT_GE(mappings, 7u);
}

// The negative control: a golden that survives the loss of a rule proves nothing.
TEST(Library, AGoldenFailsWhenARuleIsDropped) {
    std::string text = slurp(kLibrary / "unemployment-register.yaml");
    std::string rule = "      birth_date: data_nascita\n";
    auto at = text.find(rule);
    ASSERT_NE(at, std::string::npos);
    text.erase(at, rule.size());
    auto report = testMapping(written("dropped.yaml", text), (kLibrary / "goldens/unemployment-register").string());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->ok());
}

struct Refusal {
    const char* name;
    const char* text;
    const char* message;
};
class Refused : public testing::TestWithParam<Refusal> {};
TEST_P(Refused, NamesThePlaceAndTheNearest) {
    auto program = Program::load(written(std::string(GetParam().name) + ".yaml", GetParam().text));
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().code, Errc::misconfigured);
    EXPECT_NE(program.error().message.find(GetParam().message), std::string::npos) << program.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Mapping, Refused,
    testing::Values(
        Refusal{"key", "mapping: m\ninput: {format: csv}\nemits: []\n", "(nearest: emit)"},
        Refusal{"field",
                "mapping: m\ninput: {format: csv}\nemit:\n  - record: person\n    key: a\n    fields: {birthdate: b}\n",
                ":6:14: error: unknown-field: unknown field `birthdate` (nearest: birth_date)"},
        Refusal{"entity", "mapping: m\ninput: {format: csv}\nemit:\n  - {record: persn, key: a, fields: {sex: b}}\n",
                "(nearest: person)"},
        Refusal{"table",
                "mapping: m\ninput: {format: csv}\nemit:\n  - {record: person, key: a, fields: {sex: {expr: b, "
                "translate: sx}}}\n",
                "unknown table `sx`"},
        Refusal{"twice", "mapping: m\nmapping: n\n", "stands twice"},
        Refusal{
            "clock",
            "mapping: m\ninput: {format: csv}\nemit:\n  - {record: person, key: a, fields: {birth_date: today()}}\n",
            ":4:"},
        Refusal{"subject",
                "mapping: m\ninput: {format: csv}\nemit:\n  - {record: condition, key: a, fields: {status: b}}\n",
                "`subjects` is missing"}),
    [](const testing::TestParamInfo<Refusal>& info) { return std::string(info.param.name); });

TEST(Targets, KnowListsGroupsAndLeaves) {
    EXPECT_EQ(targetOf("person", "names"), Target::list);
    EXPECT_EQ(targetOf("person", "names/N"), Target::group);
    EXPECT_EQ(targetOf("person", "names/N/given"), Target::list);
    EXPECT_EQ(targetOf("encounter", "worker"), Target::group);
    EXPECT_EQ(targetOf("encounter", "kind"), Target::coded);
    EXPECT_EQ(targetOf("encounter", "nothing"), Target::none);
}

}  // namespace
}  // namespace porta::mapping
