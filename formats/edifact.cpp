// One UN/EDIFACT message into the tree: ISO 9735-1 (syntax versions 1 to 4), service segments of its annex C.
#include <algorithm>

#include "formats/edifact_segments.h"
#include "formats/numbered.h"
#include "formats/readers.h"

namespace porta::formats::edifact {

namespace {

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
