// No heap allocation for a record after warm-up, in any mapping that we ship: every published record of the goldens, over and
// over, into one outcome. A program of its own, because it counts what the whole process asks for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <new>

#include "mapping/engine/golden_file.h"
#include "mapping/engine/reuse.h"
#include "tests/unit/mapping/files.h"

namespace {

std::size_t allocations = 0;

void* counted(std::size_t size) {
    ++allocations;
    if (void* at = std::malloc(size ? size : 1)) return at;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }

namespace porta::mapping {
namespace {

namespace fs = std::filesystem;

struct Record {
    Input input;
    std::string where;
};

TEST(Allocations, AreCounted) {
    const std::size_t before = allocations;
    auto* text = new std::string(100, 'x');
    EXPECT_GE(allocations - before, 2u);
    delete text;
}

TEST(Allocations, NoneForARecordAfterWarmUp) {
    for (const auto& entry : fs::directory_iterator(fs::path(PORTA_ROOT) / "mapping/library")) {
        if (entry.path().extension() != ".yaml") continue;
        auto program = Program::load(entry.path().string());
        ASSERT_TRUE(program) << program.error().message;
        const formats::Settings& format = (*program)->format();
        auto cases = loadGoldens(goldenFolder(entry.path().string()), format, false);
        ASSERT_TRUE(cases) << cases.error().message;
        formats::NodeTree tree;
        Outcome outcome;
        // A refusal is a text that somebody will read: it may cost one.
        std::vector<Record> records;
        for (const GoldenCase& c : *cases)
            for (std::size_t i = 0; i < c.units.units.size(); ++i) {
                mapInto(**program, format, c.input(i), tree, outcome);
                if (outcome.state == State::published)
                    records.push_back({c.input(i), c.name + " " + std::to_string(i)});
            }
        ASSERT_FALSE(records.empty());
        for (int round = 0; round < 100; ++round)
            for (const Record& r : records) mapInto(**program, format, r.input, tree, outcome);
        for (const Record& r : records) {
            const std::size_t before = allocations;
            mapInto(**program, format, r.input, tree, outcome);
            const std::size_t made = allocations - before;
            EXPECT_EQ(made, 0u) << entry.path().filename() << " " << r.where;
        }
    }
}

/// Tables that expressions ask are looked up when a mapping is loaded.
TEST(Allocations, NoneForWhatTablesAnswer) {
    auto program = Program::load(
        written("m.yaml",
                "mapping: m\ninput: {format: csv, model: {columns: [id, sex, job]}}\n"
                "tables:\n  sexes: {about: \"http://example.org/sexes\", rows: {M: male, F: female}}\n"
                "emit:\n  - record: person\n    key: id\n    version: {order: arrival}\n"
                "    when: \"sex.memberOf('https://porta.example/schemas/entities/person.json#sex').not() and "
                "%terminologies.subsumes('nace-2.1', 'K', job) = 'subsumes'\"\n"
                "    fields: {sex: \"%terminologies.translate('sexes', sex).parameter.where(name = 'match')"
                ".part.where(name = 'concept').value.code\"}\n"));
    ASSERT_TRUE(program) << program.error().message;
    Input input;
    input.bytes = "1,M,62.10";
    input.context = "id,sex,job";
    input.source = "s";
    formats::NodeTree tree;
    Outcome outcome;
    for (int round = 0; round < 100; ++round) mapInto(**program, (*program)->format(), input, tree, outcome);
    ASSERT_EQ(outcome.state, State::published) << outcome.error.message;
    const std::size_t before = allocations;
    mapInto(**program, (*program)->format(), input, tree, outcome);
    EXPECT_EQ(allocations - before, 0u);
}

TEST(Allocations, NoneForARecordReadByGroups) {
    auto program = Program::load(written("groups_allocations.yaml",
                                         "mapping: orders\n"
                                         "input: {format: hl7v2, groups: true, when: MSH.f9.c1 = 'ORU'}\n"
                                         "emit:\n"
                                         "  - record: involvement\n"
                                         "    each: PATIENT_RESULT.ORDER_OBSERVATION\n"
                                         "    key: OBR.f3.c1\n"
                                         "    subjects: [{id: \"preceding('PID').f3.first().c1\"}]\n"
                                         "    fields: {role: OBR.f4.c2, contact: OBSERVATION.OBX.f5.first()}\n"));
    ASSERT_TRUE(program) << program.error().message;
    formats::Settings source;
    source.kind = formats::Kind::hl7v2;
    source.encoding = "utf-8";
    Input input;
    input.bytes =
        "MSH|^~\\&|LAB|A|||20240501||ORU^R01|7|P|2.5.1\rPID|1||4711||TESTA^ADA\rOBR|1||A1|718-7^A name of more than "
        "fifteen\r"
        "OBX|1|NM|718-7||13.1\rZZZ|1\rOBR|2||A2|789-8^Erythrocytes\rOBX|1|NM|789-8||4.4\rOBX|2|NM|785-6||29\r";
    input.source = "lab";
    input.object_time = "2024-05-01";
    formats::NodeTree tree;
    Outcome outcome;
    for (int round = 0; round < 100; ++round) mapInto(**program, source, input, tree, outcome);
    ASSERT_EQ(outcome.operations.size(), 2u) << outcome.error.message;
    const std::size_t before = allocations;
    mapInto(**program, source, input, tree, outcome);
    const std::size_t made = allocations - before;
    EXPECT_EQ(made, 0u);
}

}  // namespace
}  // namespace porta::mapping
