#pragma once
/// Texts inside other texts: HTML and JSON escapes, base 16 and base 64. Private to this folder.
/// Source: RFC 4648, RFC 8259 section 7; FHIRPath 3.0 ballot, "Additional String Functions".
#include <optional>
#include <string>
#include <string_view>

namespace porta::fhirpath {

/// What HTML (`&lt;`), or a JSON string (`\"`), must write otherwise; and back, where what is no escape stays.
std::string escaped(std::string_view s, bool html);
std::string unescaped(std::string_view s, bool html);
/// `hex`, `base64`, `urlbase64`, `ascii` (only to encode; what lies above 127 becomes `?`). None: another format, or, to
/// decode, text that is not so encoded or is no UTF-8.
std::optional<std::string> encoded(std::string_view s, std::string_view format);
std::optional<std::string> decoded(std::string_view s, std::string_view format);

}  // namespace porta::fhirpath
