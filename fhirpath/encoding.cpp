#include "fhirpath/encoding.h"

#include <utility>

#include "base/text.h"

namespace porta::fhirpath {
namespace {

constexpr std::pair<std::string_view, char> kHtml[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
constexpr std::pair<char, char> kJson[] = {{'"', '"'},  {'\\', '\\'}, {'b', '\b'}, {'f', '\f'},
                                           {'n', '\n'}, {'r', '\r'},  {'t', '\t'}};
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int digitOf(char c, int base) {
    int v = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return v < base ? v : -1;
}

/// Digits of a character's number from `at` on; moves `at` behind them.
std::optional<unsigned> codePoint(std::string_view s, std::size_t& at, int base, std::size_t least, std::size_t most) {
    unsigned code = 0;
    std::size_t count = 0;
    for (; count < most && at < s.size() && digitOf(s[at], base) >= 0; ++count, ++at)
        code = code * static_cast<unsigned>(base) + static_cast<unsigned>(digitOf(s[at], base));
    return count >= least && code <= 0x10FFFF ? std::optional(code) : std::nullopt;
}

std::string fromHtml(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size();) {
        const std::size_t before = i;
        if (s[i] == '&') {
            for (const auto& [name, plain] : kHtml)
                if (s.substr(i).starts_with(name)) {
                    out += plain;
                    i += name.size();
                    break;
                }
            if (i == before && s.substr(i).starts_with("&apos;")) out += '\'', i += 6;
            if (i == before && s.substr(i).starts_with("&nbsp;")) appendUtf8(out, 0xA0), i += 6;
            if (i == before && s.substr(i).starts_with("&#")) {
                std::size_t at = i + 2;
                const bool hex = at < s.size() && (s[at] == 'x' || s[at] == 'X');
                if (hex) ++at;
                auto code = codePoint(s, at, hex ? 16 : 10, 1, 7);
                const bool surrogate = code && *code >= 0xD800 && *code < 0xE000;
                if (code && *code != 0 && !surrogate && at < s.size() && s[at] == ';') {
                    appendUtf8(out, *code);
                    i = at + 1;
                }
            }
        }
        if (i == before) out += s[i++];
    }
    return out;
}

std::string fromJson(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] != '\\' || i + 1 == s.size()) {
            out += s[i];
            continue;
        }
        const char c = s[++i];
        bool known = c == '/';
        if (known) out += c;
        for (const auto& [name, plain] : kJson)
            if (!known && c == name) out += plain, known = true;
        if (c == 'u') {
            std::size_t at = i + 1;
            auto code = codePoint(s, at, 16, 4, 4);
            if (code && *code >= 0xD800 && *code < 0xDC00 && s.substr(at).starts_with("\\u")) {
                std::size_t low_at = at + 2;
                auto low = codePoint(s, low_at, 16, 4, 4);
                if (low && *low >= 0xDC00 && *low < 0xE000) {
                    code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
                    at = low_at;
                }
            }
            if (code && (*code < 0xD800 || *code >= 0xE000)) {
                appendUtf8(out, *code);
                i = at - 1;
                known = true;
            }
        }
        if (!known) (out += '\\') += c;
    }
    return out;
}

bool utf8(std::string_view s) {
    for (std::size_t i = 0; i < s.size();) {
        const unsigned char c = static_cast<unsigned char>(s[i]);
        const std::size_t size = c < 0x80                ? 1
                                 : c >= 0xC2 && c < 0xE0 ? 2
                                 : c >= 0xE0 && c < 0xF0 ? 3
                                 : c >= 0xF0 && c < 0xF5 ? 4
                                                         : 0;
        if (size == 0 || i + size > s.size()) return false;
        unsigned code = size == 1 ? c : c & (0xFFu >> (size + 1));
        for (std::size_t k = 1; k < size; ++k) {
            if ((static_cast<unsigned char>(s[i + k]) & 0xC0) != 0x80) return false;
            code = code << 6 | (static_cast<unsigned char>(s[i + k]) & 0x3F);
        }
        if ((size == 3 && code < 0x800) || (size == 4 && code < 0x10000) || code > 0x10FFFF ||
            (code >= 0xD800 && code < 0xE000))
            return false;
        i += size;
    }
    return true;
}

std::string toBase64(std::string_view s, bool url) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); i += 3) {
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) {
            const char c = kBase64[bits >> (18 - 6 * k) & 63];
            out += i + k > s.size() ? '=' : url && c == '+' ? '-' : url && c == '/' ? '_' : c;
        }
    }
    return out;
}

std::optional<std::string> fromBase64(std::string_view s, bool url) {
    while (s.ends_with('=')) s.remove_suffix(1);
    if (s.size() % 4 == 1) return std::nullopt;
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (char c : s) {
        if (url) c = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' ? '!' : c;
        const std::size_t value = kBase64.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 0xFF);
        }
    }
    return out;
}

}  // namespace

std::string escaped(std::string_view s, bool html) {
    std::string out;
    for (char c : s) {
        std::string_view as;
        if (html)
            for (const auto& [name, plain] : kHtml)
                if (c == plain) as = name;
        if (!as.empty()) {
            out += as;
            continue;
        }
        bool done = false;
        if (!html)
            for (const auto& [name, plain] : kJson)
                if (c == plain) (out += '\\') += name, done = true;
        if (!done && !html && static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[c & 15];
        } else if (!done) {
            out += c;
        }
    }
    return out;
}

std::string unescaped(std::string_view s, bool html) { return html ? fromHtml(s) : fromJson(s); }

std::optional<std::string> encoded(std::string_view s, std::string_view format) {
    if (format == "base64" || format == "urlbase64") return toBase64(s, format == "urlbase64");
    std::string out;
    if (format == "hex") {
        for (char c : s) {
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[c & 15];
        }
        return out;
    }
    if (format != "ascii") return std::nullopt;
    for (char c : s)
        if (static_cast<unsigned char>(c) < 0x80) out += c;
        else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out += '?';  // one for each character
    return out;
}

std::optional<std::string> decoded(std::string_view s, std::string_view format) {
    std::optional<std::string> out;
    if (format == "base64" || format == "urlbase64") out = fromBase64(s, format == "urlbase64");
    if (format == "hex" && s.size() % 2 == 0) {
        out.emplace();
        for (std::size_t i = 0; i < s.size(); i += 2) {
            const int high = digitOf(s[i], 16), low = digitOf(s[i + 1], 16);
            if (high < 0 || low < 0) return std::nullopt;
            *out += static_cast<char>(high * 16 + low);
        }
    }
    return out && utf8(*out) ? out : std::nullopt;
}

}  // namespace porta::fhirpath
