#include <gtest/gtest.h>

#include "base/canonical_json.h"
#include "base/crypto.h"
#include "base/date_time.h"
#include "base/hash.h"
#include "base/yaml.h"

namespace porta {
namespace {

TEST(Hash, Fips180VectorAndHmacRfc4231) {
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test case 2, first eight bytes of the result.
    KeyedHash hash("Jefe");
    EXPECT_EQ(static_cast<std::uint64_t>(hash("what do ya want for nothing?")), 0x5bdcc146bf60754eull);
}

TEST(Crypto, ABoxOpensOnlyUnchangedAndWithItsKey) {
    Key key = randomKey();
    Nonce nonce{};
    std::string box = sealBox(key, nonce, "text");
    ASSERT_TRUE(openBox(key, nonce, box));
    EXPECT_EQ(*openBox(key, nonce, box), "text");
    box[0] = static_cast<char>(box[0] ^ 1);
    EXPECT_FALSE(openBox(key, nonce, box));
    EXPECT_FALSE(openBox(randomKey(), nonce, sealBox(key, nonce, "text")));
    EXPECT_NE(deriveKey(key, "a"), deriveKey(key, "b"));
}

TEST(CanonicalJson, SortsByUtf16AndKeepsNoSpace) {
    // U+FB33 is below U+1F600 in UTF-16 order only as bytes: surrogates (D83D) sort before it (RFC 8785, 3.2.3).
    auto json = parseJson("{\"\\uFB33\":1, \"\\uD83D\\uDE00\":2, \"a\":[true,null,\"\\u000f\\n\"]}");
    ASSERT_TRUE(json);
    EXPECT_EQ(canonical(*json), "{\"a\":[true,null,\"\\u000f\\n\"],\"\xF0\x9F\x98\x80\":2,\"\xEF\xAC\xB3\":1}");
}

TEST(CanonicalJson, RefusesWhatItCannotKeep) {
    for (const char* text : {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "\"\xff\"", "nul"})
        EXPECT_FALSE(parseJson(text)) << text;
    EXPECT_FALSE(parseJson(std::string(100000, '[')));
    EXPECT_FALSE(parseJson(std::string_view("1\0", 2)));
}

struct DateCase {
    const char *name, *input, *iso;
};

TEST(DateTime, KeepsPrecisionAndRefusesImpossibleDays) {
    const DateCase cases[] = {{"year", "1980", "1980"},
                              {"month", "1980-05", "1980-05"},
                              {"leap day", "2024-02-29", "2024-02-29"},
                              {"no leap day", "2023-02-29", nullptr},
                              {"month 13", "1980-13", nullptr},
                              {"zone", "2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00+02:00"},
                              {"rest", "2024-05-01x", nullptr}};
    for (const DateCase& c : cases) {
        auto d = parseIso(c.input);
        EXPECT_EQ(d.has_value(), c.iso != nullptr) << c.name;
        if (d && c.iso) {
            EXPECT_EQ(toIso(*d), c.iso) << c.name;
        }
    }
    EXPECT_EQ(toIso(*parseHl7("19800517")), "1980-05-17");
    EXPECT_EQ(toIso(*parsePattern("17/05/1980", "dd/MM/yyyy")), "1980-05-17");
    EXPECT_FALSE(parsePattern("17.05.1980", "dd/MM/yyyy"));
}

TEST(DateTime, FirstInstantInTheSourcesZone) {
    EXPECT_EQ(*firstInstant(*parseIso("1970")), 0);
    // Rome is one hour east in winter, two in summer.
    EXPECT_EQ(isoInstant(*firstInstant(*parseIso("2024-01-01"), "Europe/Rome")), "2023-12-31T23:00:00Z");
    EXPECT_EQ(isoInstant(*firstInstant(*parseIso("2024-07-01"), "Europe/Rome")), "2024-06-30T22:00:00Z");
    EXPECT_FALSE(firstInstant(*parseIso("2024-07-01"), "Europe/Nowhere"));
}

TEST(Yaml, RefusesWhatSurprises) {
    for (const char* text : {"a: 1\na: 2\n", "a: &x 1\nb: *x\n", "a: !!int 1\n"}) {
        auto y = parseYaml(text, "f.yaml");
        ASSERT_FALSE(y) << text;
        EXPECT_EQ(y.error().message.rfind("f.yaml:", 0), 0u);
    }
    auto y = parseYaml("country: NO\n", "f.yaml");
    ASSERT_TRUE(y);
    EXPECT_EQ(y->get("country"), "NO");
    auto unknown = checkKeys(*y, {"county", "code"}, "f.yaml");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("did you mean `county`"), std::string::npos);
}

TEST(Yaml, ChecksNameThePlace) {
    auto y = parseYaml("kind: flies\nmany:\n  - a\n  - a\nlist:\n  - x\nnone:\n", "f.yaml");
    ASSERT_TRUE(y);
    const YamlChecks checks("f.yaml");
    auto text = [](const auto& result) { return result ? std::string("accepted") : result.error().message; };
    EXPECT_EQ(text(checks.keys(*y, {"kind", "list", "none"})), "f.yaml:2:1: unknown key `many`; did you mean `kind`?")
        << "the place of the key, not of what stands below it";
    EXPECT_EQ(text(checks.keys(*y->find("list"), {})), "f.yaml:6:3: a map expected");
    EXPECT_EQ(text(checks.choice(*y->find("kind"), "kind", {"files", "http"})),
              "f.yaml:1:7: unknown kind `flies`; did you mean `files`?");
    EXPECT_EQ(text(checks.names(*y->find("many"), "`many`")), "f.yaml:4:5: `many`: `a` stands twice");
    EXPECT_EQ(text(checks.member(*y, "list")), "f.yaml:6:3: `list`: plain text expected");
    EXPECT_EQ(*checks.member(*y, "none", "otherwise"), "otherwise");
    EXPECT_EQ(*checks.names(*y->find("list"), "`list`"), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace porta
