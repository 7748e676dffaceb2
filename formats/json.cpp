// RFC 8259 straight into the node tree, in one pass. A parser of our own because what we keep (each value's place, a number's
// digits, members that stand twice) is what general ones give up; tests/fuzz compares its verdicts and values with simdjson.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats::json {

namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// How many of eight bytes stand before the first quote, backslash, control character or byte that is no ASCII.
std::size_t plainBytes(const char* at) {
    std::uint64_t w;
    std::memcpy(&w, at, 8);
    if constexpr (std::endian::native == std::endian::big) w = __builtin_bswap64(w);
    constexpr std::uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    auto zero = [](std::uint64_t x) { return (x - ones) & ~x; };
    // A borrow marks only bytes behind one that is marked rightly.
    const std::uint64_t special = (w | zero(w ^ (ones * '"')) | zero(w ^ (ones * '\\')) | (w - ones * 0x20)) & high;
    return static_cast<std::size_t>(std::countr_zero(special)) / 8;
}

class Parser {
public:
    Parser(std::string_view raw, NodeTree& tree) : raw_(raw), tree_(tree) {}

    Result<void> text() {
        // 8.1: a reader may ignore a byte order mark.
        if (raw_.substr(0, kBom.size()) == kBom) at_ = kBom.size();
        blanks();
        if (value(tree_.root(), Name("value"), Place::root)) {
            blanks();
            if (at_ == raw_.size()) return {};
            refuse("something follows the value");
        }
        return fail(Errc::malformed, message_, rule_, at_, at_ < raw_.size() ? 1 : 0);
    }

private:
    /// Whose value: the items of a list are children of the list's parent under its name, a list in a list has its own node.
    enum class Place : std::uint8_t { root, member, item };

    std::string_view raw_;
    NodeTree& tree_;
    std::size_t at_ = 0, depth_ = 0;
    const char *message_ = "", *rule_ = "json.syntax";

    /// Always false. `at_` is the place that is told.
    bool refuse(const char* message) {
        message_ = message;
        return false;
    }
    bool refuseAt(std::size_t at, const char* message) {
        at_ = at;
        return refuse(message);
    }
    char peek() const { return at_ < raw_.size() ? raw_[at_] : '\0'; }
    void blanks() {
        while (at_ < raw_.size() && isBlank(raw_[at_])) ++at_;
    }
    static Span spanOf(std::size_t from, std::size_t to) {
        return {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
    }

    bool value(NodeId parent, const Name& name, Place place) {
        switch (peek()) {
            case '{': return object(parent, name, place);
            case '[': return list(parent, name, place);
            case '"': {
                const std::size_t from = at_ + 1;
                std::string_view text;
                if (!string(text)) return false;
                tree_.add(parent, name, NodeKind::text, text, spanOf(from, at_ - 1));
                return true;
            }
            case 't': return word("true", NodeKind::boolean, parent, name);
            case 'f': return word("false", NodeKind::boolean, parent, name);
            case 'n': return word("null", NodeKind::null, parent, name);
            default: return number(parent, name);
        }
    }

    bool open() {
        if (++depth_ <= kMaxDepth) return true;
        rule_ = "json.depth";
        return refuse("nested deeper than 200");
    }

    bool object(NodeId parent, const Name& name, Place place) {
        if (!open()) return false;
        const std::size_t from = at_++;
        const NodeId node = place == Place::root ? parent : tree_.add(parent, name, NodeKind::object, {}, {});
        blanks();
        if (peek() != '}') {
            while (true) {
                if (peek() != '"') return refuse("the name of a member expected, in double quotes");
                std::string_view key;
                if (!string(key)) return false;
                blanks();
                if (peek() != ':') return refuse("a colon expected behind a member's name");
                ++at_;
                blanks();
                // A member that stands twice becomes two children, as a list would: a mapping that wants one value refuses it.
                if (!value(node, Name(key), Place::member)) return false;
                blanks();
                if (peek() == '}') break;
                if (peek() != ',') return refuse("a comma or } expected behind a member");
                ++at_;
                blanks();
            }
        }
        ++at_;
        --depth_;
        tree_.at(node).span = spanOf(from, at_);
        return true;
    }

    bool list(NodeId parent, const Name& name, Place place) {
        if (!open()) return false;
        const std::size_t from = at_++;
        const NodeId node = place == Place::item ? tree_.add(parent, name, NodeKind::object, {}, {}) : parent;
        const Name items = place == Place::root ? Name("item") : name;
        blanks();
        if (peek() != ']') {
            while (true) {
                if (!value(node, items, Place::item)) return false;
                blanks();
                if (peek() == ']') break;
                if (peek() != ',') return refuse("a comma or ] expected behind an item");
                ++at_;
                blanks();
            }
        }
        ++at_;
        --depth_;
        if (place != Place::member) tree_.at(node).span = spanOf(from, at_);
        return true;
    }

    bool word(std::string_view expected, NodeKind kind, NodeId parent, const Name& name) {
        if (raw_.substr(at_, expected.size()) != expected) return refuse("a value expected");
        const std::string_view text = kind == NodeKind::null ? std::string_view() : raw_.substr(at_, expected.size());
        tree_.add(parent, name, kind, text, spanOf(at_, at_ + expected.size()));
        at_ += expected.size();
        return true;
    }

    bool digits() {
        const std::size_t from = at_;
        while (at_ < raw_.size() && isDigit(raw_[at_])) ++at_;
        return at_ > from;
    }

    /// Section 6. The digits stay as they are, however many.
    bool number(NodeId parent, const Name& name) {
        const std::size_t from = at_;
        if (peek() == '-') ++at_;
        if (peek() == '0') ++at_;
        else if (!digits()) return at_ == from ? refuse("a value expected") : refuse("a digit expected");
        if (peek() == '.') {
            ++at_;
            if (!digits()) return refuse("a digit expected behind the decimal point");
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '-' || peek() == '+') ++at_;
            if (!digits()) return refuse("a digit expected in the exponent");
        }
        tree_.add(parent, name, NodeKind::number, raw_.substr(from, at_ - from), spanOf(from, at_));
        return true;
    }

    /// Goes on to the next quote, backslash or control character. Errors: what ends there is no UTF-8.
    bool run() {
        const std::size_t from = at_;
        bool ascii = true;
        while (true) {
            const char *at = raw_.data() + at_, *const end = raw_.data() + raw_.size();
            for (std::size_t plain = 8; plain == 8 && end - at >= 8; at += plain) plain = plainBytes(at);
            at_ = static_cast<std::size_t>(at - raw_.data());
            if (at_ >= raw_.size()) return refuse("a string without its closing quote");
            const auto c = static_cast<unsigned char>(raw_[at_]);
            if (c == '"' || c == '\\') break;
            if (c < 0x20) return refuse("a control character in a string; it must be escaped");
            ascii = ascii && c < 0x80;
            ++at_;
        }
        const std::size_t bad = ascii ? std::string_view::npos : invalidUtf8(raw_.substr(from, at_ - from));
        return bad == std::string_view::npos || refuseAt(from + bad, "a byte that is not UTF-8");
    }

    /// The string that begins here; then `at_` stands behind its closing quote.
    bool string(std::string_view& text) {
        const std::size_t from = ++at_;
        if (!run()) return false;
        if (raw_[at_] == '"') {
            text = raw_.substr(from, at_++ - from);
            return true;
        }
        static thread_local std::string out;
        out.assign(raw_.substr(from, at_ - from));
        while (raw_[at_] == '\\') {
            ++at_;
            if (!escape(out)) return false;
            const std::size_t plain = at_;
            if (!run()) return false;
            out.append(raw_, plain, at_ - plain);
        }
        ++at_;
        text = tree_.keep(out);
        return true;
    }

    /// Section 7, behind the backslash.
    bool escape(std::string& out) {
        switch (peek()) {
            case '"': out += '"'; break;
            case '\\': out += '\\'; break;
            case '/': out += '/'; break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': return unicode(out);
            default: return refuse("an escape that JSON does not have");
        }
        ++at_;
        return true;
    }

    /// `u` and four hexadecimal digits, for characters beyond U+FFFF twice.
    bool unicode(std::string& out) {
        const std::size_t from = at_ - 1;
        std::uint32_t c = 0, low = 0;
        if (!fourDigits(c)) return false;
        if (c >= 0xD800 && c < 0xE000) {
            const bool pair = c < 0xDC00 && raw_.substr(at_, 2) == "\\u";
            if (pair) {
                ++at_;
                if (!fourDigits(low)) return false;
            }
            if (low < 0xDC00 || low >= 0xE000) return refuseAt(from, "half of a surrogate pair");
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
        appendUtf8(out, c);
        return true;
    }
    bool fourDigits(std::uint32_t& c) {
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char d = peek();
            const int digit = isDigit(d)             ? d - '0'
                              : d >= 'a' && d <= 'f' ? d - 'a' + 10
                              : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                                     : -1;
            if (digit < 0) return refuse("four hexadecimal digits expected");
            c = c << 4 | static_cast<std::uint32_t>(digit);
        }
        return true;
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
