#include "formats/zip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace porta::formats {
namespace {

std::string number(std::uint64_t n, int size) {
    std::string out;
    for (int i = 0; i < size; ++i) out += static_cast<char>(i < 8 ? n >> (8 * i) : 0);
    return out;
}

std::string deflated(const std::string& text) {
    z_stream z{};
    deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, text.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

/// Archives as a writer would make them, with the one lie that a case is about.
struct Archive {
    struct File {
        std::string name, text;
        bool deflate = true, wide = false;
        std::uint16_t flags = 0, method = 0xFFFF;
        std::uint64_t size = ~0ull, header = ~0ull;
        std::string local_name = {};
    };
    std::string comment = {};
    bool wide_end = false;
    int entries_more = 0;

    std::string of(const std::vector<File>& files) const {
        std::string out, directory;
        for (const File& f : files) {
            const std::string packed = f.deflate ? deflated(f.text) : f.text;
            const std::uint64_t at = f.header != ~0ull ? f.header : out.size(),
                                size = f.size != ~0ull ? f.size : f.text.size();
            const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(f.text.data()), f.text.size());
            const std::string method = number(f.method != 0xFFFF ? f.method : f.deflate ? 8 : 0, 2);
            const std::string local = f.local_name.empty() ? f.name : f.local_name;
            out += "PK\x03\x04" + number(45, 2) + number(f.flags, 2) + method + number(0, 4) + number(crc, 4) +
                   number(packed.size(), 4) + number(size, 4) + number(local.size(), 2) + number(0, 2) + local + packed;
            const std::string extra =
                f.wide ? number(1, 2) + number(24, 2) + number(size, 8) + number(packed.size(), 8) + number(at, 8) : "";
            const std::uint64_t all = 0xFFFFFFFF;
            directory += "PK\x01\x02" + number(45, 2) + number(45, 2) + number(f.flags, 2) + method + number(0, 4) +
                         number(crc, 4) + number(f.wide ? all : packed.size(), 4) + number(f.wide ? all : size, 4) +
                         number(f.name.size(), 2) + number(extra.size(), 2) + number(0, 10) +
                         number(f.wide ? all : at, 4) + f.name + extra;
        }
        const std::uint64_t at = out.size(), n = files.size() + static_cast<std::size_t>(entries_more);
        out += directory;
        if (wide_end) {
            const std::uint64_t end = out.size();
            out += "PK\x06\x06" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) + number(n, 8) +
                   number(n, 8) + number(directory.size(), 8) + number(at, 8) + "PK\x06\x07" + number(0, 4) +
                   number(end, 8) + number(1, 4);
        }
        const std::uint64_t all = 0xFFFFFFFF;
        return out + "PK\x05\x06" + number(0, 4) + number(wide_end ? 0xFFFF : n, 2) + number(wide_end ? 0xFFFF : n, 2) +
               number(wide_end ? all : directory.size(), 4) + number(wide_end ? all : at, 4) +
               number(comment.size(), 2) + comment;
    }
};

std::string ruleOf(const std::string& archive, std::uint64_t max = 1 << 20) {
    auto entries = unzip(archive, max);
    return entries ? "" : entries.error().rule;
}

TEST(Zip, StoredDeflatedAndWideEntries) {
    const std::string text(5000, 'x');
    Archive a;
    a.comment = "PK\x05\x06 in a comment is no end, since nothing ends there";
    for (bool wide_end : {false, true}) {
        a.wide_end = wide_end;
        auto entries = unzip(a.of({{"a.csv", text},
                                   {"sub/", "", false},
                                   {"sub/b.csv", "1,2\n", false},
                                   {"c", text, true, true},
                                   {"e", ""}}),
                             1 << 20);
        ASSERT_TRUE(entries) << entries.error().message;
        ASSERT_EQ(entries->size(), 4u);
        EXPECT_EQ((*entries)[0].name, "a.csv");
        EXPECT_EQ((*entries)[0].bytes, text);
        EXPECT_EQ((*entries)[1].name, "sub/b.csv");
        EXPECT_EQ((*entries)[1].bytes, "1,2\n");
        EXPECT_EQ((*entries)[2].bytes, text);
        EXPECT_EQ((*entries)[3].bytes, "");
    }
    EXPECT_TRUE(looksZipped(Archive{}.of({})));
    EXPECT_TRUE(unzip(Archive{}.of({}), 0)->empty());
}

TEST(Zip, RefusesWhatCannotBeTrusted) {
    const Archive a;
    EXPECT_EQ(ruleOf(""), "zip.structure");
    EXPECT_EQ(ruleOf("PK\x03\x04"), "zip.structure");
    for (const char* name : {"../a", "a/../b", "/a", "a//b", "./a", "C:/a", "a\\b", "", "/"})
        EXPECT_EQ(ruleOf(a.of({{name, "x"}})), "zip.name") << name;
    EXPECT_EQ(ruleOf(a.of({{std::string("a\0b", 3), "x"}})), "zip.name");
    EXPECT_EQ(ruleOf(a.of({{"a", "x"}, {"a", "y"}})), "zip.name");
    EXPECT_EQ(ruleOf(a.of({{"a", "x", true, false, 1}})), "zip.encrypted");
    EXPECT_EQ(ruleOf(a.of({{"a", "x", true, false, 0, 12}})), "zip.method");
    EXPECT_EQ(ruleOf(a.of({{"a", "x"}, {"b", "y", true, false, 0, 0xFFFF, ~0ull, 0, "a"}})), "zip.structure")
        << "one header, two entries";
    EXPECT_EQ(ruleOf(a.of({{"a", "x", true, false, 0, 0xFFFF, ~0ull, ~0ull, "b"}})), "zip.structure");
    EXPECT_EQ(ruleOf(a.of({{"a", "xyz", true, false, 0, 0xFFFF, 2}})), "zip.structure") << "more than it says";
    EXPECT_EQ(ruleOf(a.of({{"a", "xyz", true, false, 0, 0xFFFF, 4}})), "zip.structure") << "less than it says";
    EXPECT_EQ(ruleOf(a.of({{"a", "x", true, false, 0, 0xFFFF, 1 << 19}})), "zip.structure")
        << "no deflate makes so much of so little";
    Archive more;
    more.entries_more = 1;
    EXPECT_EQ(ruleOf(more.of({{"a", "x"}})), "zip.structure");
    std::string flipped = a.of({{"a", "hello", false}});
    flipped[flipped.find("hello")] = 'H';
    EXPECT_EQ(ruleOf(flipped), "zip.structure") << "checksum";
    const std::string whole = a.of({{"a", "hello"}, {"b", "there"}});
    for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE(ruleOf(whole.substr(0, n)), "") << n;
}

TEST(Zip, ABombIsRefusedBeforeItGrows) {
    const std::string zeros(900'000, '\0');
    EXPECT_EQ(ruleOf(Archive{}.of({{"a", zeros}})), "");
    EXPECT_EQ(ruleOf(Archive{}.of({{"a", zeros}, {"b", zeros}})), "zip.size") << "the entries together";
    EXPECT_EQ(unzip(Archive{}.of({{"a", zeros}}), 1000).error().code, Errc::exhausted);
    Archive many;
    many.wide_end = true;
    many.entries_more = 20'000;
    EXPECT_EQ(ruleOf(many.of({{"a", "x"}})), "zip.size");
}

}  // namespace
}  // namespace porta::formats
