#include <gtest/gtest.h>

#include "formats/format.h"

namespace porta::formats {
namespace {

Settings xml(bool fhir = false) {
    Settings s;
    s.kind = Kind::xml;
    s.fhir = fhir;
    return s;
}

/// The tree as indented lines `name=text`, without spans.
std::string dump(const NodeTree& t, NodeId of = 0, std::size_t depth = 0) {
    std::string out;
    for (NodeId c = t[of].first_child; c != kNoNode; c = t[c].next_sibling) {
        out.append(depth, ' ').append(t[c].name);
        if (t[c].kind != NodeKind::object || !t[c].text.empty()) out.append("=").append(t[c].text);
        out += "\n" + dump(t, c, depth + 1);
    }
    return out;
}

/// The bytes of the first node of that name, anywhere.
std::string bytesOf(const NodeTree& t, std::string_view raw, std::string_view name) {
    for (NodeId i = 1; i < t.size(); ++i)
        if (t[i].name == name) return std::string(raw.substr(t[i].span.offset, t[i].span.length));
    return "<none>";
}

TEST(Xml, AttributesTextsReferencesAndTheirBytes) {
    const std::string raw =
        "<?xml version='1.0'?><!-- <no> --><n:a xmlns:n='u' x = 'a&amp;&#x3c;b' y=\"&quot;\"><b>t &amp; "
        "<![CDATA[<z>]]></b> "
        "<b/><c k='v'>plain</c></n:a>";
    NodeTree t;
    ASSERT_TRUE(parse(xml(), raw, {}, t));
    EXPECT_EQ(dump(t), "a\n x=a&<b\n y=\"\n b=t & <z>\n b=\n c=plain\n  k=v\n");
    EXPECT_EQ(bytesOf(t, raw, "x"), "a&amp;&#x3c;b");
    EXPECT_EQ(bytesOf(t, raw, "y"), "&quot;");
    EXPECT_EQ(bytesOf(t, raw, "b"), "t &amp; <![CDATA[<z>]]>");
    EXPECT_EQ(bytesOf(t, raw, "c"), "plain");
    EXPECT_EQ(bytesOf(t, raw, "a"), raw.substr(raw.find("<n:a")));
}

TEST(Xml, OtherEncodingsKeepTheirOffsets) {
    NodeTree t;
    const std::string latin = "<?xml version=\"1.0\" encoding=\"windows-1252\"?><a b=\"\xe9\x80\"><c>caf\xe9</c></a>";
    ASSERT_TRUE(parse(xml(), latin, {}, t));
    EXPECT_EQ(dump(t), "a\n b=é€\n c=café\n");
    EXPECT_EQ(bytesOf(t, latin, "b"), "\xe9\x80");
    EXPECT_EQ(bytesOf(t, latin, "c"), "caf\xe9");
    std::string wide = "\xFF\xFE";
    for (char c : std::string("<a>hi</a>")) wide += {c, '\0'};
    ASSERT_TRUE(parse(xml(), wide, {}, t));
    EXPECT_EQ(dump(t), "a=hi\n");
    EXPECT_EQ(bytesOf(t, wide, "a"), std::string("h\0i\0", 4));
}

TEST(Xml, FhirLooksLikeItsJson) {
    const std::string_view as_xml =
        "<Patient xmlns='http://hl7.org/fhir'><id value='p'/><text><div "
        "xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div>"
        "</text><contained><Organization><id value='o'/></Organization></contained><name><given value='A&#233;'/>"
        "<given value='B&amp;C'/></name><active value='true'/></Patient>";
    const std::string_view as_json =
        R"({"resourceType":"Patient","id":"p","text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div>"},)"
        R"("contained":[{"resourceType":"Organization","id":"o"}],"name":[{"given":["A\u00e9","B&C"]}],"active":true})";
    NodeTree x, j;
    ASSERT_TRUE(parse(xml(true), as_xml, {}, x));
    Settings s;
    s.fhir = true;
    ASSERT_TRUE(parse(s, as_json, {}, j));
    EXPECT_EQ(dump(x), dump(j));
    EXPECT_EQ(bytesOf(x, as_xml, "given"), "A&#233;");
    ASSERT_TRUE(parse(xml(true),
                      "<Patient xmlns='http://hl7.org/fhir'><birthDate id='i' value='1974'><extension url='u'>"
                      "<valueString value='v'/></extension></birthDate></Patient>",
                      {}, x));
    EXPECT_EQ(dump(x), "resourceType=Patient\nbirthDate=1974\n id=i\n extension\n  url=u\n  valueString=v\n");
}

TEST(Xml, RefusesWithAPlaceAndNoValue) {
    const struct {
        std::string raw;
        std::string_view rule;
    } cases[] = {
        {"", "xml.syntax"},
        {"<a><secret></a>", "xml.syntax"},
        {"<a>&secret;</a>", "xml.syntax"},
        {"<a/>secret", "xml.syntax"},
        {"<p:secret/>", "xml.syntax"},
        {"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>", "xml.doctype"},
        {"<a>\xff</a>", "xml.encoding"},
        {"<?xml version='1.0' encoding='us-ascii'?><a>\xc3\xa9</a>", "xml.encoding"},
        {"<?xml version='1.0' encoding='utf-16'?><a/>", "xml.encoding"},
        {"\xEF\xBB\xBF<?xml version='1.0' encoding='iso-8859-1'?><a>\xc3\xa9</a>", "xml.encoding"},
        {"<?xml version='1.0' encoding='no-such'?><a>\xe9</a>", "xml.encoding"},
        {"<?xml version='1.0' encoding='no-such'?><a/>", "xml.encoding"},
        {std::string("<a/>\0", 5), "xml.syntax"},
    };
    NodeTree t;
    for (const auto& c : cases) {
        auto r = parse(xml(), c.raw, {}, t);
        ASSERT_FALSE(r) << c.raw;
        EXPECT_EQ(r.error().code, Errc::malformed);
        EXPECT_EQ(r.error().rule, c.rule) << c.raw;
        EXPECT_EQ(r.error().message.find("secret"), std::string::npos);
        EXPECT_LE(r.error().offset, c.raw.size());
    }
    std::string deep, wide = "<a";
    for (int i = 0; i < 201; ++i) deep += "<a>";
    EXPECT_EQ(parse(xml(), deep, {}, t).error().rule, "xml.depth");
    for (int i = 0; i < 5001; ++i) wide += " a" + std::to_string(i) + "='1'";
    EXPECT_EQ(parse(xml(), wide + "/>", {}, t).error().rule, "xml.size");
    EXPECT_EQ(parse(xml(true), "<Patient xmlns='http://hl7.org/fhir'>x</Patient>", {}, t).error().rule, "xml.fhir");
}

}  // namespace
}  // namespace porta::formats
