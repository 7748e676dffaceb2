#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats::json {

namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

/// SAX events straight into the node tree. Spans come from the stream's place when an event arrives: the reader has just
/// consumed the value.
class Handler {
public:
    Handler(std::string_view raw, const rapidjson::MemoryStream& stream, NodeTree& tree)
        : raw_(raw), stream_(stream), tree_(tree) {}

    const char* refusal = nullptr;
    const char* rule = "json.syntax";

    bool Null() { return leaf(NodeKind::null, {}, 4); }
    bool Bool(bool b) { return leaf(NodeKind::boolean, b ? "true" : "false", b ? 4 : 5); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char*, rapidjson::SizeType length, bool) {
        std::size_t end = stream_.Tell();
        return leaf(NodeKind::number, raw_.substr(end - length, length), length);
    }
    bool String(const char* text, rapidjson::SizeType length, bool) {
        const Found found = string({text, length});
        return add(NodeKind::text, found.text, found.span) != kNoNode;
    }
    bool StartObject() { return open(false); }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        // A member that stands twice becomes two children, as a list would: a mapping that wants one value refuses it.
        name_ = string({text, length}).text;
        return true;
    }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool StartArray() { return open(true); }
    bool EndArray(rapidjson::SizeType) { return close(); }

private:
    struct Level {
        NodeId node;
        Name name;  ///< lists: of their items
        bool list;
    };
    std::string_view raw_;
    const rapidjson::MemoryStream& stream_;
    NodeTree& tree_;
    std::vector<Level> levels_;
    Name name_ = std::string_view();

    struct Found {
        std::string_view text;
        Span span;  ///< without its quotes
    };
    /// The string that ends at the stream's place and was decoded to `value`.
    Found string(std::string_view value) {
        const std::size_t end = stream_.Tell() - 1;
        // Nearly always it stands there as it is: without a backslash nothing was decoded.
        if (value.size() < end) {
            const std::string_view same = raw_.substr(end - value.size(), value.size());
            if (raw_[end - value.size() - 1] == '"' && same == value && same.find('\\') == std::string_view::npos)
                return {same, spanOf(end - value.size(), end)};
        }
        std::size_t from = end;
        while (from > 0) {
            --from;
            if (raw_[from] != '"') continue;
            std::size_t slashes = 0;
            while (slashes < from && raw_[from - 1 - slashes] == '\\') ++slashes;
            if (slashes % 2 == 0) break;
        }
        return {tree_.keep(value), spanOf(from + 1, end)};
    }
    static Span spanOf(std::size_t from, std::size_t to) {
        return {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
    }
    NodeId add(NodeKind kind, std::string_view text, Span span) {
        if (levels_.empty()) return tree_.add(tree_.root(), "value", kind, text, span);
        return tree_.add(levels_.back().node, levels_.back().list ? levels_.back().name : name_, kind, text, span);
    }
    bool leaf(NodeKind kind, std::string_view text, std::size_t length) {
        std::size_t end = stream_.Tell();
        return add(kind, text, {static_cast<std::uint32_t>(end - length), static_cast<std::uint32_t>(length)}) !=
               kNoNode;
    }
    bool open(bool list) {
        if (levels_.size() >= kMaxDepth) {
            refusal = "nested deeper than 200";
            rule = "json.depth";
            return false;
        }
        // Brackets are announced before they are consumed, values after.
        std::uint32_t at = static_cast<std::uint32_t>(stream_.Tell());
        NodeId node = tree_.root();
        Name name = "item";
        if (!levels_.empty()) {
            Level& up = levels_.back();
            name = up.list ? up.name : name_;
            // The items of a list are children of the list's parent under its name; a list in a list keeps a node of its own.
            node = list && !up.list ? up.node : tree_.add(up.node, name, NodeKind::object, {}, {at, 0});
        } else {
            tree_.at(node).span = {at, 0};
        }
        levels_.push_back({node, name, list});
        return true;
    }
    bool close() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        Node& node = tree_.at(level.node);
        if (!level.list || (!levels_.empty() && levels_.back().list) || levels_.empty())
            node.span.length = static_cast<std::uint32_t>(stream_.Tell()) + 1 - node.span.offset;
        return true;
    }
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// RFC 8259, 6: the whole of `t` is one number.
bool isNumber(std::string_view t) {
    std::size_t at = 0;
    auto digits = [&] {
        std::size_t from = at;
        while (at < t.size() && isDigit(t[at])) ++at;
        return at > from;
    };
    if (at < t.size() && t[at] == '-') ++at;
    if (at < t.size() && t[at] == '0') ++at;
    else if (!digits()) return false;
    if (at < t.size() && t[at] == '.') {
        ++at;
        if (!digits()) return false;
    }
    if (at < t.size() && (t[at] == 'e' || t[at] == 'E')) {
        ++at;
        if (at < t.size() && (t[at] == '-' || t[at] == '+')) ++at;
        if (!digits()) return false;
    }
    return at == t.size();
}

/// The same text with a small number of equal length in each number's place. RapidJSON converts even those numbers that it
/// hands over as digits, and refuses what no double holds; the handler takes the digits from the record's own bytes.
std::string withSmallNumbers(std::string_view raw) {
    std::string out(raw);
    for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] == '"') {
            for (++at; at < raw.size() && raw[at] != '"'; ++at)
                if (raw[at] == '\\') ++at;
            ++at;
        } else if (isDigit(raw[at]) || raw[at] == '-') {
            std::size_t stop = std::min(raw.find_first_not_of("0123456789+-.eE", at), raw.size());
            if (isNumber(raw.substr(at, stop - at)))
                for (std::size_t i = at; i < stop; ++i)
                    out[i] = i == at ? '1' : i == at + 1 && stop > at + 2 ? '.' : '0';
            at = stop;
        } else {
            ++at;
        }
    }
    return out;
}

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

namespace {

/// Reads `text`, which is `raw` or stands for it byte by byte. `too_great`: refused for a number only.
Result<void> read(std::string_view text, std::string_view raw, NodeTree& tree, bool& too_great) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    // RFC 8259, 8.1: a reader may ignore a byte order mark. Taken from the stream, so that spans still count from the
    // record's first byte.
    if (text.substr(0, kBom.size()) == kBom)
        for (std::size_t i = 0; i < kBom.size(); ++i) stream.Take();
    rapidjson::Reader reader;
    Handler handler(raw, stream, tree);
    constexpr unsigned flags =
        rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
    rapidjson::ParseResult result = reader.Parse<flags>(stream, handler);
    too_great = result.Code() == rapidjson::kParseErrorNumberTooBig;
    // The reader takes a zero byte for the end of the text.
    if (!result.IsError() && stream.Tell() >= raw.size()) return {};
    std::size_t at = std::min<std::size_t>(result.IsError() ? result.Offset() : stream.Tell(), raw.size());
    std::string message = handler.refusal     ? handler.refusal
                          : !result.IsError() ? "a zero byte stands after the value"
                          : too_great         ? "a number is not one of RFC 8259"
                                              : rapidjson::GetParseError_En(result.Code());
    return fail(Errc::malformed, message, handler.refusal ? handler.rule : "json.syntax", at, at < raw.size() ? 1 : 0);
}

}  // namespace

Result<void> parse(std::string_view raw, bool fhir, NodeTree& tree) {
    const Dialect dialect = fhir ? Dialect::fhir : Dialect::plain;
    tree.clear(dialect);
    bool too_great = false;
    auto done = read(raw, raw, tree, too_great);
    if (!too_great) return done;
    tree.clear(dialect);
    return read(withSmallNumbers(raw), raw, tree, too_great);
}

}  // namespace porta::formats::json
