// After the first records a reader asks the heap for nothing: what it needs stays with the tree and the thread. In an executable of
// its own, since it counts every allocation of the program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "formats/format.h"

namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace porta::formats {
namespace {

std::size_t perRecord(const Settings& settings, std::string_view object) {
    auto units = split(settings, object);
    EXPECT_TRUE(units);
    NodeTree tree;
    std::size_t before = 0;
    for (int round = 0; round < 4; ++round) {
        before = allocations;
        for (const Unit& u : units->units) {
            auto read = parse(settings, object.substr(u.offset, u.length), units->context, tree);
            EXPECT_TRUE(read) << read.error().message;
        }
    }
    return allocations - before;
}

Settings of(Kind kind) {
    Settings s;
    s.kind = kind;
    if (kind == Kind::fixed) s.columns = *columnsFrom({"number:6", "a-column-with-a-long-name:24", "born:8"});
    return s;
}

TEST(Allocation, TheCounterCounts) {
    const std::size_t before = allocations;
    auto text = std::make_unique<std::string>(100, 'x');
    EXPECT_EQ(allocations - before, 2u);
}

TEST(Allocation, NoneForARecordOnceItIsWarm) {
    EXPECT_EQ(
        perRecord(
            of(Kind::json),
            R"({"resourceType":"Patient","name":[{"family":"PROVETTA","given":["Zoë, a longer text","A\u00e9 \"quoted\" and long"]}],"n":[1,2.50,[true,null]]})"),
        0u);
    EXPECT_EQ(perRecord(of(Kind::ndjson), "{\"a\":1}\n{\"a\":\"a text of more than fifteen bytes\\n\"}\n"), 0u);
    EXPECT_EQ(
        perRecord(of(Kind::csv),
                  "number,family_name_of_the_person,born\n1,PROVETTA,1981-03-07\n2,Òttava parola lunga,1990-01-02\n"),
        0u);
    EXPECT_EQ(perRecord(of(Kind::hl7v2),
                        "MSH|^~\\&|ADT|HOSPITAL|||20240502101500||ADT^A08|4711|P|2.5.1||||||UNICODE "
                        "UTF-8\rPID|1||100200^^^HOSPITAL^MR~7||PROVETTA DÒTTORATI^ANNA \\T\\ more than fifteen "
                        "bytes||19810307|\"\"\r"),
              0u);
    Settings groups = of(Kind::hl7v2);
    groups.groups = true;
    EXPECT_EQ(
        perRecord(groups,
                  "MSH|^~\\&|LAB|HOSPITAL|||20240502101500||ORU^R01|4711|P|2.5\rPID|1||100200^^^HOSPITAL^MR\rOBR|1\r"
                  "OBX|1|ST|a^b||a text of more than fifteen bytes\rNTE|1\rZZZ|1\rOBR|2\rOBX|1|ST|c||d\rDSC|1\r"),
        0u);
    EXPECT_EQ(perRecord(of(Kind::fixed), "A00001PROVETTA ÀNNA DA LONTANO19810307\n"), 0u);
    EXPECT_EQ(perRecord(of(Kind::edifact),
                        "UNB+UNOC:3+S+R+240502:1015+I'UNH+1+INVOIC:D:96A:UN'NAD+BY+++A NAME OF MORE THAN FIFTEEN "
                        "BYTES'UNT+3+1'UNZ+1+I'"),
              0u);
}

}  // namespace
}  // namespace porta::formats
