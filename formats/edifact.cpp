// UN/EDIFACT: ISO 9735-1 (syntax versions 1 to 4), service segments of its annex C.
#include <algorithm>
#include <array>
#include <charconv>

#include "formats/charset.h"
#include "formats/numbered.h"
#include "formats/readers.h"

namespace porta::formats::edifact {

namespace {

constexpr const char* kStructure = "edifact.structure";
constexpr const char* kReference = "edifact.reference";
constexpr const char* kCount = "edifact.count";

/// The characters of the service string advice, in its order (ISO 9735-1, 7.1).
struct Signs {
    char component = ':', element = '+', decimal = '.', release = '?', repetition = '*', terminator = '\'';
    /// Release and repetition may not be in use: then they are blanks.
    bool releases(char c) const { return c == release && release != ' '; }
    bool repeats(char c) const { return c == repetition && repetition != ' '; }
    std::string text() const { return {'U', 'N', 'A', component, element, decimal, release, repetition, terminator}; }
    friend bool operator==(const Signs&, const Signs&) = default;
};

bool isCosmetic(char c) { return c == '\r' || c == '\n'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool isTag(std::string_view s) {
    return s.size() == 3 && upper(s[0]) && (upper(s[1]) || digit(s[1])) && (upper(s[2]) || digit(s[2]));
}

/// One segment's place, its terminator left out.
struct Segment {
    std::size_t from = 0, to = 0;
    std::string_view tag;
};

/// Segments one after the other; line ends before a tag are cosmetic.
class Segments {
public:
    Segments(std::string_view bytes, const Signs& signs, std::size_t at = 0) : bytes_(bytes), signs_(signs), at_(at) {}

    std::size_t at() const { return at_; }
    bool end() {
        while (at_ < bytes_.size() && isCosmetic(bytes_[at_])) ++at_;
        return at_ == bytes_.size();
    }
    /// Errors: malformed when there is no tag, or the terminator is missing.
    Result<Segment> next() {
        Segment s{at_, at_, bytes_.substr(at_, 3)};
        const bool ended =
            at_ + 3 < bytes_.size() && (bytes_[at_ + 3] == signs_.element || bytes_[at_ + 3] == signs_.terminator ||
                                        bytes_[at_ + 3] == signs_.component);
        if (!isTag(s.tag) || !ended)
            return fail(Errc::malformed,
                        "a segment begins with a tag of three capital letters or digits and a separator",
                        "edifact.segment", at_, std::min<std::size_t>(3, bytes_.size() - at_));
        for (s.to = at_ + 3; s.to < bytes_.size() && bytes_[s.to] != signs_.terminator; ++s.to)
            if (signs_.releases(bytes_[s.to])) ++s.to;
        if (s.to >= bytes_.size())
            return fail(Errc::malformed, "a segment without its terminator", "edifact.terminator", at_, 3);
        at_ = s.to + 1;
        return s;
    }
    /// Goes on behind the next terminator, if there is one.
    bool resume() {
        for (; at_ < bytes_.size(); ++at_) {
            if (signs_.releases(bytes_[at_])) ++at_;
            else if (bytes_[at_] == signs_.terminator) return ++at_, true;
        }
        return false;
    }
    /// The text of element `n` (from 1), component `c` (from 1), with releases as they stand; empty when it is not there.
    std::string_view part(const Segment& s, std::size_t n, std::size_t c = 1) const {
        std::size_t element = 0, component = 1, from = s.to;
        for (std::size_t i = s.from + 3; i <= s.to; ++i) {
            const bool last = i == s.to;
            if (!last && signs_.releases(bytes_[i])) {
                ++i;
                continue;
            }
            if (!last && bytes_[i] != signs_.element && bytes_[i] != signs_.component) continue;
            if (element == n && component == c) return from <= i ? bytes_.substr(from, i - from) : std::string_view();
            if (last) break;
            if (bytes_[i] == signs_.element) ++element, component = 1;
            else ++component;
            from = i + 1;
        }
        return {};
    }

private:
    std::string_view bytes_;
    Signs signs_;
    std::size_t at_;
};

Error refused(const Segment& s, std::string message, const char* rule) {
    return fail(Errc::malformed, std::move(message), rule, s.from, s.to - s.from);
}

bool isCount(std::string_view text, std::size_t expected) {
    std::size_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return !text.empty() && error == std::errc() && end == text.data() + text.size() && n == expected;
}

/// The signs of the interchange that begins at `at`, which then stands at its UNB.
Result<Signs> serviceString(std::string_view b, std::size_t& at) {
    Signs signs;
    if (b.substr(at, 3) == "UNA") {
        if (b.size() < at + 9)
            return fail(Errc::malformed, "UNA is followed by six service characters", "edifact.una", at, b.size() - at);
        signs = {b[at + 3], b[at + 4], b[at + 5], b[at + 6], b[at + 7], b[at + 8]};
        const std::array<char, 4> must{signs.component, signs.element, signs.terminator, signs.release};
        for (std::size_t i = 0; i < must.size(); ++i) {
            const bool text =
                std::isalnum(static_cast<unsigned char>(must[i])) || static_cast<unsigned char>(must[i]) >= 0x80;
            if (text || std::count(must.begin(), must.end(), must[i]) > 1)
                return fail(Errc::malformed,
                            "the service characters of UNA are ASCII, no letters or digits, and differ from each other",
                            "edifact.una", at + 3, 6);
        }
        at += 9;
        while (at < b.size() && isCosmetic(b[at])) ++at;
    }
    if (b.substr(at, 3) != "UNB" || b.size() < at + 9)
        return fail(Errc::malformed, "an interchange begins with UNB, or with UNA and UNB", kStructure, at,
                    std::min<std::size_t>(3, b.size() - at));
    // Level B of syntax versions 1 to 3 has separators that do not print: IS3, IS1 and IS4, and no release character.
    if (b[at + 3] == '\x1d') signs = {'\x1f', '\x1d', '.', ' ', ' ', '\x1c'};
    // UNB+UNOx:4. Before syntax version 4 nothing was repeated, and an asterisk was text.
    if (b[at + 8] != signs.component || b.substr(at + 9, 1) != "4") signs.repetition = ' ';
    return signs;
}

/// Data element 0001.
Result<const Charset*> charsetOf(std::string_view identifier) {
    static constexpr std::pair<std::string_view, const char*> kLevels[] = {
        {"UNOA", "us-ascii"},   {"UNOB", "us-ascii"},   {"UNOC", "iso-8859-1"}, {"UNOD", "iso-8859-2"},
        {"UNOE", "iso-8859-5"}, {"UNOF", "iso-8859-7"}, {"UNOG", "iso-8859-3"}, {"UNOH", "iso-8859-4"},
        {"UNOI", "iso-8859-6"}, {"UNOJ", "iso-8859-8"}, {"UNOK", "iso-8859-9"}, {"UNOW", "utf-8"},
        {"UNOY", "utf-8"}};
    for (const auto& [level, name] : kLevels)
        if (level == identifier) return sharedCharset(name);
    return fail(Errc::malformed, "the syntax identifier of UNB is none of UNOA to UNOK, UNOW and UNOY",
                "edifact.charset", 0, 4);
}

/// What of an interchange each of its messages needs, as `Units::context`: UNA with the six characters, then UNB-1.1.
std::string contextOf(const Signs& signs, std::string_view identifier) {
    return signs.text() + std::string(identifier);
}

/// Walks through one object: interchanges, groups, messages; the counts and references of each.
class Splitter {
public:
    explicit Splitter(std::string_view object) : bytes_(object) {}

    Result<Units> run() {
        std::size_t at = bytes_.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
        auto blanks = [&] {
            while (at < bytes_.size() && (isCosmetic(bytes_[at]) || bytes_[at] == ' ')) ++at;
        };
        blanks();
        do {
            if (auto done = interchange(at); !done) return done.error();
            blanks();
        } while (at < bytes_.size());
        return std::move(out_);
    }

private:
    std::string_view bytes_;
    Units out_;
    std::size_t message_ = kNone;  ///< where the open one begins
    std::size_t messages_ = 0, groups_ = 0, in_group_ = 0;
    std::string_view interchange_, group_;  ///< references; a group's is empty outside of one
    static constexpr std::size_t kNone = ~std::size_t{0};

    /// Ends the open message: what it lacks, `parse` will tell.
    void close(std::size_t to) {
        if (message_ != kNone) out_.units.push_back({message_, to - message_});
        message_ = kNone;
    }

    Result<void> interchange(std::size_t& at) {
        auto signs = serviceString(bytes_, at);
        if (!signs) return signs.error();
        Segments segments(bytes_, *signs, at);
        auto unb = segments.next();
        if (!unb) return unb.error();
        const std::string_view identifier = segments.part(*unb, 1);
        if (auto known = charsetOf(identifier); !known) return refused(*unb, known.error().message, "edifact.charset");
        const std::string context = contextOf(*signs, identifier);
        if (!out_.context.empty() && out_.context != context)
            return refused(*unb, "interchanges of one object with different service characters or character sets",
                           "edifact.mixed");
        out_.context = context;
        interchange_ = segments.part(*unb, 5);
        if (interchange_.empty()) return refused(*unb, "UNB-5, the interchange's reference, is missing", kReference);
        messages_ = groups_ = in_group_ = 0;
        group_ = {};
        while (true) {
            if (segments.end())
                return fail(Errc::malformed, "an interchange without its UNZ", kStructure, bytes_.size(), 0);
            auto s = segments.next();
            // What is no segment belongs to its message; outside of one nothing can be split.
            if (!s && (message_ == kNone || !segments.resume())) return s.error();
            if (!s) continue;
            if (s->tag == "UNZ") {
                at = segments.at();
                return end(segments, *s);
            }
            if (auto done = service(segments, *s); !done) return done;
        }
    }

    /// A segment between UNB and UNZ.
    Result<void> service(const Segments& segments, const Segment& s) {
        if (s.tag == "UNH") {
            close(s.from);
            if (groups_ > 0 && group_.empty()) return refused(s, "a message beside the groups", kStructure);
            message_ = s.from;
            ++messages_;
            ++in_group_;
        } else if (s.tag == "UNT" && message_ != kNone) {
            close(segments.at());
        } else if (s.tag == "UNG") {
            close(s.from);
            if (!group_.empty() || (groups_ == 0 && messages_ > 0))
                return refused(s, "a group within a group or behind messages without one", kStructure);
            group_ = segments.part(s, 5);
            if (group_.empty()) return refused(s, "UNG-5, the group's reference, is missing", kReference);
            ++groups_;
            in_group_ = 0;
        } else if (s.tag == "UNE") {
            close(s.from);
            if (group_.empty()) return refused(s, "UNE without its UNG", kStructure);
            if (!isCount(segments.part(s, 1), in_group_))
                return refused(s, "UNE-1 is not the number of the group's messages", kCount);
            if (segments.part(s, 2) != group_) return refused(s, "UNE-2 is not the reference of UNG-5", kReference);
            group_ = {};
        } else if (s.tag == "UNB" || message_ == kNone) {
            return refused(s, "a segment outside of a message; UNH, UNG or UNZ expected", kStructure);
        }
        return {};
    }

    Result<void> end(const Segments& segments, const Segment& unz) {
        close(unz.from);
        if (!group_.empty()) return refused(unz, "a group without its UNE", kStructure);
        if (!isCount(segments.part(unz, 1), groups_ > 0 ? groups_ : messages_))
            return refused(unz, "UNZ-1 is not the number of the interchange's messages, or of its groups", kCount);
        if (segments.part(unz, 2) != interchange_)
            return refused(unz, "UNZ-2 is not the reference of UNB-5", kReference);
        return {};
    }
};

/// One message's segments into the tree.
class Parser {
public:
    Parser(std::string_view raw, const Signs& signs, const Charset& charset, NodeTree& tree)
        : raw_(raw), signs_(signs), charset_(charset), tree_(tree) {}

    Result<void> run() {
        Segments segments(raw_, signs_);
        std::size_t count = 0;
        std::string_view reference;
        while (!segments.end()) {
            auto s = segments.next();
            if (!s) return s.error();
            ++count;
            if ((count == 1) != (s->tag == "UNH")) return refused(*s, "a message begins with its one UNH", kStructure);
            if (count == 1) reference = segments.part(*s, 1);
            if (count == 1 && (reference.empty() || segments.part(*s, 2).empty()))
                return refused(*s, "UNH needs the message's reference and its type", kReference);
            if (auto done = segment(*s); !done) return done;
            if (s->tag != "UNT") continue;
            if (!segments.end()) return refused(*s, "a message ends with its one UNT", kStructure);
            if (!isCount(segments.part(*s, 1), count))
                return refused(*s, "UNT-1 is not the number of the message's segments, UNH and UNT counted", kCount);
            if (segments.part(*s, 2) != reference)
                return refused(*s, "UNT-2 is not the reference of UNH-1", kReference);
            return {};
        }
        return fail(Errc::malformed, "a message without its UNT", kStructure, raw_.size(), 0);
    }

private:
    std::string_view raw_;
    const Signs& signs_;
    const Charset& charset_;
    NodeTree& tree_;
    const NumberedNames& names_ = numberedNames();

    static Span spanOf(std::size_t from, std::size_t to) {
        return {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
    }
    /// The next separator of that kind, or `to`.
    template <class Stops>
    std::size_t stop(std::size_t at, std::size_t to, Stops stops) const {
        for (; at < to && !stops(raw_[at]); ++at)
            if (signs_.releases(raw_[at])) ++at;
        return std::min(at, to);
    }

    Result<void> segment(const Segment& s) {
        const NodeId node = tree_.add(tree_.root(), raw_.substr(s.from, 3), NodeKind::object, {}, spanOf(s.from, s.to));
        // Element 0: explicit nesting behind the tag (ISO 9735-1, 8.3), there only when it is used.
        std::size_t at = s.from + 3 + (s.from + 3 < s.to && raw_[s.from + 3] == signs_.component);
        for (std::size_t n = 0; at <= s.to; ++n) {
            const std::size_t end = stop(at, s.to, [this](char c) { return c == signs_.element; });
            for (std::size_t r = at; r <= end;) {
                const std::size_t next = stop(r, end, [this](char c) { return signs_.repeats(c); });
                if (auto done = element(node, n, r, next); !done) return done;
                r = next + 1;
            }
            at = end + 1;
        }
        return {};
    }

    Result<void> element(NodeId segment, std::size_t n, std::size_t from, std::size_t to) {
        auto separates = [this](char c) { return c == signs_.component; };
        const Name& name = numbered(names_.fields, n);
        if (stop(from, to, separates) == to) return value(segment, name, from, to);
        // Nothing but separators says nothing.
        if (raw_.substr(from, to - from).find_first_not_of(signs_.component) == std::string_view::npos) return {};
        const NodeId node = tree_.add(segment, name, NodeKind::object, {}, spanOf(from, to));
        std::size_t c = 1;
        for (std::size_t at = from; at <= to; ++c) {
            const std::size_t end = stop(at, to, separates);
            if (auto done = value(node, numbered(names_.components, c), at, end); !done) return done;
            at = end + 1;
        }
        return {};
    }

    Result<void> value(NodeId parent, const Name& name, std::size_t from, std::size_t to) {
        if (from == to) return {};
        const std::string_view text = raw_.substr(from, to - from);
        const bool released = signs_.release != ' ' && text.find(signs_.release) != std::string_view::npos;
        if (!released && isAscii(text)) {
            tree_.add(parent, name, NodeKind::text, text, spanOf(from, to));
            return {};
        }
        auto utf8 = charset_.decode(text);
        if (!utf8)
            return fail(Errc::malformed, "a byte that the character set of UNB-1 does not have", "edifact.charset",
                        from + utf8.error().offset, 1);
        if (released) {
            // The release character is ASCII: it is the same sign before and after decoding.
            std::size_t to_at = 0;
            for (std::size_t i = 0; i < utf8->size(); ++i) {
                if (signs_.releases((*utf8)[i]) && i + 1 < utf8->size()) ++i;
                (*utf8)[to_at++] = (*utf8)[i];
            }
            utf8->resize(to_at);
        }
        tree_.add(parent, name, NodeKind::text, tree_.keep(*utf8), spanOf(from, to));
        return {};
    }
};

}  // namespace

Result<Units> split(std::string_view object) { return Splitter(object).run(); }

Result<void> parse(std::string_view raw, std::string_view context, NodeTree& tree) {
    tree.clear(Dialect::edifact);
    Signs signs;
    std::string_view identifier = "UNOA";
    if (context.size() >= 13) {
        signs = {context[3], context[4], context[5], context[6], context[7], context[8]};
        identifier = context.substr(9);
    }
    auto charset = charsetOf(identifier);
    if (!charset) return charset.error();
    return Parser(raw, signs, **charset, tree).run();
}

}  // namespace porta::formats::edifact
