#include "formats/within.h"

#include <array>

namespace porta::formats {

namespace {

/// Where each byte of a text came from: bytes [from, to) of the raw record.
struct Place {
    std::uint32_t from = 0, to = 0;
};
using Places = std::vector<Place>;

std::size_t utf8Size(char lead) {
    const auto c = static_cast<unsigned char>(lead);
    return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/// Walks over an undecoded value beside its text.
class Follower {
public:
    Follower(Kind kind, std::string_view raw, std::uint32_t offset) : kind_(kind), raw_(raw), offset_(offset) {}

    /// One place for each byte of the text, or none where it cannot be followed.
    Places follow(std::string_view text) {
        Places places;
        places.reserve(text.size());
        std::size_t j = 0;
        while (j < text.size()) {
            if (std::size_t silent = silentAt()) {
                at_ += silent;
                continue;
            }
            if (at_ >= raw_.size()) return {};
            const std::size_t escape = escapeAt();
            const std::size_t made = escape ? utf8Size(text[j]) : 1;
            if ((!escape && raw_[at_] != text[j]) || j + made > text.size()) return {};
            const std::size_t size = escape ? escape : 1;
            const Place place{offset_ + static_cast<std::uint32_t>(at_),
                              offset_ + static_cast<std::uint32_t>(at_ + size)};
            places.insert(places.end(), made, place);
            at_ += size;
            j += made;
        }
        while (std::size_t silent = silentAt()) at_ += silent;
        if (at_ != raw_.size()) return {};  // escaped twice: a document inside another one's texts
        return places;
    }

private:
    Kind kind_;
    std::string_view raw_;
    std::uint32_t offset_;
    std::size_t at_ = 0;
    bool cdata_ = false;

    bool starts(std::string_view with) const { return raw_.substr(at_, with.size()) == with; }
    std::size_t through(std::string_view end) const {
        const std::size_t stop = raw_.find(end, at_);
        return stop == std::string_view::npos ? 0 : stop + end.size() - at_;
    }
    /// The size of what stands here and gives no text: XML's marks of CDATA, comments, the first of two bytes of a line end.
    std::size_t silentAt() {
        if (kind_ != Kind::xml) return 0;
        if (cdata_ && starts("]]>")) return cdata_ = false, 3;
        if (starts("\r\n")) return 1;
        if (cdata_ || !starts("<")) return 0;
        if (starts("<![CDATA[")) return cdata_ = true, 9;
        return starts("<!--") ? through("-->") : through(">");
    }
    /// The size of the escape that stands here, which gives one character, or 0.
    std::size_t escapeAt() const {
        switch (kind_) {
            case Kind::json:
            case Kind::ndjson: {
                if (!starts("\\")) return 0;
                if (raw_.substr(at_ + 1, 1) != "u") return 2;
                const std::string_view high = raw_.substr(at_ + 2, 2);
                const bool pair = high.size() == 2 && (high[0] == 'd' || high[0] == 'D') &&
                                  std::string_view("89abAB").find(high[1]) != std::string_view::npos;
                return pair ? 12 : 6;
            }
            case Kind::csv: return starts("\"\"") ? 2 : 0;
            case Kind::xml: return !cdata_ && starts("&") ? through(";") : 0;
            case Kind::hl7v2: {
                const bool one = at_ + 2 < raw_.size() && raw_[at_] == raw_[at_ + 2] && raw_[at_] == '\\';
                return one && std::string_view("FSTRE").find(raw_[at_ + 1]) != std::string_view::npos ? 3 : 0;
            }
            case Kind::fixed:
            case Kind::edifact: return 0;
        }
        return 0;
    }
};

int sextet(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// `text` and `places` become what they are in base64.
Result<void> decodeBase64(std::string& text, Places& places) {
    auto refuse = [&](std::size_t i, const char* what) {
        const Place place = places.empty() ? Place{} : places[std::min(i, places.size() - 1)];
        return fail(Errc::malformed, what, "within.base64", place.from, place.to - place.from);
    };
    std::string bytes;
    Places made;
    std::array<std::pair<int, Place>, 4> group;
    std::size_t have = 0, padding = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ' ' || c == '\r' || c == '\n' || c == '\t') continue;
        const int value = c == '=' ? 0 : sextet(c);
        if (value < 0 || (padding && c != '=') || (c == '=' && have < 2))
            return refuse(i, "a character that base64 does not have in this place");
        padding += c == '=';
        group[have++] = {value, places[i]};
        if (have < 4) continue;
        const int bits = group[0].first << 18 | group[1].first << 12 | group[2].first << 6 | group[3].first;
        for (std::size_t k = 0; k + padding < 3; ++k) {
            bytes += static_cast<char>(bits >> (16 - 8 * k));
            made.push_back({group[k].second.from, group[k + 1].second.to});
        }
        have = 0;
        if (padding) padding = 3;  // nothing may follow
    }
    if (have) return refuse(text.size(), "base64 that is cut off: its characters come in fours");
    text = std::move(bytes);
    places = std::move(made);
    return {};
}

}  // namespace

Result<void> openWithin(const Within& within, Kind outer, std::string_view raw, NodeId node, NodeTree& tree) {
    const Span whole = tree[node].span;
    std::string text(tree[node].text);
    if (text.empty())
        return fail(Errc::malformed, "a text that holds a document expected", "within.text", whole.offset,
                    whole.length);
    Places places = Follower(outer, raw.substr(whole.offset, whole.length), whole.offset).follow(text);
    const bool followed = !places.empty();
    if (!followed) places.assign(text.size(), {whole.offset, whole.offset + whole.length});
    if (within.decode == Within::Decode::base64)
        if (auto decoded = decodeBase64(text, places); !decoded) return decoded;
    const std::string_view bytes = tree.keep(text);
    auto span = [&](std::uint64_t from, std::uint64_t length) {
        if (!followed || places.empty()) return whole;
        if (from >= places.size()) return Span{places.back().to, 0};
        const std::uint64_t last = std::min<std::uint64_t>(from + length, places.size());
        const std::uint32_t begin = places[from].from;
        return Span{begin, last > from ? places[last - 1].to - begin : 0};
    };
    NodeTree inner;
    if (auto read = parse(within.settings, bytes, {}, inner); !read) {
        Error error = read.error();
        const Span at = span(error.offset, error.length);
        error.message = "the document in a value: " + error.message;
        error.offset = at.offset;
        error.length = at.length;
        return error;
    }
    auto own = [&](std::string_view s) { return tree.keep(s); };
    const auto first = static_cast<NodeId>(tree.size());
    tree.scatterParts();
    tree.at(node).kind = NodeKind::object;
    tree.at(node).text = {};
    for (NodeId i = 1; i < inner.size(); ++i) {
        const Node& n = inner[i];
        const NodeId parent = n.parent == inner.root() ? node : first + n.parent - 1;
        tree.add(parent, Name(own(n.name)), n.kind, own(n.text), span(n.span.offset, n.span.length));
    }
    return {};
}

}  // namespace porta::formats
