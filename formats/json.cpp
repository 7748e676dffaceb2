// RFC 8259 straight into the node tree, in one pass. A parser of our own because what we keep (each value's place, a number's
// digits, members that stand twice) is what general ones give up; tests/fuzz compares its verdicts and values with simdjson.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/text.h"
#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats::json {

namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// How many of the first `kStretch` bytes stand before a quote, a backslash, a control character or a byte that is no ASCII.
#ifdef __SSE2__
constexpr std::ptrdiff_t kStretch = 16;
std::ptrdiff_t plainBytes(const char* at) {
    const __m128i w = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // As signed numbers, bytes that are no ASCII stand below the blank, too.
    const __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(w, _mm_set1_epi8(' ')),
                     _mm_or_si128(_mm_cmpeq_epi8(w, _mm_set1_epi8('"')), _mm_cmpeq_epi8(w, _mm_set1_epi8('\\'))));
    return std::countr_zero(static_cast<unsigned>(_mm_movemask_epi8(special)) | 0x10000u);
}
#else
constexpr std::ptrdiff_t kStretch = 8;
std::ptrdiff_t plainBytes(const char* at) {
    std::uint64_t w;
    std::memcpy(&w, at, 8);
    if constexpr (std::endian::native == std::endian::big) w = __builtin_bswap64(w);
    constexpr std::uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    auto zero = [](std::uint64_t x) { return (x - ones) & ~x; };
    // A borrow marks only bytes behind one that is marked rightly.
    const std::uint64_t special = (w | zero(w ^ (ones * '"')) | zero(w ^ (ones * '\\')) | (w - ones * 0x20)) & high;
    return std::countr_zero(special) / 8;
}
#endif

/// Each part takes the place where it begins and gives the one behind it, or null when it is refused: a place that stood in a
/// member would be written to memory, and waited for, at every byte.
class Parser {
public:
    Parser(std::string_view raw, NodeTree& tree) : begin_(raw.data()), end_(begin_ + raw.size()), tree_(tree) {}

    Result<void> text() {
        // 8.1: a reader may ignore a byte order mark.
        const bool marked = std::string_view(begin_, left(begin_)).substr(0, kBom.size()) == kBom;
        const char* at = blanks(marked ? begin_ + kBom.size() : begin_);
        at = value(at, tree_.root(), Name("value"), Place::root);
        if (at != nullptr) at = blanks(at);
        if (at == end_ && at != nullptr) return {};
        if (at != nullptr) refuse(at, "something follows the value");
        return fail(Errc::malformed, message_, rule_, static_cast<std::uint64_t>(refused_ - begin_),
                    refused_ < end_ ? 1 : 0);
    }

private:
    /// Whose value: the items of a list are children of the list's parent under its name, a list in a list has its own node.
    enum class Place : std::uint8_t { root, member, item };

    const char *const begin_, *const end_;
    NodeTree& tree_;
    std::size_t depth_ = 0;
    const char* refused_ = nullptr;
    const char *message_ = "", *rule_ = "json.syntax";

    const char* refuse(const char* at, const char* message) {
        refused_ = at;
        message_ = message;
        return nullptr;
    }
    std::size_t left(const char* at) const { return static_cast<std::size_t>(end_ - at); }
    char peek(const char* at) const { return at < end_ ? *at : '\0'; }
    const char* blanks(const char* at) const {
        while (at < end_ && isBlank(*at)) ++at;
        return at;
    }
    Span spanOf(const char* from, const char* to) const {
        return {static_cast<std::uint32_t>(from - begin_), static_cast<std::uint32_t>(to - from)};
    }
    static std::string_view view(const char* from, const char* to) {
        return {from, static_cast<std::size_t>(to - from)};
    }

    const char* value(const char* at, NodeId parent, const Name& name, Place place) {
        switch (peek(at)) {
            case '{': return object(at, parent, name, place);
            case '[': return list(at, parent, name, place);
            case '"': {
                std::string_view text;
                const char* const end = string(at, text);
                if (end != nullptr) tree_.add(parent, name, NodeKind::text, text, spanOf(at + 1, end - 1));
                return end;
            }
            case 't': return word(at, "true", NodeKind::boolean, parent, name);
            case 'f': return word(at, "false", NodeKind::boolean, parent, name);
            case 'n': return word(at, "null", NodeKind::null, parent, name);
            default: return number(at, parent, name);
        }
    }

    bool open(const char* at) {
        if (++depth_ <= kMaxDepth) return true;
        rule_ = "json.depth";
        refuse(at, "nested deeper than 200");
        return false;
    }

    const char* object(const char* const from, NodeId parent, const Name& name, Place place) {
        if (!open(from)) return nullptr;
        const NodeId node = place == Place::root ? parent : tree_.add(parent, name, NodeKind::object, {}, {});
        const char* at = blanks(from + 1);
        if (peek(at) != '}') {
            while (true) {
                if (peek(at) != '"') return refuse(at, "the name of a member expected, in double quotes");
                std::string_view key;
                if ((at = string(at, key)) == nullptr) return nullptr;
                at = blanks(at);
                if (peek(at) != ':') return refuse(at, "a colon expected behind a member's name");
                // A member that stands twice becomes two children, as a list would: a mapping that wants one value refuses it.
                if ((at = value(blanks(at + 1), node, Name(key), Place::member)) == nullptr) return nullptr;
                at = blanks(at);
                if (peek(at) == '}') break;
                if (peek(at) != ',') return refuse(at, "a comma or } expected behind a member");
                at = blanks(at + 1);
            }
        }
        --depth_;
        tree_.at(node).span = spanOf(from, at + 1);
        return at + 1;
    }

    const char* list(const char* const from, NodeId parent, const Name& name, Place place) {
        if (!open(from)) return nullptr;
        const NodeId node = place == Place::item ? tree_.add(parent, name, NodeKind::object, {}, {}) : parent;
        const Name items = place == Place::root ? Name("item") : name;
        const char* at = blanks(from + 1);
        if (peek(at) != ']') {
            while (true) {
                if ((at = value(at, node, items, Place::item)) == nullptr) return nullptr;
                at = blanks(at);
                if (peek(at) == ']') break;
                if (peek(at) != ',') return refuse(at, "a comma or ] expected behind an item");
                at = blanks(at + 1);
            }
        }
        --depth_;
        if (place != Place::member) tree_.at(node).span = spanOf(from, at + 1);
        return at + 1;
    }

    const char* word(const char* at, std::string_view expected, NodeKind kind, NodeId parent, const Name& name) {
        const std::string_view found(at, std::min(left(at), expected.size()));
        if (found != expected) return refuse(at, "a value expected");
        const char* const end = at + expected.size();
        tree_.add(parent, name, kind, kind == NodeKind::null ? std::string_view() : found, spanOf(at, end));
        return end;
    }

    const char* digits(const char* at) const {
        while (at < end_ && isDigit(*at)) ++at;
        return at;
    }

    /// Section 6. The digits stay as they are, however many.
    const char* number(const char* const from, NodeId parent, const Name& name) {
        const char* at = from;
        auto some = [this](const char*& place) {
            const char* const first = place;
            return (place = digits(place)) != first;
        };
        if (peek(at) == '-') ++at;
        if (peek(at) == '0') ++at;
        else if (!some(at)) return refuse(at, at == from ? "a value expected" : "a digit expected");
        if (peek(at) == '.' && !some(++at)) return refuse(at, "a digit expected behind the decimal point");
        if (peek(at) == 'e' || peek(at) == 'E') {
            ++at;
            if (peek(at) == '-' || peek(at) == '+') ++at;
            if (!some(at)) return refuse(at, "a digit expected in the exponent");
        }
        tree_.add(parent, name, NodeKind::number, view(from, at), spanOf(from, at));
        return at;
    }

    /// Goes on to the next quote or backslash. Errors: there is none, a control character, or what ends there is no UTF-8.
    const char* run(const char* const from) {
        const char* at = from;
        bool ascii = true;
        while (true) {
            while (end_ - at >= kStretch) {
                const std::ptrdiff_t plain = plainBytes(at);
                if (plain < kStretch) {
                    at += plain;
                    break;
                }
                at += kStretch;  // not by what was counted: the next stretch need not wait for it
            }
            if (at >= end_) return refuse(at, "a string without its closing quote");
            const auto c = static_cast<unsigned char>(*at);
            if (c == '"' || c == '\\') break;
            if (c < 0x20) return refuse(at, "a control character in a string; it must be escaped");
            ascii = ascii && c < 0x80;
            ++at;
        }
        const std::size_t bad = ascii ? std::string_view::npos : invalidUtf8(view(from, at));
        return bad == std::string_view::npos ? at : refuse(from + bad, "a byte that is not UTF-8");
    }

    /// The string whose opening quote stands here. Most are short, and as they are.
    const char* string(const char* const quote, std::string_view& text) {
        const char* const from = quote + 1;
        const std::ptrdiff_t plain = end_ - from > kStretch ? plainBytes(from) : kStretch;
        if (plain == kStretch || from[plain] != '"') return anyString(from, text);
        text = view(from, from + plain);
        return from + plain + 1;
    }
    const char* anyString(const char* const from, std::string_view& text) {
        const char* at = run(from);
        if (at == nullptr) return nullptr;
        if (*at == '"') {
            text = view(from, at);
            return at + 1;
        }
        static thread_local std::string out;
        out.assign(from, at);
        while (*at == '\\') {
            const char* const plain = escape(at + 1, out);
            if (plain == nullptr || (at = run(plain)) == nullptr) return nullptr;
            out.append(plain, at);
        }
        text = tree_.keep(out);
        return at + 1;
    }

    /// Section 7, behind the backslash.
    const char* escape(const char* at, std::string& out) {
        switch (peek(at)) {
            case '"': out += '"'; break;
            case '\\': out += '\\'; break;
            case '/': out += '/'; break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': return unicode(at, out);
            default: return refuse(at, "an escape that JSON does not have");
        }
        return at + 1;
    }

    /// `u` and four hexadecimal digits, for characters beyond U+FFFF twice.
    const char* unicode(const char* const u, std::string& out) {
        std::uint32_t c = 0, low = 0;
        const char* at = fourDigits(u + 1, c);
        if (at == nullptr) return nullptr;
        if (c >= 0xD800 && c < 0xE000) {
            if (c < 0xDC00 && peek(at) == '\\' && peek(at + 1) == 'u' && (at = fourDigits(at + 2, low)) == nullptr)
                return nullptr;
            if (low < 0xDC00 || low >= 0xE000) return refuse(u - 1, "half of a surrogate pair");
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
        appendUtf8(out, c);
        return at;
    }
    const char* fourDigits(const char* at, std::uint32_t& c) {
        for (int i = 0; i < 4; ++i, ++at) {
            const char d = peek(at);
            const int digit = isDigit(d)             ? d - '0'
                              : d >= 'a' && d <= 'f' ? d - 'a' + 10
                              : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                                     : -1;
            if (digit < 0) return refuse(at, "four hexadecimal digits expected");
            c = c << 4 | static_cast<std::uint32_t>(digit);
        }
        return at;
    }
};

}  // namespace

Result<Units> splitLines(std::string_view object) {
    Units out;
    for (std::size_t at = 0; at < object.size();) {
        std::size_t stop = std::min(object.find('\n', at), object.size()), end = stop;
        while (end > at && (object[end - 1] == '\r' || object[end - 1] == ' ' || object[end - 1] == '\t')) --end;
        if (end > at) out.units.push_back({at, end - at});
        at = stop + 1;
    }
    return out;
}

Result<void> parse(std::string_view raw, bool fhir, NodeTree& tree) {
    tree.clear(fhir ? Dialect::fhir : Dialect::plain);
    return Parser(raw, tree).text();
}

}  // namespace porta::formats::json
