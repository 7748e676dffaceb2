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

Settings records(std::string element, bool fhir = false) {
    Settings s = xml(fhir);
    s.record = std::move(element);
    return s;
}

TEST(XmlRecords, EachIsReadAloneInTheNamespacesAroundIt) {
    const std::string object =
        "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\n<!-- <p/> --><l:list xmlns:l='u' xmlns:x = \"v\"><head "
        "n='2'/>"
        "<l:p x:k='1'><name>NICOL\u00d2</name></l:p>\n<group><l:p><![CDATA[</l:p>]]></l:p><l:p/></group></l:list>";
    const Settings s = records("p");
    auto units = split(s, object);
    ASSERT_TRUE(units) << units.error().message;
    ASSERT_EQ(units->units.size(), 3u);
    auto raw = [&](std::size_t i) {
        return std::string_view(object).substr(units->units[i].offset, units->units[i].length);
    };
    NodeTree t;
    ASSERT_TRUE(parse(s, raw(0), units->context, t));
    EXPECT_EQ(dump(t), "p\n k=1\n name=NICOL\u00d2\n");
    EXPECT_EQ(bytesOf(t, raw(0), "name"), "NICOL\u00d2");
    EXPECT_EQ(bytesOf(t, raw(0), "k"), "1");
    EXPECT_EQ(bytesOf(t, raw(0), "p"), raw(0));
    ASSERT_TRUE(parse(s, raw(1), units->context, t));
    EXPECT_EQ(dump(t), "p=</l:p>\n");
    ASSERT_TRUE(parse(s, raw(2), units->context, t));
    EXPECT_EQ(dump(t), "p=\n");
}

TEST(XmlRecords, ABrokenOneCostsOnlyItself) {
    const std::string object = "<a><p><b></p><p>&no;</p><p>good</p><p x=1/><p>good</p></a>";
    const Settings s = records("p");
    auto units = split(s, object);
    ASSERT_TRUE(units) << units.error().message;
    std::string verdicts;
    NodeTree t;
    for (const Unit& u : units->units)
        verdicts += parse(s, std::string_view(object).substr(u.offset, u.length), units->context, t) ? '+' : '-';
    EXPECT_EQ(verdicts, "--+-+");
    for (std::string_view broken : {"<a><p>x</p>", "<a><p>x</p></b>", "<a><p>x", "<a k=1><p/></a>", "<a><p/></a><b/>",
                                    "<!DOCTYPE a><a><p/></a>", "no markup", "<a xmlns:x='u'><p/></a><", ""}) {
        auto refused = split(s, broken);
        ASSERT_FALSE(refused) << broken;
        EXPECT_EQ(refused.error().code, Errc::malformed);
        EXPECT_LE(refused.error().offset, broken.size());
    }
    EXPECT_EQ(split(s, "<a><g xmlns:x='u'><p/></g><g xmlns:x='v'><p/></g></a>").error().rule, "xml.records");
    EXPECT_TRUE(split(s, "<a/>")->units.empty());
    for (std::string_view unit : {"", "text", "<p/><p/>", "<p/>text", "</r><r>"})
        EXPECT_FALSE(parse(s, unit, "utf-8\n", t)) << unit;
}

TEST(XmlRecords, OtherEncodingsAndFhir) {
    const std::string latin = "<?xml version='1.0' encoding='iso-8859-1'?><a t='\xe9'><p>caf\xe9</p></a>";
    auto units = split(records("p"), latin);
    ASSERT_TRUE(units) << units.error().message;
    NodeTree t;
    auto raw = [&](const std::string& object) {
        return std::string_view(object).substr(units->units.at(0).offset, units->units.at(0).length);
    };
    ASSERT_TRUE(parse(records("p"), raw(latin), units->context, t));
    EXPECT_EQ(dump(t), "p=caf\u00e9\n");
    EXPECT_EQ(bytesOf(t, raw(latin), "p"), "caf\xe9");
    std::string wide = "\xFE\xFF";
    for (char c : std::string("<a><p>hi</p></a>")) wide += {'\0', c};
    units = split(records("p"), wide);
    ASSERT_TRUE(units) << units.error().message;
    ASSERT_TRUE(parse(records("p"), raw(wide), units->context, t));
    EXPECT_EQ(dump(t), "p=hi\n");
    EXPECT_EQ(bytesOf(t, raw(wide), "p"), std::string("\0h\0i", 4));
    const std::string bundle =
        "<Bundle xmlns='http://hl7.org/fhir'><entry><Patient><id value='p'/></Patient></entry></Bundle>";
    units = split(records("Patient"), bundle);
    ASSERT_TRUE(units) << units.error().message;
    ASSERT_TRUE(parse(records("Patient", true), raw(bundle), units->context, t));
    EXPECT_EQ(dump(t), "resourceType=Patient\nid=p\n");
    EXPECT_EQ(bytesOf(t, raw(bundle), "id"), "p");
}

}  // namespace
}  // namespace porta::formats
