// Goldens: strict about their own form, and able to notice a broken mapping.
#include "mapping/engine/golden.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "mapping/engine/check.h"
#include "mapping/engine/mutate.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

namespace fs = std::filesystem;

/// A mapping of one rule with one case, in a folder of the test's own.
struct Bench {
    fs::path folder;
    explicit Bench(const std::string& name) : folder(fs::path(testing::TempDir()) / ("golden_" + name)) {
        fs::remove_all(folder);
        fs::create_directories(folder / "goldens/m");
        std::ofstream(folder / "m.yaml") << "mapping: m\ninput: {format: csv, when: id.exists()}\nemit:\n"
                                            "  - {record: person, key: id, fields: {birth_date: born}}\n";
        std::ofstream(folder / "goldens/m/rows.csv") << "id,born\n1,1980-05-17\n,1980\n";
    }
    std::string mapping() const { return (folder / "m.yaml").string(); }
    fs::path file() const { return folder / "goldens/m/rows.expected.json"; }
    void expect(const std::string& text) const { std::ofstream(file(), std::ios::binary) << text; }
};

const char* kPublished =
    R"({"state":"published","operations":[{"key":"example|person|1","entity":"person","op":"upsert","version":"2024-05-01",)"
    R"("record":{"birth_date":"1980-05-17"},"issues":[],"how":{"birth_date":"copied"}}]})";
const char* kSkipped = R"({"state":"skipped","rule":"no-mapping:record","operations":[]})";

TEST(Golden, IsAsExpectedAndCoversTheRules) {
    Bench bench("same");
    bench.expect(std::string("[\n") + kPublished + ",\n" + kSkipped + "\n]\n");
    auto report = testMapping(bench.mapping());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok());
    EXPECT_EQ(report->rules, 4u);  // the emit, its field, and both answers of the input's condition
}

TEST(Golden, NamesWhatDiffersAndWhatIsNotReached) {
    Bench bench("differs");
    std::ofstream(bench.folder / "goldens/m/rows.csv") << "id,born\n1,1980-05-18\n";
    bench.expect(std::string("[\n") + kPublished + "\n]\n");
    auto report = testMapping(bench.mapping());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->cases[0].difference,
              "raw record 0: operations/0/record/birth_date: expected \"1980-05-17\", found \"1980-05-18\"\n");
    ASSERT_EQ(report->unused.size(), 1u);
    EXPECT_EQ(report->unused[0].name, "input.when (never fails)");
    EXPECT_EQ(report->unused[0].line, 2);
}

TEST(Golden, BlessWritesWhatCameOutAndKeepsMatchers) {
    Bench bench("bless");
    const std::string matcher =
        R"({"state":"published","operations":[{"key":{"$matches":"example.*"},"entity":"person","op":"upsert",)"
        R"("version":{"$any":"text"},"record":{"birth_date":"1980-05-17"},"issues":[],"how":{"birth_date":"copied"}}]})";
    bench.expect("[\n" + matcher + ",\n" + kPublished + "\n]\n");
    auto report = testMapping(bench.mapping(), {}, true);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok());
    EXPECT_NE(report->cases[0].change.find("~ raw record 1: state: expected \"published\", found \"skipped\""),
              std::string::npos)
        << report->cases[0].change;
    EXPECT_EQ(slurp(bench.file()), "[\n" + matcher + ",\n" + kSkipped + "\n]\n");
    auto again = testMapping(bench.mapping(), {}, true);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->cases[0].change, "");
}

struct Form {
    const char* name;
    const char* text;
    const char* message;
};
class MisspeltGolden : public testing::TestWithParam<Form> {};
TEST_P(MisspeltGolden, IsAnErrorWithItsPlace) {
    Bench bench(GetParam().name);
    bench.expect(GetParam().text);
    auto report = testMapping(bench.mapping());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::misconfigured);
    EXPECT_NE(report.error().message.find(GetParam().message), std::string::npos) << report.error().message;
    EXPECT_FALSE(checkMapping(bench.mapping()).ok());
}
INSTANTIATE_TEST_SUITE_P(
    Golden, MisspeltGolden,
    testing::Values(
        Form{"matcher",
             "[\n{\"state\":\"published\",\"operations\":[{\"key\":{\"$anny\":\"text\"},\"entity\":\"person\",\"op\":"
             "\"upsert\","
             "\"record\":{},\"how\":{}}]}]",
             "rows.expected.json:2:44: unknown matcher `$anny`; did you mean `$any`?"},
        Form{"matcher_kind",
             "[\n{\"state\":\"published\",\"operations\":[{\"key\":{\"$any\":\"txt\"},\"entity\":\"person\",\"op\":"
             "\"upsert\","
             "\"record\":{},\"how\":{}}]}]",
             "unknown kind `txt`; did you mean `text`?"},
        Form{"key", "[\n{\"sate\":\"skipped\",\"operations\":[]}]", ":2:2: unknown key `sate`; did you mean `state`?"},
        Form{"state", "[{\"state\":\"skiped\",\"operations\":[]}]", "unknown state `skiped`; did you mean `skipped`?"},
        Form{"field",
             "[{\"state\":\"published\",\"operations\":[{\"key\":\"k\",\"entity\":\"person\",\"op\":\"upsert\","
             "\"record\":{\"birthdate\":\"1980\"},\"how\":{}}]}]",
             "unknown key `birthdate`; did you mean `birth_date`?"},
        Form{"how",
             "[{\"state\":\"published\",\"operations\":[{\"key\":\"k\",\"entity\":\"person\",\"op\":\"upsert\","
             "\"record\":{},\"how\":{\"sex\":\"copy\"}}]}]",
             "unknown kind of value `copy`"},
        Form{"twice", "[{\"state\":\"skipped\",\"state\":\"skipped\",\"operations\":[]}]", "stands twice"},
        Form{"form", "{}", "a list with one outcome for each raw record expected"}),
    [](const testing::TestParamInfo<Form>& info) { return std::string(info.param.name); });

TEST(Golden, AnAnswerWithoutInputIsAnError) {
    Bench bench("orphan");
    bench.expect("[]");
    std::ofstream(bench.folder / "goldens/m/other.expected.json") << "[]";
    auto report = testMapping(bench.mapping());
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("expected of no input"), std::string::npos) << report.error().message;
}

TEST(Mutants, HaveOneThingWrong) {
    std::vector<std::string> texts;
    for (const auto& c : changedExpressions("a.exists() and b[0].f7.first() = 'x and y'", true))
        texts.push_back(c.text);
    const std::vector<std::string> expected = {
        "a.empty() and b[0].f7.first() = 'x and y'",          "a.exists() or b[0].f7.first() = 'x and y'",
        "a.exists() and b[1].f7.first() = 'x and y'",         "a.exists() and b[0].f8.first() = 'x and y'",
        "a.exists() and b[0].f7.skip(1).first() = 'x and y'", "a.exists() and b[0].f7.first() != 'x and y'",
        "a.exists() and b[0].f7.first() = 'x and y~'",
    };
    EXPECT_EQ(texts, expected);
    EXPECT_TRUE(changedExpressions("f7", false).empty());
}

TEST(Mutants, SayNothingOfWhatCannotMatter) {
    auto yaml = parseYaml(
        "mapping: m\ninput: {format: csv, delimiter: \",\"}\n"
        "tables: {t: {rows: {a: x, b: y}, otherwise: x}}\n"
        "emit:\n  - {record: person, key: id, fields: {sex: {expr: s, translate: t, onMany: error}}}\n",
        "m.yaml");
    ASSERT_TRUE(yaml) << yaml.error().message;
    for (const Mutant& m : mutantsOf(*yaml)) {
        EXPECT_FALSE(m.rule == "input.delimiter" || m.rule == "emit[0].fields.sex.onMany") << m.rule << ": " << m.what;
        EXPECT_FALSE(m.rule == "tables.t.rows.a" && m.what == "dropped");
    }
}

// The gate over all mappings that are shipped: at least 95 % of the mutants change some golden.
TEST(Mutants, OfTheLibraryAreKilled) {
    std::size_t killed = 0, judged = 0;
    std::string survivors;
    for (const auto& entry : fs::directory_iterator(kLibrary)) {
        if (entry.path().extension() != ".yaml") continue;
        auto report = testMutants(entry.path().string());
        ASSERT_TRUE(report) << report.error().message;
        killed += report->killed;
        judged += report->judged();
        for (const Mutant& m : report->survived)
            survivors += report->file + ":" + std::to_string(m.line) + ": " + m.rule + ": " + m.what + "\n";
    }
    EXPECT_GT(judged, 900u);
    EXPECT_GE(killed * 1000, judged * 950) << survivors;
}

// The negative control: with one case of a mapping taken away the gate does not hold.
TEST(Mutants, SurviveWhenAGoldenIsTakenAway) {
    for (const auto& [mapping, taken] : {std::pair{"hl7v2-adt", "codes"}, {"ssda903-episodes", "codes"}}) {
        const fs::path folder = fs::path(testing::TempDir()) / "fewer_goldens";
        fs::remove_all(folder);
        fs::copy(kLibrary / "goldens" / mapping, folder);
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().filename().string().starts_with(taken)) fs::remove(entry.path());
        auto report = testMutants((kLibrary / (std::string(mapping) + ".yaml")).string(), folder.string());
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_LT(report->share(), 950u) << mapping;
        EXPECT_FALSE(report->survived.empty());
    }
}

}  // namespace
}  // namespace porta::mapping
