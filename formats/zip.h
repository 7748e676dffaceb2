#pragma once
/// ZIP archives as a transport layer: each entry is an object of its own (DESIGN §4). On zlib alone, since what matters here is
/// what is refused: an archive comes from outside, and its directory may promise anything.
///
///     if (looksZipped(bytes))
///         for (ZipEntry& entry : *unzip(bytes, max_bytes)) …
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta::formats {

struct ZipEntry {
    std::string name;  ///< UTF-8 or ASCII, steps joined by `/`
    std::string bytes;
};

/// Shape:  the files in the order of the archive's directory; directories are left out. Stored and deflated entries, ZIP64.
/// Errors: malformed: not an archive, cut off, encrypted, another method, a checksum that does not hold, entries that overlap,
///         two of one name, a name that leaves the archive. exhausted: more than `max_bytes` in all, or 10,000 entries.
/// Source: APPNOTE 6.3.
Result<std::vector<ZipEntry>> unzip(std::string_view archive, std::uint64_t max_bytes);

/// A local header, or the end of an archive without entries.
inline bool looksZipped(std::string_view b) { return b.substr(0, 4) == "PK\x03\x04" || b.substr(0, 4) == "PK\x05\x06"; }

}  // namespace porta::formats
