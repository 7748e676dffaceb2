#pragma once
/// Two small things that every reader of texts needs.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace porta {

/// A Unicode scalar value, at most 0x10FFFF, appended as UTF-8 (RFC 3629, section 3).
inline void appendUtf8(std::string& out, std::uint32_t c) {
    auto more = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | c >> 6);
        more(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | c >> 12);
        more(6);
        more(0);
    } else {
        out += static_cast<char>(0xF0 | c >> 18);
        more(12);
        more(6);
        more(0);
    }
}

/// What stands before the first `end`, or all of it; `rest` goes on behind that.
inline std::string_view until(std::string_view& rest, char end) {
    const std::size_t stop = std::min(rest.find(end), rest.size());
    std::string_view part = rest.substr(0, stop);
    rest.remove_prefix(std::min(stop + 1, rest.size()));
    return part;
}

}  // namespace porta
