#include <gtest/gtest.h>

#include "formats/format.h"
#include "tests/unit/formats/trees.h"

namespace porta::formats {
namespace {

/// PID-5 of a message with this MSH-2 and MSH-18; or the rule that refused it.
std::string name(std::string_view field, std::string_view charset = "", std::string_view codes = "^~\\&") {
    const std::string message = "MSH|" + std::string(codes) + "|A|B|C|D|20240101||ADT^A01|1|P|2.5.1||||||" +
                                std::string(charset) + "\rPID|1||7||" + std::string(field) + "|X\r";
    NodeTree t;
    auto read = parse(settings(Kind::hl7v2), message, {}, t);
    if (!read) return "refused: " + read.error().rule;
    if (path(t, {"PID", "f6"}) != "X") return "PID-6 is lost";
    return path(t, {"PID", "f5"});
}

TEST(Hl7v2, SplitsMixedLineEndsBatchesAndBlankLines) {
    auto units = split(settings(Kind::hl7v2),
                       "\xEF\xBB\xBF"
                       "FHS|^~\\&\rMSH|^~\\&|A\rPID|1\r\n\nMSH|^~\\&|B\nPID|2\nBTS|2\n");
    ASSERT_TRUE(units);
    ASSERT_EQ(units->units.size(), 2u);
    EXPECT_FALSE(split(settings(Kind::hl7v2), "  "));
}

TEST(Hl7v2, FieldsComponentsRepetitionsEscapesAndNull) {
    NodeTree t;
    std::string raw =
        "MSH|^~\\&|HIS|F|||20240101||ADT^A01\rPID|1||7^^^H^MR~8||O\\T\\Hara^\"\"||19800517|\"\"|^^^|x&y^z\r";
    ASSERT_TRUE(parse(settings(Kind::hl7v2), raw, {}, t));
    EXPECT_EQ(path(t, {"MSH", "f9", "c2"}), "A01");
    EXPECT_EQ(path(t, {"PID", "f3", "c1"}), "7");
    EXPECT_EQ(path(t, {"PID", "f5", "c1"}), "O&Hara");
    EXPECT_EQ(path(t, {"PID", "f5", "c2"}), "<null>");
    EXPECT_EQ(path(t, {"PID", "f7", "c1"}), "19800517") << "c1 of a one-component field is the field";
    EXPECT_EQ(path(t, {"PID", "f8"}), "<null>");
    EXPECT_EQ(path(t, {"PID", "f9"}), "<none>") << "nothing but separators is an empty field";
    EXPECT_EQ(path(t, {"PID", "f10", "c1", "s2"}), "y");
    NodeId family = t.child(t.child(t.child(t.root(), "PID"), "f5"), "c1");
    EXPECT_EQ(raw.substr(t[family].span.offset, t[family].span.length), "O\\T\\Hara")
        << "spans are those of the undecoded bytes";
}

TEST(Hl7v2, RefusesWithAPlaceAndNoValue) {
    NodeTree t;
    for (const char* raw :
         {"MSH", "MSH|\rPID|1", "MSH|^~\\&|A\rpid|1", "MSH|^~\\&|A||||||||||||||||UNICODE UTF-8\rPID|1||||Rov\xF2"}) {
        auto r = parse(settings(Kind::hl7v2), raw, {}, t);
        ASSERT_FALSE(r) << raw;
        EXPECT_EQ(r.error().message.find("Rov"), std::string::npos);
        EXPECT_FALSE(r.error().rule.empty());
    }
}

TEST(Hl7v2, EveryEscape) {
    const struct {
        std::string_view field, text;
    } cases[] = {
        {"a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"},
        {"\\X4A6f\\\\X0D\\x", "Jo\rx"},
        {"a\\.br\\b\\.sp\\c\\.sp2\\d\\.ce\\e", "a\nb\nc\n\nd\ne"},
        {"\\.fi\\a\\.nf\\b\\.in+4\\c\\.ti-2\\d\\.sk3\\e", "abcd   e"},
        {"a\\H\\b\\N\\c", "abc"},
        {"a\\Zown\\b", "a\\Zown\\b"},
        {"C:\\temp\\F\\x", "C:\\temp|x"},
        {"a\\X4\\b\\Xzz\\c\\.xy\\d\\", "a\\X4\\b\\Xzz\\c\\.xy\\d\\"},
        {"\\\\", "\\\\"},
        {"\\P\\", "\\P\\"},
    };
    for (const auto& c : cases) EXPECT_EQ(name(c.field), c.text) << c.field;
    EXPECT_EQ(name("cut#\\P\\", "", "^~\\&#"), "cut##") << "truncation character of 2.7";
    EXPECT_EQ(name("a\\F\\b", "", "^~"), "a\\F\\b") << "no escape character, no escapes";
    EXPECT_EQ(name("a&b", "", "^~\\"), "a&b") << "no subcomponents";
}

TEST(Hl7v2, CharsetsOfTable0211) {
    EXPECT_EQ(name("Nicol\xF2", "8859/1"), "Nicolò");
    EXPECT_EQ(name("\xA4", "8859/15"), "€");
    EXPECT_EQ(name("Nicol\xC3\xB2", "UNICODE UTF-8"), "Nicolò");
    EXPECT_EQ(name("Nicol\xC3\xB2"), "Nicolò") << "the source's own";
    EXPECT_EQ(name("Nicol\xF2", "ISO-8859-1"), "Nicolò") << "an encoding's own name";
    EXPECT_EQ(name("Nicol\xF2", "ASCII"), "refused: hl7v2.charset");
    EXPECT_EQ(name("Nicol\xC3\xB2", "no-such"), "refused: hl7v2.charset");
    EXPECT_EQ(name("Nicol", "no-such"), "Nicol");
    EXPECT_EQ(name("Nicol\xC3\xB2", "UNICODE UTF-16"), "refused: hl7v2.charset");
    EXPECT_EQ(name("\xB1\xE8", "KS X 1001"), "김");
    // Second bytes that look like delimiters: 0xA7 0x7C of BIG-5, 0x81 0x7C of GB 18030.
    EXPECT_EQ(name("\xA7\x5C\xA6\x7C", "BIG-5"), "吭帆");
    EXPECT_EQ(name("\x81\x7C\x81\x30\x89\x37", "GB 18030-2000"), "亅Þ");
}

TEST(Hl7v2, SwitchesWithinAValue) {
    // ISO IR87 (JIS X 0208): 0x3B 0x33 is 山, 0x45 0x44 is 田; 0x25 0x5E is マ, whose second byte is a component separator.
    EXPECT_EQ(name("Yamada \x1b$B;3ED%^\x1b(B!", "ASCII~ISO IR87"), "Yamada 山田マ!");
    EXPECT_EQ(name("\x1b$B;3ED\x1b(B", "ISO IR87"), "山田");
    EXPECT_EQ(name("\\M2442\\;3ED\\C2842\\ x"), "山田 x") << "switching by escapes, 2.7.2";
    EXPECT_EQ(name("\x1b$B\x7e\x7e", "ASCII~ISO IR87"), "refused: hl7v2.charset");
    EXPECT_EQ(name("\x1b$)C\x0e\x31\x68\x0f x", "ASCII~KS X 1001"), "김 x");
}

TEST(Hl7v2, GroupsAreMadeOnlyForWhatTheySay) {
    const std::string raw = "MSH|^~\\&|A\rZZZ|^^|&&^|~a~|b&|&c^d|^|e~^f\r";
    NodeTree t;
    ASSERT_TRUE(parse(settings(Kind::hl7v2), raw, {}, t));
    std::string seen;
    for (NodeId i = 1; i < t.size(); ++i)
        if (i > t.child(t.root(), "ZZZ"))
            seen += std::string(t[i].name) + "=" + std::string(raw.substr(t[i].span.offset, t[i].span.length)) + " ";
    EXPECT_EQ(seen, "f3=a f4=b& c1=b& s1=b f5=&c^d c1=&c s2=c c2=d f7=e f7=^f c2=f ");
}

TEST(Hl7v2, TrailersCount) {
    auto rule = [](std::string_view object) {
        auto units = split(settings(Kind::hl7v2), object);
        return units ? std::to_string(units->units.size()) : units.error().rule;
    };
    const std::string m = "MSH|^~\\&|A\rPID|1\r";
    EXPECT_EQ(rule("FHS|^~\\&\rBHS|^~\\&\r" + m + m + "BTS|2|x\rBHS|^~\\&\r" + m + "BTS|1\rFTS|2\r"), "3");
    EXPECT_EQ(rule("BHS|^~\\&\r" + m + "BTS\r"), "1") << "a count is optional";
    EXPECT_EQ(rule("BHS|^~\\&\r" + m + m + "BTS|1\r"), "hl7v2.batch");
    EXPECT_EQ(rule("BHS|^~\\&\r" + m + "BTS|one\r"), "hl7v2.batch");
    EXPECT_EQ(rule("FHS|^~\\&\rBHS|^~\\&\r" + m + "BTS|1\rFTS|2\r"), "hl7v2.batch");
    EXPECT_EQ(rule("BHS$%~\\&\r" + m + "BTS$1$x\r"), "1") << "a trailer has its header's separator";
}

}  // namespace
}  // namespace porta::formats
