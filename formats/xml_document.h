#pragma once
/// An XML document, or one record of it, in UTF-8, and which byte of its source each of its bytes came from.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/node.h"

namespace porta::formats::xml {

struct Document {
    std::string_view utf8;
    std::string decoded = {};                 ///< owner of `utf8` where the source had another encoding
    std::vector<std::uint32_t> origins = {};  ///< of each byte of `decoded`; empty: cannot be told
    std::uint32_t source_size = 0;
    std::uint32_t before = 0;  ///< bytes of `utf8` that stand before what the source has
    bool wrapped = false;      ///< the document element is ours; the record is its only child

    bool same() const { return decoded.empty(); }
    std::uint32_t origin(std::size_t at) const {
        at -= std::min<std::size_t>(at, before);
        if (same()) return static_cast<std::uint32_t>(std::min<std::size_t>(at, source_size));
        return at < origins.size() ? origins[at] : source_size;
    }
    Span span(std::size_t from, std::size_t to) const {
        if (!same() && origins.empty()) return {0, source_size};
        return {origin(from), origin(to) - origin(from)};
    }
};

struct Encoding {
    std::string name;      ///< in small letters
    bool wide = false;     ///< UTF-16
    std::size_t mark = 0;  ///< bytes of a UTF-16 byte order mark
};
/// From the first bytes and the declaration (XML 1.0, 4.3.3 and appendix F).
/// Errors: malformed when they contradict each other.
Result<Encoding> encodingOf(std::string_view raw);

/// Errors: malformed: bytes that the encoding does not have, an encoding that nobody knows.
/// Owner:  the document views `raw`; where it was decoded, whoever keeps the document sets `utf8` to `decoded`.
Result<Document> open(std::string_view raw);
/// One unit of `splitRecords`, below an element that declares its namespaces. Owner: as `open`, or the tree.
Result<Document> openRecord(std::string_view raw, std::string_view context, NodeTree& tree);

}  // namespace porta::formats::xml
