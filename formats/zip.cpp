#include "formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <set>

#include "formats/charset.h"

namespace porta::formats {

namespace {

constexpr std::size_t kMaxEntries = 10'000;
constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;

Error broken(std::string message, std::uint64_t at) {
    return fail(Errc::malformed, std::move(message), "zip.structure", at);
}

/// Little-endian numbers; what lies beyond the end reads as zero, and sizes are checked before.
class Bytes {
public:
    explicit Bytes(std::string_view all) : all_(all) {}
    std::uint64_t number(std::uint64_t at, int size) const {
        std::uint64_t n = 0;
        for (int i = size - 1; i >= 0; --i) {
            const std::uint64_t place = at + static_cast<std::uint64_t>(i);
            n = n << 8 | (place < all_.size() ? static_cast<unsigned char>(all_[place]) : 0u);
        }
        return n;
    }
    std::uint16_t two(std::uint64_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
    std::uint32_t four(std::uint64_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::uint64_t eight(std::uint64_t at) const { return number(at, 8); }
    bool holds(std::uint64_t at, std::uint64_t length) const { return at <= all_.size() && length <= all_.size() - at; }
    std::string_view part(std::uint64_t at, std::uint64_t length) const { return all_.substr(at, length); }
    std::size_t size() const { return all_.size(); }

private:
    std::string_view all_;
};

struct Directory {
    std::uint64_t at = 0, size = 0, entries = 0;
};

/// 4.3.16, and 4.3.14 when a number does not fit. The end is the last one whose comment ends with the archive.
Result<Directory> directoryOf(const Bytes& b) {
    const std::uint64_t furthest = b.size() >= kEndSize + 0xFFFF ? b.size() - kEndSize - 0xFFFF : 0;
    for (std::uint64_t at = b.size() >= kEndSize ? b.size() - kEndSize + 1 : 0; at-- > furthest;) {
        if (b.four(at) != kEnd || at + kEndSize + b.two(at + 20) != b.size()) continue;
        if (b.two(at + 4) != 0 || b.two(at + 6) != 0) return broken("an archive of several disks", at);
        Directory d{b.four(at + 16), b.four(at + 12), b.two(at + 10)};
        if (at >= kLocatorSize && b.four(at - kLocatorSize) == kLocator64) {
            const std::uint64_t end = b.eight(at - kLocatorSize + 8);
            if (!b.holds(end, kEnd64Size) || b.four(end) != kEnd64)
                return broken("the ZIP64 end is not where it should be", at);
            d = {b.eight(end + 48), b.eight(end + 40), b.eight(end + 32)};
        }
        if (!b.holds(d.at, d.size) || d.at + d.size > at)
            return broken("the archive's directory is not inside of it", at);
        return d;
    }
    return broken("an archive without its end, or cut off", b.size());
}

struct Entry {
    std::string name;
    std::uint64_t header = 0, packed = 0, size = 0;
    std::uint32_t crc = 0;
    std::uint16_t method = 0;
};

/// 4.5.3: numbers of eight bytes for those fields that hold all ones, in their order.
bool widen(const Bytes& b, std::uint64_t extra, std::uint64_t end, Entry& e) {
    std::uint64_t* const wide[] = {&e.size, &e.packed, &e.header};
    if (std::none_of(std::begin(wide), std::end(wide), [](auto* n) { return *n == 0xFFFFFFFF; })) return true;
    for (; extra + 4 <= end; extra += 4u + b.two(extra + 2)) {
        if (b.two(extra) != 1) continue;
        std::uint64_t at = extra + 4;
        const std::uint64_t stop = at + b.two(extra + 2);
        for (std::uint64_t* n : wide) {
            if (*n != 0xFFFFFFFF) continue;
            if (at + 8 > stop || stop > end) return false;
            *n = b.eight(at);
            at += 8;
        }
        return true;
    }
    return false;
}

/// A name that stays inside of the archive whoever takes it for a path.
bool isSafe(std::string_view name) {
    if (name.empty() || name.size() > 1024 || invalidUtf8(name) != std::string_view::npos) return false;
    for (char c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == ':' || c == 0x7F) return false;
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t stop = std::min(name.find('/', at), name.size());
        const std::string_view step = name.substr(at, stop - at);
        const bool last_of_directory = at == name.size() && at > 0;
        if (step == ".." || step == "." || (step.empty() && !last_of_directory)) return false;
        at = stop + 1;
    }
    return true;
}

Result<std::vector<Entry>> entriesOf(const Bytes& b, const Directory& d) {
    if (d.entries > kMaxEntries) return fail(Errc::exhausted, "an archive of more than 10,000 entries", "zip.size");
    std::vector<Entry> entries;
    std::set<std::string> names;
    std::uint64_t at = d.at;
    for (std::uint64_t i = 0; i < d.entries; ++i) {
        const std::uint64_t name = at + kCentralSize, extra = name + b.two(at + 28), end = extra + b.two(at + 30);
        if (b.four(at) != kCentral || end > d.at + d.size)
            return broken("the archive's directory is cut off or broken", at);
        Entry e{std::string(b.part(name, extra - name)),
                b.four(at + 42),
                b.four(at + 20),
                b.four(at + 24),
                b.four(at + 16),
                b.two(at + 10)};
        if (b.two(at + 8) & 1) return fail(Errc::malformed, "an encrypted entry", "zip.encrypted", at);
        if (e.method != 0 && e.method != 8)
            return fail(Errc::malformed, "an entry that is neither stored nor deflated", "zip.method", at);
        if (!isSafe(e.name))
            return fail(Errc::malformed, "an entry whose name leaves the archive, or is no name", "zip.name", at);
        if (!names.insert(e.name).second) return fail(Errc::malformed, "two entries of one name", "zip.name", at);
        if (!widen(b, extra, end, e)) return broken("an entry's sizes are missing", at);
        entries.push_back(std::move(e));
        at = end + b.two(at + 32);
    }
    if (at != d.at + d.size) return broken("the archive's directory has more than its entries", at);
    return entries;
}

/// Where the entry's data begin; its local header must say the same name (4.3.7).
Result<std::uint64_t> dataOf(const Bytes& b, const Entry& e, std::uint64_t directory) {
    if (!b.holds(e.header, kLocalSize) || b.four(e.header) != kLocal)
        return broken("an entry is not where it should be", e.header);
    const std::uint64_t name = e.header + kLocalSize, data = name + b.two(e.header + 26) + b.two(e.header + 28);
    if (b.part(name, b.two(e.header + 26)) != e.name) return broken("an entry has two names", e.header);
    if (data > directory || e.packed > directory - data) return broken("an entry reaches into the directory", e.header);
    return data;
}

Result<std::string> inflateRaw(std::string_view packed, std::uint64_t size, std::uint64_t at) {
    std::string out(size, '\0');
    z_stream z{};
    if (inflateInit2(&z, -15) != Z_OK) return fail(Errc::internal, "the ZIP reader cannot start", "zip");
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    std::size_t fed = 0, made = 0;
    int code = Z_OK;
    // zlib counts in 32 bits.
    constexpr std::size_t kStep = 1u << 30;
    while (code == Z_OK) {
        if (z.avail_in == 0 && fed < packed.size()) {
            z.avail_in = static_cast<uInt>(std::min(kStep, packed.size() - fed));
            fed += z.avail_in;
        }
        const uInt room = static_cast<uInt>(std::min(kStep, out.size() - made));
        z.next_out = reinterpret_cast<Bytef*>(out.data() + made);
        z.avail_out = room;
        code = inflate(&z, Z_NO_FLUSH);
        made += room - z.avail_out;
        if (room == 0 && code == Z_OK) break;
    }
    const bool whole = code == Z_STREAM_END && z.avail_in == 0 && fed == packed.size() && made == size;
    inflateEnd(&z);
    if (!whole) return broken("an entry is broken, or not of the size that the directory gives", at);
    return out;
}

}  // namespace

Result<std::vector<ZipEntry>> unzip(std::string_view archive, std::uint64_t max_bytes) {
    const Bytes b(archive);
    auto directory = directoryOf(b);
    if (!directory) return directory.error();
    auto entries = entriesOf(b, *directory);
    if (!entries) return entries.error();
    std::uint64_t total = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;  ///< from header to the end of the data
    std::vector<std::uint64_t> data;
    for (const Entry& e : *entries) {
        auto at = dataOf(b, e, directory->at);
        if (!at) return at.error();
        // Deflate makes at most about 1,032 bytes of one: what promises more is refused before memory is taken for it.
        if (e.method == 0 ? e.size != e.packed : e.size / 1100 > e.packed)
            return broken("an entry's sizes contradict each other", e.header);
        if (e.size > max_bytes || (total += e.size) > max_bytes)
            return fail(Errc::exhausted, "an archive unpacks beyond limits.max_object_bytes", "zip.size");
        data.push_back(*at);
        places.emplace_back(e.header, *at + e.packed);
    }
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i)
        if (places[i].first < places[i - 1].second) return broken("two entries share bytes", places[i].first);
    std::vector<ZipEntry> out;
    for (std::size_t i = 0; i < entries->size(); ++i) {
        Entry& e = (*entries)[i];
        if (e.name.back() == '/') continue;
        const std::string_view packed = b.part(data[i], e.packed);
        auto bytes = e.method == 0 ? Result<std::string>(std::string(packed)) : inflateRaw(packed, e.size, e.header);
        if (!bytes) return bytes.error();
        if (crc32_z(0, reinterpret_cast<const Bytef*>(bytes->data()), bytes->size()) != e.crc)
            return broken("an entry's checksum does not hold", e.header);
        out.push_back({std::move(e.name), std::move(*bytes)});
    }
    return out;
}

}  // namespace porta::formats
