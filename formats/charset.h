#pragma once
/// Texts in the charset of their source to UTF-8 (ICU converters). Spans always stay those of the undecoded bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace porta::formats {

/// True when every byte is plain ASCII.
bool isAscii(std::string_view bytes);
/// Offset of the first byte that is not well-formed UTF-8 (RFC 3629), or npos.
std::size_t invalidUtf8(std::string_view bytes);

/// UTF-16 as one byte a code unit, so that rows and cells are found as in every other text: ASCII as it is, all else 0x80.
/// A last half of a unit counts as one.
std::string narrowed(std::string_view bytes, bool big);

/// Decodes values of one charset. Threads: one.
class Charset {
public:
    /// Errors: misconfigured for a name that ICU does not know.
    static Result<Charset> named(std::string_view name);
    Charset(Charset&& other) noexcept;
    ~Charset();
    bool isUtf8() const { return utf8_; }
    /// Code units of two bytes: UTF-16 with its byte order given, or to be read from a mark (big-endian without one).
    enum class Wide : std::uint8_t { no, big, little, marked };
    Wide wide() const;
    /// True when each byte below 0x80 is that ASCII character, also as the second byte of another one: then texts can be
    /// split at it before they are decoded.
    bool splitsAt(char ascii) const;
    /// UTF-8 text. Errors: malformed at the first byte that the charset does not define; offset within `bytes`.
    Result<std::string> decode(std::string_view bytes) const;

private:
    Charset() = default;
    bool utf8_ = true;
    void* converter_ = nullptr;
};

/// The calling thread's decoder of that name: opening a converter costs more than a row.
Result<const Charset*> sharedCharset(const std::string& name);

}  // namespace porta::formats
