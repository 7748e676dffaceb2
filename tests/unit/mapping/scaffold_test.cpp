// What `porta map new` guesses: forms of values, names of columns, encodings and delimiters.
#include <gtest/gtest.h>

#include "formats/detect.h"
#include "mapping/scaffold/forms.h"
#include "mapping/scaffold/guess.h"
#include "mapping/scaffold/scaffold.h"
#include "mapping/scaffold/words.h"

namespace porta::mapping {
namespace {

struct DateCase {
    const char* name;
    std::vector<std::string> values;
    const char* pattern;
};
class Dates : public testing::TestWithParam<DateCase> {};
TEST_P(Dates, ArePatterns) { EXPECT_EQ(datePattern(GetParam().values), GetParam().pattern); }
INSTANTIATE_TEST_SUITE_P(Scaffold, Dates,
                         testing::Values(DateCase{"iso", {"2020-01-31", "1950-12-01"}, "iso"},
                                         DateCase{"points", {"31.01.2020", "01.12.1950"}, "dd.MM.yyyy"},
                                         DateCase{"american", {"12/31/2020", "01/12/1950"}, "MM/dd/yyyy"},
                                         DateCase{"single", {"1/2/2020", "13/12/1950"}, "d/M/yyyy"},
                                         DateCase{"packed", {"20200131", "19501201"}, "yyyyMMdd"},
                                         DateCase{"packed_day_first", {"31012020", "01121950"}, "ddMMyyyy"},
                                         DateCase{"two_digits", {"31.01.20", "01.12.50"}, "dd.MM.yy"},
                                         DateCase{"time", {"31/01/2020 10:30", "01/12/1950 00:00"}, "dd/MM/yyyy HH:mm"},
                                         DateCase{"year_first", {"2020/01/31", "1950/12/01"}, "yyyy/MM/dd"},
                                         DateCase{"numbers", {"20230000", "99999999"}, ""},
                                         DateCase{"codes", {"12.3", "7"}, ""}, DateCase{"no_values", {}, ""}),
                         [](const testing::TestParamInfo<DateCase>& info) { return std::string(info.param.name); });

TEST(Words, FoldAndCut) {
    EXPECT_EQ(wordsOf("Data di nascita"), (std::vector<std::string>{"data", "nascita"}));
    EXPECT_EQ(wordsOf("dateOfBirth"), (std::vector<std::string>{"date", "birth"}));
    EXPECT_EQ(folded("Straße / Nº"), "strassenº");
    EXPECT_EQ(folded("Płeć"), "plec");
}

TEST(Words, NameRoles) {
    for (auto [label, role] :
         {std::pair{"Data di nascita", "birth_date"}, std::pair{"Geburtsdatum", "birth_date"},
          std::pair{"fecha_nacimiento", "birth_date"}, std::pair{"Achternaam", "family"}, std::pair{"PRÉNOM", "given"},
          std::pair{"Geschlecht", "sex"}, std::pair{"Code postal", "post_code"}})
        EXPECT_EQ(matches(wordsOf(label), role), 1000) << label;
    EXPECT_EQ(matches(wordsOf("Miete max."), "family"), 0);
}

TEST(Words, TwoDigitsOfAYearPivotOnTheLatest) {
    EXPECT_NE(dateExpression("d", "dd/MM/yy", 23).find("(?:[3-9]\\\\d|2[4-9])"), std::string::npos)
        << dateExpression("d", "dd/MM/yy", 23);
    EXPECT_EQ(dateExpression("d", "iso", 23), "d");
}

TEST(Words, SexesDependOnTheirNeighbours) {
    EXPECT_EQ(sexOf("M", {"M", "F"}), "male");
    EXPECT_EQ(sexOf("M", {"H", "M"}), "female");
    EXPECT_EQ(sexOf("d", {"m", "w", "d"}), "other");
    EXPECT_EQ(sexOf("yes", {"yes", "no"}), "");
}

TEST(Detect, EncodingsAndDelimiters) {
    EXPECT_EQ(formats::detectEncoding("\xEF\xBB\xBFname"), "utf-8");
    EXPECT_EQ(formats::detectEncoding("pr\xC3\xA9nom"), "utf-8");
    EXPECT_EQ(formats::detectEncoding("Citt\xE0 di Forl\xEC, perch\xE9 cos\xEC"), "windows-1252");
    EXPECT_EQ(formats::detectEncoding(std::string_view("n\0a\0m\0e\0;\0", 10)), "utf-16le");
    formats::Detected d = formats::detect("id;sum;name\n1;3,50;\"a;b\"\n2;4,20;c\n3;1,00;d\n", "x.csv");
    EXPECT_EQ(d.settings.delimiter, ';');
    EXPECT_EQ(d.columns_agree, 1);
    EXPECT_EQ(formats::detect("MSH|^~\\&|A", "x").settings.kind, formats::Kind::hl7v2);
    EXPECT_EQ(formats::detect("{\"a\":1}\n{\"a\":2}\n", "x").settings.kind, formats::Kind::ndjson);
    EXPECT_TRUE(formats::detect("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"/>", "x").xsd);
}

TEST(Detect, OldMachines) {
    EXPECT_EQ(formats::detectEncoding("Citt\x85 di Forl\x8D, perch\x82"), "ibm-850");
    EXPECT_EQ(formats::detectEncoding("Pr\x8Enom, Zo\x8E, \x83loi, tr\x8Fs"), "macintosh");
    // A typographic apostrophe is Windows', not an old machine's letter.
    EXPECT_EQ(formats::detectEncoding("dell\x92"
                                      "Esempio e un\x92"
                                      "altra"),
              "windows-1252");
}

TEST(Csv, RaggedRowsSayNothingWhereTheyEnd) {
    formats::Settings csv;
    csv.kind = formats::Kind::csv;
    formats::NodeTree tree;
    EXPECT_FALSE(formats::parse(csv, "1,2", "a,b,c", tree));
    EXPECT_FALSE(formats::parse(csv, "1,2,3,", "a,b,c", tree));
    csv.ragged = true;
    ASSERT_TRUE(formats::parse(csv, "1,2", "a,b,c", tree));
    EXPECT_EQ(tree[tree.child(tree.root(), "b")].text, "2");
    EXPECT_EQ(tree.child(tree.root(), "c"), formats::kNoNode);
    EXPECT_TRUE(formats::parse(csv, "1,2,3,,", "a,b,c", tree));
    EXPECT_FALSE(formats::parse(csv, "1,2,3,4", "a,b,c", tree)) << "a value without a column is not dropped";
}

TEST(Scaffold, KeepsNoValueButShortCodes) {
    std::string text = "id;cognome;nome;nato;stato\n";
    for (int i = 0; i < 40; ++i)
        text += std::to_string(i) + ";Inventi" + std::to_string(i) + ";Ada;01/02/19" + std::to_string(50 + i) + ";" +
                (i % 2 ? "A" : "B") + "\n";
    auto made = scaffold("/invented/iscritti_disoccupazione.csv", text, {});
    ASSERT_TRUE(made) << made.error().message;
    for (const auto& [name, content] : made->files) EXPECT_EQ(content.find("Inventi"), std::string::npos) << name;
    EXPECT_NE(made->files.at(made->mapping).find("codes: A B"), std::string::npos);
    EXPECT_NE(made->files.at(made->mapping).find("record: job_seeking"), std::string::npos);
}

TEST(Scaffold, AFileWithoutRecordsIsRefused) {
    EXPECT_FALSE(scaffold("/invented/empty.csv", "", {}));
    EXPECT_FALSE(scaffold("/invented/x.csv", "a;b\n1;2\n", {"csw", "", "", ""}));
}

}  // namespace
}  // namespace porta::mapping
