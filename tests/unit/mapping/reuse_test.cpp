// An outcome that is filled again says what a new one says, whatever it held before.
#include "mapping/engine/reuse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

#include "mapping/engine/golden_file.h"
#include "tests/unit/mapping/files.h"

namespace porta::mapping {
namespace {

struct Record {
    std::shared_ptr<const Program> program;
    Input input;
    std::string expected;
};

std::string written(const Outcome& out) {
    return std::to_string(static_cast<int>(out.state)) + " " + out.rule + " " + out.error.message + " " +
           (out.key_unreadable ? "unreadable " : "") + schemas::encode(out.operations);
}

/// By a thread of its own, which has no memory of records before.
std::string mappedAnew(const Record& r) {
    std::string text;
    std::thread([&] {
        formats::NodeTree tree;
        text = written(r.program->map(r.program->format(), r.input, tree));
    }).join();
    return text;
}

TEST(Reuse, AnOutcomeFilledAgainIsThatOfANewOne) {
    std::vector<Record> records;
    std::vector<Result<std::vector<GoldenCase>>> kept;  // the inputs view them
    for (const auto& entry : std::filesystem::directory_iterator(kLibrary)) {
        if (entry.path().extension() != ".yaml") continue;
        auto program = Program::load(entry.path().string());
        ASSERT_TRUE(program) << program.error().message;
        kept.push_back(loadGoldens(goldenFolder(entry.path().string()), (*program)->format(), false));
        ASSERT_TRUE(kept.back()) << kept.back().error().message;
        for (const GoldenCase& c : *kept.back())
            for (std::size_t i = 0; i < c.units.units.size(); ++i)
                for (bool full : {false, true}) {
                    Record r{*program, c.input(i), {}};
                    r.input.full_snapshot = full;
                    r.expected = mappedAnew(r);
                    records.push_back(std::move(r));
                }
    }
    ASSERT_GT(records.size(), 100u);
    std::mt19937 rnd(11);
    formats::NodeTree tree;
    Outcome out;
    for (int round = 0; round < 20; ++round) {
        std::shuffle(records.begin(), records.end(), rnd);
        for (const Record& r : records) {
            mapInto(*r.program, r.program->format(), r.input, tree, out);
            ASSERT_EQ(written(out), r.expected) << r.program->name();
        }
    }
}

// Texts behind computed values are looked for node by node at first, then by an index.
TEST(Reuse, ManyComputedValuesOfARecordKeepTheirTexts) {
    constexpr int kColumns = 40;
    std::string mapping = "mapping: m\ninput: {format: csv, model: open}\nemit:\n  - record: person\n    key: c0\n";
    std::string header = "c0", row = "v0";
    for (int i = 1; i < kColumns; ++i) {
        header += ",c" + std::to_string(i);
        row += ",v" + std::to_string(i);
    }
    mapping += "    fields:\n      languages: [";
    for (int i = 1; i < kColumns; ++i) mapping += (i > 1 ? ", " : "") + ("\"c" + std::to_string(i) + " & '!'\"");
    auto program = Program::load(mapping::written("many.yaml", mapping + "]\n"));
    ASSERT_TRUE(program) << program.error().message;
    Input input;
    input.bytes = row;
    input.context = header;
    input.source = "s";
    input.object_time = "2024-01-01";
    formats::NodeTree tree;
    const Outcome out = (*program)->map((*program)->format(), input, tree);
    ASSERT_EQ(out.operations.size(), 1u) << out.error.message;
    ASSERT_EQ(out.operations[0].leaves.size(), kColumns - 1u);
    for (const schemas::Leaf& leaf : out.operations[0].leaves) {
        ASSERT_EQ(leaf.sources.size(), 1u);
        EXPECT_EQ(leaf.value, leaf.sources[0].decoded + "!");
        EXPECT_EQ(row.substr(leaf.sources[0].offset, leaf.sources[0].length), leaf.sources[0].decoded);
    }
}

}  // namespace
}  // namespace porta::mapping
