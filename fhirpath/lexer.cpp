#include "fhirpath/lexer.h"

#include "fhirpath/encoding.h"

#include "base/text.h"

namespace porta::fhirpath {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct Lexer {
    std::string_view s;
    std::size_t at = 0;
    std::vector<Token> tokens = {};
    std::string problem = {};

    char peek(std::size_t ahead = 0) const { return at + ahead < s.size() ? s[at + ahead] : '\0'; }
    bool digits(std::size_t from, std::size_t n) const {
        for (std::size_t i = 0; i < n; ++i)
            if (at + from + i >= s.size() || !digit(s[at + from + i])) return false;
        return true;
    }
    bool hex4(std::size_t from, unsigned& out) const {
        out = 0;
        if (from + 4 > s.size()) return false;
        for (std::size_t i = from; i < from + 4; ++i) {
            char c = s[i];
            unsigned v = digit(c)               ? static_cast<unsigned>(c - '0')
                         : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                : 99u;
            if (v == 99u) return false;
            out = out * 16 + v;
        }
        return true;
    }

    bool quoted(char end, TokenKind kind) {
        Token t{kind, {}, static_cast<std::uint32_t>(at)};
        for (++at; at < s.size() && s[at] != end; ++at) {
            if (s[at] != '\\') {
                t.text += s[at];
                continue;
            }
            char c = ++at < s.size() ? s[at] : '\0';
            switch (c) {
                case 'n': t.text += '\n'; break;
                case 'r': t.text += '\r'; break;
                case 't': t.text += '\t'; break;
                case 'f': t.text += '\f'; break;
                case '\'':
                case '"':
                case '`':
                case '\\':
                case '/': t.text += c; break;
                case 'u': {
                    unsigned code = 0, low = 0;
                    if (!hex4(at + 1, code)) return problem = "\\u needs four hexadecimal digits", false;
                    at += 4;
                    if (code >= 0xD800 && code < 0xDC00 && at + 2 < s.size() && s[at + 1] == '\\' && s[at + 2] == 'u' &&
                        hex4(at + 3, low) && low >= 0xDC00 && low < 0xE000) {
                        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                        at += 6;
                    } else if (code >= 0xD800 && code < 0xE000) {
                        return problem = "a lone surrogate", false;
                    }
                    appendUtf8(t.text, code);
                    break;
                }
                default: return problem = "unknown escape in a quoted text", false;
            }
        }
        if (at >= s.size()) {
            at = t.offset;
            return problem = "a quote without its end", false;
        }
        ++at;
        tokens.push_back(std::move(t));
        return true;
    }

    void clock() {  // hh[:mm[:ss[.fff]]]
        at += 2;
        if (peek() == ':' && digits(1, 2)) at += 3;
        else return;
        if (peek() == ':' && digits(1, 2)) at += 3;
        else return;
        if (peek() == '.' && digit(peek(1)))
            for (++at; digit(peek());) ++at;
    }

    bool temporal() {
        Token t{TokenKind::date, {}, static_cast<std::uint32_t>(at)};
        std::size_t start = ++at;
        if (peek() == 'T') {
            t.kind = TokenKind::time;
            start = ++at;
            if (!digits(0, 2)) return problem = "a time needs two digits for the hour", false;
            clock();
        } else {
            if (!digits(0, 4)) return problem = "a date needs four digits for the year", false;
            at += 4;
            if (peek() == '-' && digits(1, 2)) {
                at += 3;
                if (peek() == '-' && digits(1, 2)) at += 3;
            }
            if (peek() == 'T') {
                t.kind = TokenKind::date_time;
                ++at;
                if (digits(0, 2)) {
                    clock();
                    if (peek() == 'Z') ++at;
                    else if ((peek() == '+' || peek() == '-') && digits(1, 2) && peek(3) == ':' && digits(4, 2))
                        at += 6;
                }
            }
        }
        t.text = std::string(s.substr(start, at - start));
        tokens.push_back(std::move(t));
        return true;
    }

    bool run() {
        while (at < s.size()) {
            char c = s[at];
            if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                ++at;
            } else if (c == '/' && peek(1) == '/') {
                while (at < s.size() && s[at] != '\n') ++at;
            } else if (c == '/' && peek(1) == '*') {
                std::size_t end = s.find("*/", at + 2);
                if (end == std::string_view::npos) return problem = "a comment without its end", false;
                at = end + 2;
            } else if (c == '\'') {
                if (!quoted('\'', TokenKind::string)) return false;
            } else if (c == '`') {
                if (!quoted('`', TokenKind::quoted_word)) return false;
            } else if (c == '@') {
                if (!temporal()) return false;
            } else if (digit(c)) {
                Token t{TokenKind::number, {}, static_cast<std::uint32_t>(at)};
                while (digit(peek())) ++at;
                if (peek() == '.' && digit(peek(1)))
                    for (++at; digit(peek());) ++at;
                else if (peek() == 'L' && !letter(peek(1)) && !digit(peek(1))) ++at;  // a long integer
                t.text = std::string(s.substr(t.offset, at - t.offset));
                tokens.push_back(std::move(t));
            } else if (letter(c) || (c == '$' && letter(peek(1)))) {
                Token t{c == '$' ? TokenKind::symbol : TokenKind::word, {}, static_cast<std::uint32_t>(at)};
                ++at;
                while (letter(peek()) || digit(peek())) ++at;
                t.text = std::string(s.substr(t.offset, at - t.offset));
                tokens.push_back(std::move(t));
            } else {
                Token t{TokenKind::symbol, std::string(1, c), static_cast<std::uint32_t>(at)};
                std::string_view two = s.substr(at, 2);
                if (two == "<=" || two == ">=" || two == "!=" || two == "!~") t.text = std::string(two);
                else if (std::string_view("()[]{}.,+-*/&|<>=~%").find(c) == std::string_view::npos)
                    return problem = "a character that FHIRPath does not know", false;
                at += t.text.size();
                tokens.push_back(std::move(t));
            }
        }
        tokens.push_back(Token{TokenKind::end, {}, static_cast<std::uint32_t>(s.size())});
        return true;
    }
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) {
    Lexer lexer{text};
    if (!lexer.run())
        return fail(Errc::misconfigured, "FHIRPath: " + lexer.problem + " at offset " + std::to_string(lexer.at),
                    "fhirpath.syntax", lexer.at);
    return std::move(lexer.tokens);
}

}  // namespace porta::fhirpath
