#include "formats/hl7v2_charset.h"

#include <algorithm>

namespace porta::formats::hl7v2 {

namespace {

constexpr char kEscape = '\x1b', kShiftOut = '\x0e', kShiftIn = '\x0f';

/// HL7 table 0211 → converter; `shifts`: as an alternate set it is reached by ISO 2022 escape sequences.
struct Set {
    std::string_view name;
    const char* converter;
    const char* shifts = nullptr;
    bool trailing = false;
};
constexpr Set kSets[] = {{"ASCII", "us-ascii"},
                         {"ISO IR6", "us-ascii"},
                         {"8859/1", "iso-8859-1"},
                         {"8859/2", "iso-8859-2"},
                         {"8859/3", "iso-8859-3"},
                         {"8859/4", "iso-8859-4"},
                         {"8859/5", "iso-8859-5"},
                         {"8859/6", "iso-8859-6"},
                         {"8859/7", "iso-8859-7"},
                         {"8859/8", "iso-8859-8"},
                         {"8859/9", "iso-8859-9"},
                         {"8859/15", "iso-8859-15"},
                         {"ISO IR13", "shift_jis", "iso-2022-jp-2"},
                         {"ISO IR14", "us-ascii", "iso-2022-jp-2"},
                         {"ISO IR87", "us-ascii", "iso-2022-jp-2"},
                         {"ISO IR159", "us-ascii", "iso-2022-jp-2"},
                         {"JAS2020", "us-ascii", "iso-2022-jp-2"},
                         {"KS X 1001", "euc-kr", "iso-2022-kr"},
                         {"CNS 11643-1992", "euc-tw"},
                         {"GB 18030-2000", "gb18030", nullptr, true},
                         {"BIG-5", "big5", nullptr, true},
                         {"UNICODE", "utf-8"},
                         {"UNICODE UTF-8", "utf-8"}};

int hexDigit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/// Appends the bytes that an even number of hexadecimal digits names.
bool addHex(std::string_view digits, std::string& out) {
    if (digits.empty() || digits.size() % 2 != 0) return false;
    if (!std::all_of(digits.begin(), digits.end(), [](char c) { return hexDigit(c) >= 0; })) return false;
    for (std::size_t k = 0; k < digits.size(); k += 2)
        out += static_cast<char>(hexDigit(digits[k]) * 16 + hexDigit(digits[k + 1]));
    return true;
}

/// 2.7.6, formatted text: lines and blanks stay, how they are to be laid out does not.
bool addFormat(std::string_view command, std::string& out) {
    const std::string_view name = command.substr(0, 2);
    std::size_t n = 0;
    bool digits = command.size() <= 4;
    for (char c : command.substr(std::min<std::size_t>(2, command.size()))) {
        digits = digits && c >= '0' && c <= '9';
        n = n * 10 + static_cast<std::size_t>(c - '0');
    }
    const bool bare = command.size() == 2;
    if (bare && (name == "br" || name == "ce")) out += '\n';
    else if (name == "sp" && digits) out.append(bare ? 1 : n, '\n');
    else if (name == "sk" && digits && !bare) out.append(n, ' ');
    else if (!(bare && (name == "fi" || name == "nf")) && name != "in" && name != "ti") return false;
    return true;
}

/// What stands between two escape characters; false: it is no escape sequence and stays as it is.
bool addEscape(std::string_view code, const Delimiters& d, std::string& out, bool& switched) {
    if (code.size() == 1) {
        switch (code[0]) {
            case 'F': out += d.field; return true;
            case 'S': out += d.component; return true;
            case 'R': out += d.repetition; return true;
            case 'E': out += d.escape; return true;
            case 'T':
                if (d.subcomponent) out += d.subcomponent;
                return d.subcomponent != 0;
            case 'P':
                if (d.truncation) out += d.truncation;
                return d.truncation != 0;
            case 'H':
            case 'N': return true;  // highlighting
            default: return false;
        }
    }
    if (code.empty()) return false;
    if (code[0] == '.') return addFormat(code.substr(1), out);
    if (code[0] == 'X') return addHex(code.substr(1), out);
    const bool one = code[0] == 'C' && code.size() == 5,
               more = code[0] == 'M' && (code.size() == 5 || code.size() == 7);
    if (!one && !more) return false;  // `\Z…\` too: what it means is agreed between two partners
    out += kEscape;
    if (!addHex(code.substr(1), out)) return out.pop_back(), false;
    return switched = true;
}

}  // namespace

Result<MessageCharset> MessageCharset::of(std::string_view names, char repetition, const std::string& encoding) {
    MessageCharset all;
    const char* shifts = nullptr;
    for (std::size_t at = 0, n = 0; at <= names.size(); ++n) {
        const std::size_t stop = std::min(names.find(repetition, at), names.size());
        std::string_view name = names.substr(at, stop - at);
        at = stop + 1;
        while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
        const auto* set =
            std::find_if(std::begin(kSets), std::end(kSets), [&](const Set& s) { return s.name == name; });
        const bool known = set != std::end(kSets);
        if (known && set->shifts && (n > 0 || std::string_view(set->converter) == "us-ascii")) shifts = set->shifts;
        if (known && n == 0) all.trailing_ = set->trailing;
        if (n > 0) continue;
        auto charset = sharedCharset(known ? std::string(set->converter) : name.empty() ? encoding : std::string(name));
        if (!charset && name.empty()) return charset.error();
        if (!charset || (*charset)->wide() != Charset::Wide::no) {
            charset = sharedCharset("us-ascii");
            all.known_ = false;
        }
        all.first_ = *charset;
    }
    auto shifting = sharedCharset(shifts ? shifts : "iso-2022-jp-2");
    if (!shifting) return shifting.error();
    all.shifting_ = *shifting;
    all.shifts_ = shifts != nullptr;
    return all;
}

std::string MessageCharset::masked(std::string_view message) const {
    std::string out(message);
    bool wide = false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(message[i]);
        if (c == '\r' || c == '\n') {
            wide = false;
        } else if (shifts_ && message[i] == kEscape) {
            // ESC $ … : two bytes a character from here on; ESC ( … : one.
            wide = message.substr(i + 1, 1) == "$";
            if (wide) i += message.substr(i + 2, 1) == "(" || message.substr(i + 2, 1) == ")" ? 3 : 2;
        } else if (shifts_ && (message[i] == kShiftOut || message[i] == kShiftIn)) {
            wide = message[i] == kShiftOut;
        } else if (wide) {
            out[i] = '\x80';
        } else if (trailing_ && c >= 0x81 && i + 1 < out.size() &&
                   !std::iscntrl(static_cast<unsigned char>(message[i + 1]))) {
            const bool four = message[i + 1] >= '0' && message[i + 1] <= '9';  // GB 18030 only
            for (std::size_t k = 1; k <= (four ? 3u : 1u) && i + 1 < out.size(); ++k) out[++i] = '\x80';
        }
    }
    return out;
}

Result<std::string_view> MessageCharset::decode(std::string_view text, std::string_view scan, const Delimiters& d,
                                                std::string& buffer) const {
    bool escaped = false, switched = shifts_ && text.find(kEscape) != std::string_view::npos;
    std::string_view bytes = text;
    static thread_local std::string plain;
    if (d.escape && scan.find(d.escape) != std::string_view::npos) {
        plain.clear();
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::size_t close = scan[i] == d.escape ? scan.find(d.escape, i + 1) : std::string_view::npos;
            if (close != std::string_view::npos && addEscape(text.substr(i + 1, close - i - 1), d, plain, switched))
                i = close;
            else plain += text[i];
        }
        bytes = plain;
        escaped = true;
    }
    auto refused = [&](Error error, std::size_t before) {
        error.offset = escaped ? 0 : error.offset + before;
        error.length = escaped ? text.size() : 1;
        if (!known_) error.message = "MSH-18 names a character set that is none of table 0211, and a byte is not ASCII";
        return error;
    };
    const std::size_t shift = switched ? std::min(bytes.find(kEscape), bytes.size()) : bytes.size();
    if (shift == bytes.size()) {
        if (isAscii(bytes) || (first_->isUtf8() && invalidUtf8(bytes) == std::string_view::npos)) {
            if (!escaped) return bytes;
            buffer = bytes;
            return std::string_view(buffer);
        }
    }
    auto head = first_->decode(bytes.substr(0, shift));
    if (!head) return refused(head.error(), 0);
    buffer = std::move(*head);
    if (shift < bytes.size()) {
        auto tail = shifting_->decode(bytes.substr(shift));
        if (!tail) return refused(tail.error(), shift);
        buffer += *tail;
    }
    return std::string_view(buffer);
}

}  // namespace porta::formats::hl7v2
