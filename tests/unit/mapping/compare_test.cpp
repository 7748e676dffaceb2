// Two versions of a mapping, by what they mean.
#include "mapping/engine/compare.h"

#include <gtest/gtest.h>

#include "base/yaml.h"

namespace porta::mapping {
namespace {

const std::string kBefore =
    "mapping: m\ninput: {format: csv, when: id.exists()}\nlet: {born: geb}\n"
    "tables: {sex: {rows: {m: male, w: female}}}\n"
    "emit:\n"
    "  - record: person\n    key: id\n"
    "    fields:\n"
    "      birth_date: '%born'\n"
    "      sex: {expr: s, translate: sex}\n"
    "      names: {when: family.exists(), family: family, given: [first]}\n";

std::shared_ptr<const Program> program(const std::string& text) {
    auto yaml = parseYaml(text, "m.yaml");
    if (!yaml) throw std::runtime_error(yaml.error().message);
    auto made = Program::compile(*yaml, "m.yaml");
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("no such text: " + from);
    return text.replace(at, from.size(), to);
}

std::string differences(const std::string& after) {
    auto a = program(kBefore), b = program(after);
    std::string out;
    for (const FieldChange& c : compareMappings(*a, *b)) {
        out += (out.empty() ? "" : "; ") + c.emit + " " + c.path + " " + std::string(name(c.kind));
        if (c.kind == FieldChange::Kind::changed)
            for (const auto& aspect : c.aspects)
                out += " [" + aspect.name + ": " + aspect.before + " > " + aspect.after + "]";
    }
    return out;
}

TEST(Compare, SaysNothingOfWhatMeansTheSame) {
    EXPECT_EQ(differences(kBefore), "");
    EXPECT_EQ(differences("# moved\n" + kBefore), "");
    EXPECT_EQ(differences(changed(kBefore, "{m: male, w: female}", "{w: female, m: male}")), "");
}

TEST(Compare, NamesTheFieldAndWhatItMeansOtherwise) {
    EXPECT_EQ(differences(changed(kBefore, "given: [first]", "given: [second]")),
              "person upsert names/given changed [expression: first > second]");
    EXPECT_EQ(differences(changed(kBefore, "born: geb", "born: dob")),
              "person upsert birth_date changed [%born: geb > dob]");
    EXPECT_EQ(differences(changed(kBefore, "w: female", "f: female")),
              "person upsert sex changed [table row f:  > female | equal] [table row w: female | equal > ]");
    EXPECT_EQ(differences(changed(kBefore, "translate: sex}", "translate: sex, onMany: first}")),
              "person upsert sex changed [onMany:  > first]");
    EXPECT_EQ(differences(changed(kBefore, "      birth_date: '%born'\n", "")), "person upsert birth_date removed");
    EXPECT_EQ(differences(changed(kBefore, "key: id", "key: nr")), "person upsert (key) changed [expression: id > nr]");
    EXPECT_EQ(differences(changed(kBefore, "csv, when: id.exists()", "csv, when: nr.exists()")),
              " input changed [when: id.exists() > nr.exists()]");
    // The condition of a group is one of each field in it.
    EXPECT_EQ(differences(changed(kBefore, "when: family.exists()", "when: first.exists()")),
              "person upsert names/family changed [when of names: family.exists() > first.exists()]; "
              "person upsert names/given changed [when of names: family.exists() > first.exists()]");
}

TEST(Compare, TellsEmitsOfOneKindApart) {
    const std::string second = "  - {record: person, key: other, fields: {birth_date: x}}\n";
    EXPECT_EQ(differences(kBefore + second),
              "person upsert 2 (key) added; person upsert 2 (version) added; person upsert 2 birth_date added");
}

}  // namespace
}  // namespace porta::mapping
