#include <algorithm>
#include <array>

#include "formats/charset.h"
#include "formats/numbered.h"
#include "formats/readers.h"

namespace porta::formats::hl7v2 {

namespace {

bool isEnd(char c) { return c == '\r' || c == '\n'; }

bool isSegmentId(std::string_view s) {
    auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return s.size() >= 3 && upper(s[0]) && (upper(s[1]) || digit(s[1])) && (upper(s[2]) || digit(s[2]));
}

int hexDigit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/// What the characters of a value mean, as bits.
enum Sign : std::uint8_t {
    kField = 1,
    kComponent = 2,
    kRepetition = 4,
    kSubcomponent = 8,
    kDecode = 16,  ///< an escape, or no ASCII
    kSaying = 32,  ///< all but separators of components and subcomponents
};

class Parser {
public:
    Parser(std::string_view raw, NodeTree& tree) : raw_(raw), tree_(tree) {}

    Result<void> run(const std::string& encoding) {
        if (raw_.size() < 8 || raw_.substr(0, 3) != "MSH")
            return fail(Errc::malformed, "a message begins with an MSH segment of at least eight characters",
                        "hl7v2.msh", 0, 3);
        field_ = raw_[3];
        std::size_t end = raw_.find(field_, 4);
        std::string_view codes =
            raw_.substr(4, end == std::string_view::npos ? raw_.find_first_of("\r\n", 4) - 4 : end - 4);
        if (codes.size() < 2 || codes.find_first_of("\r\n") != std::string_view::npos ||
            std::isalnum(static_cast<unsigned char>(field_)) || isEnd(field_))
            return fail(Errc::malformed, "MSH-1 and MSH-2 must name the delimiters, e.g. |^~\\&", "hl7v2.delimiters", 3,
                        5);
        component_ = codes[0];
        repetition_ = codes[1];
        escape_ = codes.size() > 2 ? codes[2] : '\0';
        // A doubled backslash comes from sources that escaped the header once too often.
        subcomponent_ = codes.size() > 3 ? codes[3] : '\0';
        if (subcomponent_ == escape_ && codes.size() > 4) subcomponent_ = codes[4];
        setSigns();
        if (auto r = chooseCharset(encoding); !r) return r;
        std::size_t at = 0;
        // The next ends of a line, each looked for once.
        std::size_t cr = std::min(raw_.find('\r'), raw_.size()), lf = std::min(raw_.find('\n'), raw_.size());
        while (at < raw_.size()) {
            if (at > cr) cr = std::min(raw_.find('\r', at), raw_.size());
            if (at > lf) lf = std::min(raw_.find('\n', at), raw_.size());
            const std::size_t stop = std::min(cr, lf);
            if (raw_.substr(at, stop - at).find_first_not_of(" \t") != std::string_view::npos)
                if (auto r = segment(at, stop); !r) return r;
            at = stop + 1;
        }
        return {};
    }

private:
    std::string_view raw_;
    NodeTree& tree_;
    char field_ = '|', component_ = '^', repetition_ = '~', escape_ = '\\', subcomponent_ = '&';
    const Charset* charset_ = nullptr;
    const NumberedNames& names_ = numberedNames();

    const Name& numbered(char letter, std::size_t n) const {
        const Name* names = letter == 'f' ? names_.fields : letter == 'c' ? names_.components : names_.subcomponents;
        return formats::numbered(names, n);
    }
    const std::uint8_t* signs_ = nullptr;

    /// The table of this message's delimiters, which is nearly always that of the message before.
    void setSigns() {
        static thread_local std::array<std::uint8_t, 256> table;
        static thread_local std::array<char, 5> known{};
        const std::array<char, 5> mine{field_, component_, repetition_, escape_, subcomponent_};
        signs_ = table.data();
        if (known == mine) return;
        known = mine;
        for (std::size_t c = 0; c < table.size(); ++c) table[c] = c < 0x80 ? kSaying : kSaying | kDecode;
        auto sign = [](char c, unsigned bits, bool saying) {
            std::uint8_t& of = table[static_cast<unsigned char>(c)];
            of = static_cast<std::uint8_t>((of & (saying ? 0xFF : ~kSaying)) | bits);
        };
        sign(field_, kField, true);
        sign(repetition_, kRepetition, true);
        sign(component_, kComponent, false);
        if (escape_) sign(escape_, kDecode, true);
        if (subcomponent_) sign(subcomponent_, kSubcomponent, false);
    }
    /// All that stands in a stretch.
    unsigned signs(std::size_t from, std::size_t to) const {
        unsigned all = 0;
        for (; from < to; ++from) all |= signs_[static_cast<unsigned char>(raw_[from])];
        return all;
    }

    Result<void> chooseCharset(const std::string& encoding) {
        // MSH-1 is the separator itself, so MSH-18 stands after the 17th one.
        std::size_t at = 0;
        for (int n = 0; n < 17 && at < raw_.size() && !isEnd(raw_[at]); ++at) n += raw_[at] == field_;
        std::size_t stop = at;
        auto ends = [this](char c) { return c == field_ || c == repetition_ || c == component_ || isEnd(c); };
        while (stop < raw_.size() && !ends(raw_[stop])) ++stop;
        const std::string_view name = raw_.substr(at, stop - at);
        // HL7 table 0211.
        auto charset = sharedCharset(name.rfind("8859/", 0) == 0 ? "iso-8859-" + std::string(name.substr(5))
                                     : name == "UNICODE UTF-8" || name == "UNICODE" || name == "UTF-8" ? "utf-8"
                                     : name == "WINDOWS-1252"                                          ? "windows-1252"
                                                                                                       : encoding);
        if (!charset)
            return fail(Errc::malformed, "MSH-18 names a character set that does not exist", "hl7v2.charset", at,
                        name.size(), "MSH.f18");
        charset_ = *charset;
        return {};
    }

    Result<void> segment(std::size_t from, std::size_t to) {
        std::string_view line = raw_.substr(from, to - from);
        if (!isSegmentId(line) || (line.size() > 3 && line[3] != field_))
            return fail(Errc::malformed,
                        "a segment begins with three capital letters or digits and the field separator",
                        "hl7v2.segment", from, std::min<std::size_t>(line.size(), 4));
        NodeId seg = tree_.add(tree_.root(), line.substr(0, 3), NodeKind::object, {},
                               {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)});
        std::size_t at = from + 4, n = 1;
        if (line.substr(0, 3) == "MSH") {
            tree_.add(seg, numbered('f', 1), NodeKind::text, raw_.substr(from + 3, 1),
                      {static_cast<std::uint32_t>(from + 3), 1});
            std::size_t stop = std::min(raw_.find(field_, at), to);
            tree_.add(seg, numbered('f', 2), NodeKind::text, raw_.substr(at, stop - at),
                      {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(stop - at)});
            at = stop + 1;
            n = 3;
        }
        for (; at <= to; ++n) {
            std::size_t stop = at;
            unsigned all = 0;
            for (; stop < to; ++stop) {
                const unsigned sign = signs_[static_cast<unsigned char>(raw_[stop])];
                if (sign & kField) break;
                all |= sign;
            }
            if (!(all & kRepetition)) {
                if (stop > at)
                    if (auto done = value(seg, 'f', n, at, stop, all); !done) return done;
            } else {
                for (std::size_t r = at; r <= stop;) {
                    std::size_t end = r;
                    while (end < stop && raw_[end] != repetition_) ++end;
                    if (auto done = value(seg, 'f', n, r, end, signs(r, end)); !done) return done;
                    r = end + 1;
                }
            }
            at = stop + 1;
        }
        return {};
    }

    /// A field, component or subcomponent: split further where its separator stands in it. `all`: its signs.
    Result<void> value(NodeId parent, char level, std::size_t n, std::size_t from, std::size_t to, unsigned all) {
        // Nothing but separators says nothing: an empty field, which means unchanged.
        if (!(all & kSaying)) return {};
        const std::string_view text = raw_.substr(from, to - from);
        const Span span{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
        const unsigned separator = level == 'f' ? kComponent : level == 'c' ? kSubcomponent : 0;
        if (all & separator) {
            NodeId node = tree_.add(parent, numbered(level, n), NodeKind::object, {}, span);
            std::size_t k = 1;
            for (std::size_t at = from; at <= to; ++k) {
                std::size_t stop = at;
                unsigned part = 0;
                for (; stop < to; ++stop) {
                    const unsigned sign = signs_[static_cast<unsigned char>(raw_[stop])];
                    if (sign & separator) break;
                    part |= sign;
                }
                if (auto r = value(node, level == 'f' ? 'c' : 's', k, at, stop, part); !r) return r;
                at = stop + 1;
            }
            return {};
        }
        // A field whose first component has subcomponents: the component level must still be there.
        if (level == 'f' && (all & kSubcomponent)) {
            NodeId node = tree_.add(parent, numbered('f', n), NodeKind::object, {}, span);
            return value(node, 'c', 1, from, to, all);
        }
        if (text == "\"\"") {
            tree_.add(parent, numbered(level, n), NodeKind::null, {}, span);
            return {};
        }
        if (!(all & kDecode)) {
            tree_.add(parent, numbered(level, n), NodeKind::text, text, span);
            return {};
        }
        auto decoded = decode(text, from);
        if (!decoded) return decoded.error();
        tree_.add(parent, numbered(level, n), NodeKind::text, *decoded, span);
        return {};
    }

    Result<std::string_view> decode(std::string_view text, std::size_t offset) {
        const bool escaped = escape_ && text.find(escape_) != std::string_view::npos;
        std::string unescaped;
        if (escaped) {
            for (std::size_t i = 0; i < text.size(); ++i) {
                std::size_t close = text[i] == escape_ ? text.find(escape_, i + 1) : std::string_view::npos;
                if (close == std::string_view::npos) {
                    unescaped += text[i];
                    continue;
                }
                std::string_view code = text.substr(i + 1, close - i - 1);
                if (code == "F") unescaped += field_;
                else if (code == "S") unescaped += component_;
                else if (code == "T") unescaped += subcomponent_;
                else if (code == "R") unescaped += repetition_;
                else if (code == "E") unescaped += escape_;
                else if (code == ".br") unescaped += '\n';
                else if (code.size() >= 3 && code[0] == 'X' && code.size() % 2 == 1 &&
                         std::all_of(code.begin() + 1, code.end(), [](char c) { return hexDigit(c) >= 0; }))
                    for (std::size_t k = 1; k < code.size(); k += 2)
                        unescaped += static_cast<char>(hexDigit(code[k]) * 16 + hexDigit(code[k + 1]));
                else if (code == "H" || code == "N") {
                } else {
                    unescaped += text[i];  // not an escape sequence: the character itself
                    continue;
                }
                i = close;
            }
        }
        std::string_view bytes = escaped ? std::string_view(unescaped) : text;
        auto utf8 = charset_->decode(bytes);
        if (!utf8) {
            Error e = utf8.error();
            e.rule = "hl7v2.charset";
            e.offset = offset + (escaped ? 0 : e.offset);
            e.length = escaped ? text.size() : 1;
            return e;
        }
        return tree_.keep(*utf8);
    }
};

}  // namespace

Result<Units> split(std::string_view object) {
    Units out;
    std::size_t at = 0, begin = std::string_view::npos, last = 0;
    auto flush = [&] {
        if (begin != std::string_view::npos) out.units.push_back({begin, last - begin});
        begin = std::string_view::npos;
    };
    if (object.substr(0, 3) == "\xEF\xBB\xBF") at = 3;
    while (at < object.size()) {
        while (at < object.size() && (isEnd(object[at]) || object[at] == '\x0b' || object[at] == '\x1c')) ++at;
        std::size_t stop = at;
        while (stop < object.size() && !isEnd(object[stop]) && object[stop] != '\x1c') ++stop;
        if (stop == at) break;
        std::string_view line = object.substr(at, stop - at);
        std::string_view id = line.substr(0, 3);
        if (id == "MSH") {
            flush();
            begin = at;
            last = stop;
        } else if (id == "FHS" || id == "BHS" || id == "BTS" || id == "FTS") {
            flush();
        } else if (begin != std::string_view::npos) {
            last = stop;
        } else if (line.find_first_not_of(" \t") != std::string_view::npos) {
            begin = at;  // text before any MSH: a unit of its own, which `parse` refuses
            last = stop;
        }
        at = stop;
    }
    flush();
    if (out.units.empty()) return fail(Errc::malformed, "there is no MSH segment", "hl7v2.msh", 0, 0);
    return out;
}

Result<void> parse(std::string_view raw, const std::string& encoding, NodeTree& tree) {
    tree.clear(Dialect::hl7v2);
    return Parser(raw, tree).run(encoding);
}

}  // namespace porta::formats::hl7v2
