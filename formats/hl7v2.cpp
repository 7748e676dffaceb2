#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "formats/hl7v2_charset.h"
#include "formats/hl7v2_groups.h"
#include "formats/numbered.h"
#include "formats/readers.h"

namespace porta::formats::hl7v2 {

namespace {

bool isEnd(char c) { return c == '\r' || c == '\n'; }

/// The first of the segment's end and this character, from `at` on.
std::size_t stopAt(std::string_view text, std::size_t at, char c) {
    while (at < text.size() && text[at] != c && !isEnd(text[at])) ++at;
    return at;
}

bool isSegmentId(std::string_view s) {
    auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return s.size() >= 3 && upper(s[0]) && (upper(s[1]) || digit(s[1])) && (upper(s[2]) || digit(s[2]));
}

/// What a character of a message means, as bits. `kStops` ends a value.
enum Sign : std::uint8_t {
    kField = 1,
    kRepetition = 2,
    kComponent = 4,
    kSubcomponent = 8,
    kLineEnd = 16,
    kDecode = 32,  ///< an escape, or no ASCII
    kStops = kField | kRepetition | kComponent | kSubcomponent | kLineEnd,
};
using Signs = std::array<std::uint8_t, 256>;

class Parser {
public:
    Parser(std::string_view raw, NodeTree& tree) : raw_(raw), scan_(raw), tree_(tree) {}

    Result<void> run(const std::string& encoding, bool groups) {
        if (auto done = delimiters(); !done) return done;
        if (auto done = chooseCharset(encoding); !done) return done;
        if (groups) chooseStructure();
        signs_ = signsOf(d_).data();
        for (std::size_t at = 0; at < raw_.size();) {
            while (at < raw_.size() && isEnd(raw_[at])) ++at;
            const std::size_t text = raw_.find_first_not_of(" \t", at);
            if (text == std::string_view::npos) break;
            if (isEnd(raw_[text])) {
                at = text;
                continue;
            }
            auto end = segment(at);
            if (!end) return end.error();
            at = *end;
        }
        return {};
    }

private:
    std::string_view raw_;
    std::string_view scan_;  ///< where delimiters are looked for: `raw_`, or its masked copy
    std::string masked_ = {};
    NodeTree& tree_;
    Delimiters d_ = {};
    std::optional<MessageCharset> charset_ = {};
    const std::uint8_t* signs_ = nullptr;
    const NumberedNames& names_ = numberedNames();
    std::optional<Grouping> groups_ = {};

    /// MSH-1 and MSH-2 (2.5.4).
    Result<void> delimiters() {
        if (raw_.size() < 8 || raw_.substr(0, 3) != "MSH")
            return fail(Errc::malformed, "a message begins with an MSH segment of at least eight characters",
                        "hl7v2.msh", 0, 3);
        d_.field = raw_[3];
        const std::string_view codes = raw_.substr(4, stopAt(raw_, 4, d_.field) - 4);
        if (codes.size() < 2 || std::isalnum(static_cast<unsigned char>(d_.field)) || isEnd(d_.field))
            return fail(Errc::malformed, "MSH-1 and MSH-2 must name the delimiters, e.g. |^~\\&", "hl7v2.delimiters", 3,
                        5);
        d_.component = codes[0];
        d_.repetition = codes[1];
        d_.escape = codes.size() > 2 ? codes[2] : '\0';
        // A doubled backslash comes from sources that escaped the header once too often.
        const std::size_t next = codes.size() > 4 && codes[3] == d_.escape ? 4 : 3;
        d_.subcomponent = codes.size() > next ? codes[next] : '\0';
        if (d_.subcomponent == d_.escape) d_.subcomponent = '\0';
        d_.truncation = codes.size() > next + 1 ? codes[next + 1] : '\0';
        return {};
    }

    /// A field of the header as it stands. MSH-1 is the separator itself, so MSH-18 stands after the 17th one.
    std::string_view headerField(int number) const {
        std::size_t at = 0;
        for (int n = 1; n < number && at < raw_.size() && !isEnd(raw_[at]); ++at) n += raw_[at] == d_.field;
        return raw_.substr(at, stopAt(raw_, at, d_.field) - at);
    }

    /// What MSH-9 and MSH-12 say; without a structure that is known the message stays flat.
    void chooseStructure() {
        std::string_view repetitions = headerField(9), version = headerField(12);
        std::string_view type = until(repetitions, d_.repetition);
        const std::string_view code = until(type, d_.component), event = until(type, d_.component);
        const auto found = Structures::find(until(version, d_.component), code, event, until(type, d_.component));
        if (found.message != nullptr) groups_.emplace(tree_, *found.structures, *found.message);
    }

    Result<void> chooseCharset(const std::string& encoding) {
        auto charset = MessageCharset::of(headerField(18), d_.repetition, encoding);
        if (!charset) return charset.error();
        charset_ = *charset;
        if (charset_->masks()) {
            masked_ = charset_->masked(raw_);
            scan_ = masked_;
        }
        return {};
    }

    /// The table of this message's delimiters, which is nearly always that of the message before.
    static const Signs& signsOf(const Delimiters& d) {
        static thread_local Signs table;
        static thread_local std::array<char, 5> known{};
        const std::array<char, 5> mine{d.field, d.repetition, d.component, d.subcomponent, d.escape};
        if (known == mine) return table;
        known = mine;
        for (std::size_t c = 0; c < table.size(); ++c) table[c] = c < 0x80 ? 0 : kDecode;
        auto sign = [](char c, std::uint8_t bits) { table[static_cast<unsigned char>(c)] |= bits; };
        sign(d.field, kField);
        sign(d.repetition, kRepetition);
        sign(d.component, kComponent);
        if (d.subcomponent) sign(d.subcomponent, kSubcomponent);
        if (d.escape) sign(d.escape, kDecode);
        sign('\r', kLineEnd);
        sign('\n', kLineEnd);
        return table;
    }

    static Span spanOf(std::size_t from, std::size_t to) {
        return {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
    }

    /// Where one level of a field begins, and its node once it has something to say.
    struct Level {
        NodeId node = kNoNode;
        std::size_t from = 0, number = 1;
        void begin(std::size_t at, std::size_t n) { *this = {kNoNode, at, n}; }
    };

    /// One segment, value by value; groups are made when their first value is. Gives the place of its line's end.
    Result<std::size_t> segment(std::size_t from) {
        const std::string_view id = raw_.substr(from, 3);
        const bool ended = from + 3 >= raw_.size() || raw_[from + 3] == d_.field || isEnd(raw_[from + 3]);
        if (!isSegmentId(id) || !ended)
            return fail(Errc::malformed,
                        "a segment begins with three capital letters or digits and the field separator",
                        "hl7v2.segment", from, std::min<std::size_t>(raw_.size() - from, 4));
        const NodeId parent = groups_ ? groups_->place(id) : tree_.root();
        const NodeId node = tree_.add(parent, id, NodeKind::object, {}, {});
        std::size_t at = from + 3, end = raw_.size();
        Level field{kNoNode, at + 1, 1}, component{kNoNode, at + 1, 1};
        std::size_t subcomponent = 1;
        if (id == "MSH" && from == 0) {
            header(node);
            at = stopAt(scan_, 4, d_.field);
            field.begin(at + 1, 3);
            component.begin(at + 1, 1);
        }
        if (at < raw_.size() && !isEnd(raw_[at])) ++at;
        while (true) {
            std::size_t stop = at;
            unsigned all = 0, sign = kLineEnd;
            for (; stop < raw_.size(); ++stop) {
                sign = signs_[static_cast<unsigned char>(scan_[stop])];
                if (sign & kStops) break;
                all |= sign;
                sign = kLineEnd;
            }
            if (stop > at) {
                const bool simple_component = subcomponent == 1 && !(sign & kSubcomponent);
                const bool simple_field = simple_component && component.number == 1 && !(sign & kComponent);
                if (auto done =
                        value(node, field, component, simple_field, simple_component, subcomponent, at, stop, all);
                    !done)
                    return done.error();
            }
            at = stop + 1;
            if (sign & kSubcomponent) {
                ++subcomponent;
                continue;
            }
            if (component.node != kNoNode) tree_.at(component.node).span = spanOf(component.from, stop);
            subcomponent = 1;
            component.begin(at, component.number + 1);
            if (sign & kComponent) continue;
            if (field.node != kNoNode) tree_.at(field.node).span = spanOf(field.from, stop);
            field.begin(at, field.number + ((sign & kRepetition) ? 0 : 1));
            component.begin(at, 1);
            if (!(sign & kLineEnd)) continue;
            end = stop;
            break;
        }
        tree_.at(node).span = spanOf(from, end);
        if (groups_) groups_->covered(spanOf(from, end));
        return end;
    }

    /// MSH-1 and MSH-2 are texts as they stand.
    void header(NodeId msh) {
        tree_.add(msh, numbered(names_.fields, 1), NodeKind::text, raw_.substr(3, 1), {3, 1});
        const std::size_t stop = stopAt(raw_, 4, d_.field);
        tree_.add(msh, numbered(names_.fields, 2), NodeKind::text, raw_.substr(4, stop - 4), spanOf(4, stop));
    }

    Result<void> value(NodeId segment, Level& field, Level& component, bool simple_field, bool simple_component,
                       std::size_t subcomponent, std::size_t from, std::size_t to, unsigned all) {
        const Name* name = &numbered(names_.fields, field.number);
        NodeId parent = segment;
        if (!simple_field) {
            if (field.node == kNoNode) field.node = tree_.add(segment, *name, NodeKind::object, {}, {});
            parent = field.node;
            name = &numbered(names_.components, component.number);
            if (!simple_component) {
                if (component.node == kNoNode) component.node = tree_.add(parent, *name, NodeKind::object, {}, {});
                parent = component.node;
                name = &numbered(names_.subcomponents, subcomponent);
            }
        }
        const std::string_view text = raw_.substr(from, to - from);
        if (text == "\"\"") {
            tree_.add(parent, *name, NodeKind::null, {}, spanOf(from, to));
            return {};
        }
        if (!(all & kDecode)) {
            tree_.add(parent, *name, NodeKind::text, text, spanOf(from, to));
            return {};
        }
        static thread_local std::string buffer;
        auto decoded = charset_->decode(text, scan_.substr(from, to - from), d_, buffer);
        if (!decoded) {
            Error e = decoded.error();
            e.rule = "hl7v2.charset";
            e.offset += from;
            return e;
        }
        tree_.add(parent, *name, NodeKind::text, decoded->data() == buffer.data() ? tree_.keep(*decoded) : *decoded,
                  spanOf(from, to));
        return {};
    }
};

/// Messages and batches of a file (2.10.3): what trailers count must be there.
class Splitter {
public:
    explicit Splitter(std::string_view object) : object_(object) {}

    Result<Units> run() {
        std::size_t at = object_.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
        while (true) {
            // Line ends, and the frame of MLLP.
            while (at < object_.size() && (isEnd(object_[at]) || object_[at] == '\x0b' || object_[at] == '\x1c')) ++at;
            std::size_t stop = at;
            while (stop < object_.size() && !isEnd(object_[stop]) && object_[stop] != '\x1c') ++stop;
            if (stop == at) break;
            if (auto done = line(at, stop); !done) return done.error();
            at = stop;
        }
        flush();
        if (out_.units.empty()) return fail(Errc::malformed, "there is no MSH segment", "hl7v2.msh", 0, 0);
        return std::move(out_);
    }

private:
    static constexpr std::size_t kNone = std::string_view::npos;
    std::string_view object_;
    Units out_;
    std::size_t begin_ = kNone, last_ = 0;
    std::size_t in_batch_ = 0, batches_ = 0;  ///< messages since BHS, batches since FHS

    void flush() {
        if (begin_ != kNone) out_.units.push_back({begin_, last_ - begin_});
        begin_ = kNone;
    }

    Result<void> line(std::size_t from, std::size_t to) {
        const std::string_view text = object_.substr(from, to - from), id = text.substr(0, 3);
        if (id == "MSH") {
            flush();
            begin_ = from;
            ++in_batch_;
        } else if (id == "FHS" || id == "BHS") {
            flush();
            in_batch_ = 0;
            batches_ = id == "FHS" ? 0 : batches_ + 1;
        } else if (id == "BTS" || id == "FTS") {
            flush();
            const std::size_t found = id == "BTS" ? in_batch_ : batches_;
            if ((id == "BTS" || batches_ > 0) && !counts(text, found))
                return fail(Errc::malformed,
                            id == "BTS" ? "BTS-1 is not the number of the batch's messages"
                                        : "FTS-1 is not the number of the file's batches",
                            "hl7v2.batch", from, to - from);
            in_batch_ = 0;
        } else if (begin_ == kNone) {
            // Text before any MSH: a unit of its own, which `parse` refuses.
            if (text.find_first_not_of(" \t") == std::string_view::npos) return {};
            begin_ = from;
        }
        last_ = to;
        return {};
    }

    /// Whether the trailer's first field is empty or this number.
    static bool counts(std::string_view trailer, std::size_t expected) {
        if (trailer.size() < 4) return true;
        const std::string_view text = trailer.substr(4, std::min(trailer.find(trailer[3], 4), trailer.size()) - 4);
        std::size_t n = 0;
        const char* end = text.data() + text.size();
        return text.empty() || (std::from_chars(text.data(), end, n).ptr == end && n == expected);
    }
};

}  // namespace

Result<Units> split(std::string_view object) { return Splitter(object).run(); }

Result<void> parse(std::string_view raw, const std::string& encoding, bool groups, NodeTree& tree) {
    tree.clear(Dialect::hl7v2);
    return Parser(raw, tree).run(encoding, groups);
}

}  // namespace porta::formats::hl7v2
