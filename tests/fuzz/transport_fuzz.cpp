// Transport layers: any bytes as gzip and as ZIP, and a whole archive with some of its bytes changed. Nothing that comes out is
// larger than the limit, no name leaves the archive.
#include <cstdlib>
#include <string>

#include "formats/format.h"
#include "formats/zip.h"

using namespace porta::formats;

namespace {

constexpr std::uint64_t kLimit = 1 << 16;

void open(std::string_view bytes) {
    if (auto plain = gunzip(bytes, kLimit); plain && plain->size() > kLimit) std::abort();
    auto entries = unzip(bytes, kLimit);
    if (!entries) return;
    std::uint64_t total = 0;
    for (const ZipEntry& e : *entries) {
        total += e.bytes.size();
        if (e.name.empty() || e.name[0] == '/' || ("/" + e.name + "/").find("/../") != std::string::npos) std::abort();
    }
    if (total > kLimit) std::abort();
}

/// `a.csv` deflated ("id,name" and so on) and `b.csv` stored, as zip(1) writes them.
std::string archive() {
    auto two = [](unsigned n) { return std::string{static_cast<char>(n), static_cast<char>(n >> 8)}; };
    auto four = [&](std::uint64_t n) { return two(n & 0xFFFF) + two(n >> 16 & 0xFFFF); };
    const std::string stored = "id,name\n1,PROVETTA\n";
    // A deflated block that is stored: final, its length and its complement.
    const std::string deflated =
        "\x01" + two(static_cast<unsigned>(stored.size())) + two(~static_cast<unsigned>(stored.size())) + stored;
    std::string out, directory;
    auto add = [&](const std::string& name, unsigned method, const std::string& packed) {
        const std::string common = two(20) + two(0) + two(method) + four(0) + four(0x1FEB62C5) + four(packed.size()) +
                                   four(stored.size()) + two(static_cast<unsigned>(name.size())) + two(0);
        directory += "PK\x01\x02" + two(20) + common + two(0) + two(0) + two(0) + four(0) + four(out.size()) + name;
        out += "PK\x03\x04" + common + name + packed;
    };
    add("a.csv", 8, deflated);
    add("b.csv", 0, stored);
    return out + directory + "PK\x05\x06" + four(0) + two(2) + two(2) + four(directory.size()) + four(out.size()) +
           two(0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    open({reinterpret_cast<const char*>(data), size});
    std::string changed = archive();
    for (std::size_t i = 0; i + 1 < size && i < 32; i += 2)
        changed[data[i] % changed.size()] = static_cast<char>(data[i + 1]);
    open(changed);
    return 0;
}
