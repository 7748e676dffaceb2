#pragma once
/// Tokens of FHIRPath (normative grammar fhirpath.g4). Private to this folder.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta::fhirpath {

enum class TokenKind : std::uint8_t { end, word, quoted_word, string, number, date, date_time, time, symbol };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string text = {};  ///< unescaped; without `@` and quotes
    std::uint32_t offset = 0;
    bool is(std::string_view t) const { return (kind == TokenKind::symbol || kind == TokenKind::word) && text == t; }
};

Result<std::vector<Token>> tokenize(std::string_view text);

}  // namespace porta::fhirpath
