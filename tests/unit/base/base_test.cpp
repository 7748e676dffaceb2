#include <gtest/gtest.h>
#include <unicode/basictz.h>
#include <unicode/timezone.h>

#include "base/arena.h"
#include "base/canonical_json.h"
#include "base/compression.h"
#include "base/crypto.h"
#include "base/date_time.h"
#include "base/hash.h"
#include "base/small_vector.h"
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

// Texts are written eight bytes at a time where nothing is escaped.
TEST(CanonicalJson, EscapesWhereverItStands) {
    const std::pair<std::string, std::string> marks[] = {{"\"", "\\\""},
                                                         {"\\", "\\\\"},
                                                         {"\n", "\\n"},
                                                         {"\x1f", "\\u001f"},
                                                         {std::string(1, '\0'), "\\u0000"},
                                                         {" ", " "},
                                                         {"\x7f", "\x7f"},
                                                         {"\xC3\xA9", "\xC3\xA9"}};
    for (std::size_t before = 0; before < 20; ++before)
        for (std::size_t after : {0u, 1u, 3u, 4u, 7u, 8u, 9u, 130u})
            for (const auto& [mark, escaped] : marks) {
                std::string out = "x";
                quote(out, std::string(before, 'a') + mark + std::string(after, 'b'));
                EXPECT_EQ(out, "x\"" + std::string(before, 'a') + escaped + std::string(after, 'b') + "\"");
            }
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

TEST(Compression, GivesBackWhatItTook) {
    std::string text;
    for (std::size_t n : {0u, 1u, 200u, 511u, 512u, 5000u, 300000u}) {
        while (text.size() < n) text += "record " + std::to_string(text.size() * 7919 % 1000) + " of a register; ";
        text.resize(n);
        const std::string small = compress(text);
        auto back = decompress(small);
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, text);
        EXPECT_FALSE(decompress(std::string_view(small).substr(0, small.size() - 1)));
        EXPECT_LT(small.size(), std::max<std::size_t>(n, 16) + 1);
    }
    EXPECT_FALSE(decompress("no frame"));
}

TEST(Arena, KeepsTextsUntilItIsCleared) {
    Arena arena;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::pair<std::string, std::string_view>> kept;
        for (std::size_t n : {1u, 3u, 60000u, 10000u, 200000u, 7u, 65536u, 0u, 5u}) {
            std::string text(n, static_cast<char>('a' + kept.size()));
            const std::uint64_t* aligned = arena.make<std::uint64_t>(2);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % alignof(std::uint64_t), 0u);
            kept.emplace_back(text, arena.keep(text));
        }
        for (const auto& [text, view] : kept) EXPECT_EQ(text, view);
        arena.clear();
    }
}

TEST(SmallVector, IsAVectorInsideAndOutside) {
    using Small = SmallVector<int, 3>;
    std::vector<int> reference;
    Small small;
    for (int i = 0; i < 40; ++i) {
        reference.push_back(i);
        small.push_back(i);
        Small copy = small, moved = std::move(copy), assigned{7, 8, 9, 10};
        assigned = moved;
        EXPECT_EQ(std::vector<int>(assigned.begin(), assigned.end()), reference);
        moved = Small{1};
        EXPECT_EQ(moved.size(), 1u);
        moved = std::move(assigned);
        EXPECT_EQ(std::vector<int>(moved.begin(), moved.end()), reference);
        moved.push_back(moved[0]);
        moved.append(small.begin(), small.end());
        EXPECT_EQ(moved.size(), 2 * reference.size() + 1);
        moved.shrink(2);
        EXPECT_EQ(moved.size(), std::min<std::size_t>(2, 2 * reference.size() + 1));
    }
}

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

// Offsets are remembered by day: the answers are ICU's, whichever time of a day is asked first.
TEST(DateTime, ZonesAnswerAsIcuDoes) {
    std::size_t changes = 0;
    for (const char* zone :
         {"Europe/Rome", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}) {
        std::unique_ptr<icu::TimeZone> made(icu::TimeZone::createTimeZone(zone));
        auto* rules = dynamic_cast<icu::BasicTimeZone*>(made.get());
        ASSERT_TRUE(rules);
        for (int year : {1866, 1893, 1944, 2011, 2024, 2060}) {
            std::int64_t before = 0;
            for (int hour = 0; hour < 366 * 24; ++hour) {
                const std::int64_t quarter = hour % 4 * 15;
                PartialDateTime d = *parseIso(isoInstant(*firstInstant(*parseIso(std::to_string(year))) +
                                                         (std::int64_t{hour} * 60 + quarter) * 60000000));
                d.offset_minutes.reset();
                const std::int64_t local = *firstInstant(d) / 1000;
                std::int32_t raw = 0, dst = 0;
                UErrorCode status = U_ZERO_ERROR;
                rules->getOffsetFromLocal(static_cast<UDate>(local), UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, raw,
                                          dst, status);
                ASSERT_EQ(*firstInstant(d, zone), (local - (raw + dst) / 1000 * 1000) * 1000)
                    << zone << " " << toIso(d);
                changes += hour && before != raw + dst;
                before = raw + dst;
            }
        }
    }
    EXPECT_GE(changes, 30u);
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
    auto unknown = checks.choice(*y->find("kind"), "kind", {"files", "http"});
    ASSERT_TRUE(!unknown && unknown.error().place);
    const Place& p = *unknown.error().place;
    EXPECT_EQ(std::tie(p.file, p.line, p.column), std::make_tuple("f.yaml", 1, 7));
    EXPECT_EQ(p.text, "unknown kind `flies`");
    EXPECT_EQ(p.nearest, "files");
}

}  // namespace
}  // namespace porta
