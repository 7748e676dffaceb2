// Segments below the groups of their message's structure: where each one goes, and that none is lost on the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "formats/format.h"
#include "formats/hl7v2_groups.h"
#include "tests/unit/formats/trees.h"

namespace porta::formats {
namespace {

namespace fs = std::filesystem;

Settings grouped() {
    Settings s = settings(Kind::hl7v2);
    s.groups = true;
    return s;
}

/// `PATIENT(PID PV1) OBX`: the segments and groups below a node.
std::string below(const NodeTree& t, NodeId of) {
    std::string out;
    for (NodeId c = t[of].first_child; c != kNoNode; c = t[c].next_sibling) {
        out += (out.empty() ? "" : " ") + std::string(t[c].name);
        if (t.level(c) == 0) out += "(" + below(t, c) + ")";
    }
    return out;
}

std::string message(const std::string& type, const std::string& version, const std::string& segments) {
    std::string raw = "MSH|^~\\&|A|B|||20240101||" + type + "|1|P|" + version + "\r";
    std::istringstream names(segments);
    for (std::string name; names >> name;) raw += name + "|1\r";
    return raw;
}

/// What a message of these segments becomes, without its header; `flat: …` where its structure is not known.
std::string shape(const std::string& type, const std::string& version, const std::string& segments) {
    const std::string raw = message(type, version, segments);
    NodeTree t;
    auto read = parse(grouped(), raw, {}, t);
    if (!read) return "refused: " + read.error().rule;
    const std::string all = below(t, t.root());
    return (t.grouped() ? "" : "flat: ") + all.substr(std::min<std::size_t>(4, all.size()));
}

TEST(Hl7v2Groups, SegmentsStandWhereTheStructureHasThem) {
    const struct {
        const char *what, *type, *version, *segments, *expected;
    } cases[] = {
        {"results belong to their order", "ORU^R01^ORU_R01", "2.5.1",
         "PID NTE PV1 ORC OBR NTE OBX NTE NTE OBX OBR OBX NTE SPM OBX DSC",
         "PATIENT_RESULT(PATIENT(PID NTE VISIT(PV1)) ORDER_OBSERVATION(ORC OBR NTE OBSERVATION(OBX NTE NTE) "
         "OBSERVATION(OBX)) ORDER_OBSERVATION(OBR OBSERVATION(OBX NTE) SPECIMEN(SPM OBX))) DSC"},
        {"a second patient", "ORU^R01^ORU_R01", "2.5.1", "PID OBR OBX PID PD1 OBR OBR",
         "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX))) PATIENT_RESULT(PATIENT(PID PD1) "
         "ORDER_OBSERVATION(OBR) ORDER_OBSERVATION(OBR))"},
        {"no patient", "ORU^R01^ORU_R01", "2.5.1", "OBR OBX",
         "PATIENT_RESULT(ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
        {"segments of the sender's own stay where they stand", "ORU^R01^ORU_R01", "2.5.1",
         "ZPA PID ZPI OBR ZOR OBX ZOB OBX",
         "ZPA PATIENT_RESULT(PATIENT(PID ZPI) ORDER_OBSERVATION(OBR ZOR OBSERVATION(OBX ZOB) OBSERVATION(OBX)))"},
        {"procedures and insurances repeat", "ADT^A01^ADT_A01", "2.5.1",
         "EVN PID NK1 NK1 PV1 AL1 DG1 PR1 ROL PR1 GT1 IN1 IN2 IN3 IN1 ROL IN1 ACC",
         "EVN PID NK1 NK1 PV1 AL1 DG1 PROCEDURE(PR1 ROL) PROCEDURE(PR1) GT1 INSURANCE(IN1 IN2 IN3) INSURANCE(IN1 ROL) "
         "INSURANCE(IN1) ACC"},
        {"a name at two places of one group", "ADT^A01^ADT_A01", "2.5.1", "EVN PID ROL NK1 PV1 ROL ROL PR1 ROL",
         "EVN PID ROL NK1 PV1 ROL ROL PROCEDURE(PR1 ROL)"},
        {"what is required is missing", "ADT^A01^ADT_A01", "2.5.1", "PID OBX IN1", "PID OBX INSURANCE(IN1)"},
        {"what begins a group is missing", "ADT^A01^ADT_A01", "2.5.1", "PID PV1 IN2", "PID PV1 INSURANCE(IN2)"},
        {"too late in a group that waits for it", "ADT^A01^ADT_A01", "2.5.1", "PID IN1 IN3 IN2 IN1",
         "PID INSURANCE(IN1 IN3 IN2) INSURANCE(IN1)"},
        {"too late in the message", "ADT^A01^ADT_A01", "2.5.1", "PID IN1 PV1 EVN PR1",
         "PID INSURANCE(IN1 PV1 EVN PR1)"},
        {"the visit after the order", "ORU^R01^ORU_R01", "2.5.1", "PID OBR PV1 OBX",
         "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR PV1 OBSERVATION(OBX)))"},
        {"a note has many places and takes none by force", "ORU^R01^ORU_R01", "2.5.1", "PID PV1 NTE OBR",
         "PATIENT_RESULT(PATIENT(PID VISIT(PV1 NTE)) ORDER_OBSERVATION(OBR))"},
        {"orders without their common part", "ORM^O01^ORM_O01", "2.5.1", "PID OBR OBX OBR DG1 ORC RXO",
         "PATIENT(PID) ORDER(ORDER_DETAIL(OBRRQDRQ1RXOODSODT_SUPPGRP(OBR) OBSERVATION(OBX))) "
         "ORDER(ORDER_DETAIL(OBRRQDRQ1RXOODSODT_SUPPGRP(OBR) DG1)) ORDER(ORC "
         "ORDER_DETAIL(OBRRQDRQ1RXOODSODT_SUPPGRP(RXO)))"},
        {"one of several", "ORM^O01^ORM_O01", "2.5.1", "ORC OBR RXO",
         "ORDER(ORC ORDER_DETAIL(OBRRQDRQ1RXOODSODT_SUPPGRP(OBR))) "
         "ORDER(ORDER_DETAIL(OBRRQDRQ1RXOODSODT_SUPPGRP(RXO)))"},
        {"notes before what they are required before", "RDS^O13^RDS_O13", "2.8", "ORC RXO RXR RXC RXE RXR RXD",
         "ORDER(ORC ORDER_DETAIL(RXO ORDER_DETAIL_SUPPLEMENT(RXR COMPONENT(RXC))) ENCODING(RXE RXR) RXD)"},
        {"vaccinations", "VXU^V04^VXU_V04", "2.5.1", "PID ORC RXA RXR OBX OBX RXA OBX",
         "PID ORDER(ORC RXA RXR OBSERVATION(OBX) OBSERVATION(OBX)) ORDER(RXA OBSERVATION(OBX))"},
        {"nothing but a header", "ADT^A01^ADT_A01", "2.5.1", "", ""},
    };
    for (const auto& c : cases) EXPECT_EQ(shape(c.type, c.version, c.segments), c.expected) << c.what;
}

TEST(Hl7v2Groups, TheStructureIsThatOfTheHeader) {
    const std::string orders = "PATIENT(PID) ORDER(ORC)", flat = "flat: PID ORC";
    const struct {
        const char *type, *version;
        std::string expected;
    } cases[] = {
        {"ORM^O01^ORM_O01", "2.5.1", orders},
        {"ORM^O01", "2.5.1", orders},
        {"ORM^O01^ORM_O99", "2.5.1", orders},  // what is named is not known: by the event
        {"ORM^O01~ORM^O02", "2.5.1^ITA", orders},
        {"ORM^O01", "2.2", orders},
        {"ORM^O01", "2.6", orders},  // withdrawn since: as v2.5.1 has it
        {"OML^O21", "2.3", orders},  // before it was there: as v2.5.1 has it
        {"ORM^O01", "", flat},
        {"ORM^O01", "two", flat},
        {"ORM^O01", "2.5.1.9.9", flat},
        {"", "2.5.1", flat},
        {"ORM", "2.5.1", flat},
        {"ORM^A01", "2.5.1", flat},
        {"ZZZ^Z01^ZZZ_Z01", "2.5.1", flat},
        {"ORM^A_VERY_LONG_EVENT_THAT_NOBODY_KNOWS", "2.5.1", flat},
        {"ACK^R01", "2.5.1", "PID ORC"},
        {"ACK", "2.5.1", "PID ORC"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(shape(c.type, c.version, "PID ORC"), c.expected) << c.type << " " << c.version;
    const std::string procedure = "PID PROCEDURE(PR1)";
    for (const char* event : {"A01", "A04", "A05", "A08", "A13", "A14", "A28", "A31"})
        for (const char* version : {"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.8"})
            EXPECT_EQ(shape(std::string("ADT^") + event, version, "PID PR1"), procedure) << event << " " << version;
    EXPECT_EQ(shape("ADT^A40", "2.5.1", "EVN PID MRG PID MRG"), "EVN PATIENT(PID MRG) PATIENT(PID MRG)");
}

TEST(Hl7v2Groups, OwnDelimitersAndLineEnds) {
    NodeTree t;
    const std::string raw = "MSH$%~\\&$A$B$$$1$$ORU%R01$1$P$2.5.1\r\nPID$1\n\r  \nOBR$1\r\nOBX$1$ST$a%b$$x\nOBX$2\n";
    ASSERT_TRUE(parse(grouped(), raw, {}, t));
    EXPECT_EQ(below(t, t.root()),
              "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX) OBSERVATION(OBX)))");
    EXPECT_EQ(path(t, {"PATIENT_RESULT", "ORDER_OBSERVATION", "OBSERVATION", "OBX", "f3", "c2"}), "b");
    const NodeId order = t.child(t.child(t.root(), "PATIENT_RESULT"), "ORDER_OBSERVATION");
    EXPECT_EQ(raw.substr(t[order].span.offset, t[order].span.length), "OBR$1\r\nOBX$1$ST$a%b$$x\nOBX$2");
}

TEST(Hl7v2Groups, OffByDefault) {
    NodeTree t;
    const std::string raw = message("ORU^R01", "2.5.1", "PID OBR OBX");
    ASSERT_TRUE(parse(settings(Kind::hl7v2), raw, {}, t));
    EXPECT_FALSE(t.grouped());
    EXPECT_EQ(below(t, t.root()), "MSH PID OBR OBX");
    ASSERT_TRUE(parse(grouped(), raw, {}, t));
    EXPECT_TRUE(t.grouped());
    ASSERT_TRUE(parse(settings(Kind::hl7v2), raw, {}, t));
    EXPECT_FALSE(t.grouped()) << "a tree is filled again";
}

TEST(Hl7v2Groups, EveryStructureFits) {
    for (std::string_view version : hl7v2::Structures::kVersions) {
        const hl7v2::Structures* all = hl7v2::Structures::named(version);
        ASSERT_GT(all->messages().size(), 100u);
        const auto depth = [&](auto& self, const hl7v2::Part& part) -> std::size_t {
            std::size_t most = 0;
            for (const hl7v2::Part& p : all->parts(part)) {
                EXPECT_FALSE(p.name.text.empty());
                EXPECT_TRUE(p.group || p.name.text.size() == 3 || p.name.text == "ANYHL7SEGMENT") << p.name.text;
                if (p.group) most = std::max(most, self(self, p));
            }
            return most + 1;
        };
        for (const hl7v2::Part& m : all->messages())
            EXPECT_LE(depth(depth, m), hl7v2::Grouping::kDeepest) << m.name.text;
    }
    EXPECT_EQ(hl7v2::Structures::named("2.5"), nullptr);
}

/// One node of a segment, or the segment itself.
struct Seen {
    std::string name, text;
    NodeKind kind;
    Span span;
    bool operator==(const Seen&) const = default;
};

/// What stands in a tree, groups left out, in the order of its branches.
void seen(const NodeTree& t, NodeId of, std::vector<Seen>& out) {
    for (NodeId c = t[of].first_child; c != kNoNode; c = t[c].next_sibling) {
        if (t.level(c) > 0) out.push_back({std::string(t[c].name), std::string(t[c].text), t[c].kind, t[c].span});
        seen(t, c, out);
    }
}

/// Groups reach from their first segment to their last, and no group is empty.
std::string spansAreTrue(const NodeTree& t, NodeId of) {
    for (NodeId c = t[of].first_child; c != kNoNode; c = t[c].next_sibling) {
        if (t.level(c) > 0) continue;
        if (t[c].first_child == kNoNode) return "an empty group";
        const Span first = t[t[c].first_child].span, last = t[t[c].last_child].span;
        if (t[c].span.offset != first.offset || t[c].span.offset + t[c].span.length != last.offset + last.length)
            return "the span of " + std::string(t[c].name);
        if (std::string wrong = spansAreTrue(t, c); !wrong.empty()) return wrong;
    }
    return {};
}

/// Empty when both say the same of every segment in the same order; else what differs.
std::string differs(std::string_view flat_raw, std::string_view raw) {
    NodeTree flat, groups;
    const bool reads = parse(settings(Kind::hl7v2), flat_raw, {}, flat).has_value();
    if (parse(grouped(), raw, {}, groups).has_value() != reads) return "only one of them is refused";
    if (!reads) return {};
    std::vector<Seen> a, b;
    seen(flat, flat.root(), a);
    seen(groups, groups.root(), b);
    if (a != b) return "segments";
    return spansAreTrue(groups, groups.root());
}

/// The lines of a message in another order, some of them left out, some twice; the header stays.
std::string shaken(std::string_view raw, std::mt19937& random) {
    std::vector<std::string> lines;
    std::istringstream in{std::string(raw)};
    for (std::string line; std::getline(in, line, '\r');)
        if (line.size() > 3) lines.push_back(line);
    std::string out = lines.empty() ? "" : lines[0] + "\r";
    if (lines.size() < 2) return out;
    std::vector<std::string> rest(lines.begin() + 1, lines.end());
    if (random() % 2) std::shuffle(rest.begin(), rest.end(), random);
    for (const std::string& line : rest)
        for (unsigned n = random() % 5; n < 4; n += 3) out += line + "\r";
    return out;
}

std::vector<fs::path> messageFiles() {
    std::vector<fs::path> all;
    const char* data = std::getenv("PORTA_SAMPLES");
    const fs::path root(PORTA_ROOT);
    for (const fs::path& folder :
         {root / "tests/golden/hl7v2", root / "mapping/library/goldens", root / "config/examples",
          (data ? fs::path(data) : root / "../shared/data") / "hl7v2"}) {
        if (!fs::exists(folder)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.path().extension() == ".hl7") all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    return all;
}

TEST(Hl7v2Groups, NoSegmentIsLostOrMoved) {
    std::mt19937 random(7);
    std::size_t messages = 0, with_groups = 0;
    for (const fs::path& file : messageFiles()) {
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        auto units = split(settings(Kind::hl7v2), bytes);
        if (!units) continue;
        for (const Unit& u : units->units) {
            const std::string_view raw = std::string_view(bytes).substr(u.offset, u.length);
            EXPECT_EQ(differs(raw, raw), "") << file << " " << u.offset;
            NodeTree t;
            with_groups += parse(grouped(), raw, {}, t) && t.grouped();
            ++messages;
            for (int i = 0; i < 5; ++i) {
                const std::string other = shaken(raw, random);
                EXPECT_EQ(differs(other, other), "") << file << " " << u.offset << " shaken " << i;
            }
        }
    }
    EXPECT_GT(messages, 20u);
    EXPECT_GT(with_groups, messages / 2);
}

TEST(Hl7v2Groups, ALossWouldBeTold) {
    const std::string raw = message("ORU^R01", "2.5.1", "PID OBR OBX OBX OBR");
    EXPECT_EQ(differs(raw, raw), "");
    EXPECT_EQ(differs(raw, message("ORU^R01", "2.5.1", "PID OBR OBX OBR")), "segments");
    EXPECT_EQ(differs(raw, message("ORU^R01", "2.5.1", "PID OBX OBR OBX OBR")), "segments");
    EXPECT_EQ(differs(raw, message("ORU^R01", "2.5.1", "PID OBR OBX OBX OBX OBR")), "segments");
    EXPECT_EQ(differs(raw, "PID|1\r"), "only one of them is refused");
}

}  // namespace
}  // namespace porta::formats
