#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <unordered_map>

#include "formats/readers.h"
#include "formats/xml_document.h"

namespace porta::formats::xml {

namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxNodes = 20'000'000;
constexpr std::string_view kFhir = "http://hl7.org/fhir", kXhtml = "http://www.w3.org/1999/xhtml";

std::string_view view(const xmlChar* s) {
    return s == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(s));
}
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool allBlank(std::string_view s) { return std::all_of(s.begin(), s.end(), blank); }

/// The first tag with more attributes than anyone means, or npos: libxml2 compares each of them with all before.
std::size_t overloadedTag(std::string_view s) {
    constexpr std::size_t kMaxAttributes = 5'000;
    auto past = [&](std::string_view end, std::size_t from) { return std::min(s.find(end, from), s.size()); };
    for (std::size_t i = past("<", 0); i < s.size(); i = past("<", i)) {
        if (s.substr(i, 4) == "<!--") {
            i = past("-->", i);
        } else if (s.substr(i, 9) == "<![CDATA[") {
            i = past("]]>", i);
        } else {
            const std::size_t tag = i;
            std::size_t values = 0;
            while (++i < s.size() && s[i] != '>' && s[i] != '<')
                if (s[i] == '"' || s[i] == '\'') {
                    i = std::min(s.find(s[i], i + 1), s.size());
                    if (++values > kMaxAttributes) return tag;
                }
        }
    }
    return std::string_view::npos;
}

/// SAX events straight into the node tree. Places come from libxml2's input: it has just consumed what an event tells.
class Reader {
public:
    Reader(const Document& document, bool fhir, NodeTree& tree) : document_(document), fhir_(fhir), tree_(tree) {}

    xmlParserCtxt* context = nullptr;
    std::string refusal = {};
    const char* rule = "xml.syntax";
    std::size_t place = 0;

    void refuse(std::string what, const char* by) {
        if (refusal.empty()) {
            refusal = std::move(what);
            rule = by;
            place = at();
        }
        xmlStopParser(context);
    }
    std::size_t at() const {
        const xmlParserInput* in = context->input;
        if (in == nullptr) return document_.utf8.size();
        return std::min<std::size_t>(
            static_cast<std::size_t>(in->consumed) + static_cast<std::size_t>(in->cur - in->base),
            document_.utf8.size());
    }

    void start(const xmlChar* local, const xmlChar* uri, int count, const xmlChar** attributes) {
        if (depth_ >= kMaxDepth) return refuse("nested deeper than 200", "xml.depth");
        if (tree_.size() > kMaxNodes) return refuse("more than 20 million nodes", "xml.size");
        const std::size_t from = tagStart(), to = at();
        if (levels_.size() == depth_) levels_.emplace_back();
        Level& level = levels_[depth_++];
        Level* up = depth_ > 1 ? &levels_[depth_ - 2] : nullptr;
        if (up != nullptr) up->children = true;
        records_ += up != nullptr && up->wrapper;
        level.text.clear();
        level.children = false;
        level.from = from;
        level.fhir = fhir_ && view(uri) == kFhir;
        level.wrapper = up == nullptr && document_.wrapped;
        level.xhtml = up != nullptr && (up->xhtml || (up->fhir && view(uri) == kXhtml));
        // The start tag ends behind `>`; libxml2 tells of it before that.
        level.content = std::min(to + 1, document_.utf8.size());
        mark_ = to;
        const NodeId parent = up != nullptr ? up->node : tree_.root();
        if (level.xhtml) {
            level.node = parent;
            level.outer = !up->xhtml;
            return;
        }
        const std::string_view name = interned(local);
        // A FHIR resource inside an element (`contained`, `resource`) is that element, as in JSON.
        const bool resource = level.fhir && name[0] >= 'A' && name[0] <= 'Z';
        level.merged = resource || level.wrapper || (fhir_ && (up == nullptr || up->wrapper));
        level.node = level.merged ? parent : tree_.add(parent, name, NodeKind::object, {}, {});
        if (resource) {
            const std::size_t begin = from + 1 + prefixLength(from + 1);
            tree_.add(level.node, "resourceType", NodeKind::text, name, document_.span(begin, begin + name.size()));
        }
        if (level.wrapper) return;
        std::size_t cursor = from;
        for (int i = 0; i < count; ++i) addAttribute(level, attributes + 5 * i, cursor, to);
    }

    void text(const xmlChar* bytes, int length) {
        mark_ = at();
        if (depth_ == 0 || levels_[depth_ - 1].xhtml) return;
        levels_[depth_ - 1].text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
    }

    void end() {
        Level& level = levels_[--depth_];
        const std::size_t to = at();
        mark_ = to;
        if (level.xhtml) {
            if (level.outer) {
                std::string_view whole = document_.utf8.substr(level.from, to - level.from);
                tree_.add(level.node, "div", NodeKind::text, own(whole), document_.span(level.from, to));
            }
            return;
        }
        Node& node = tree_.at(level.node);
        if (level.wrapper) {
            if (records_ != 1 || !allBlank(level.text)) refuse("one record element expected", "xml.records");
            return;
        }
        if (level.fhir) {
            if (!allBlank(level.text)) return refuse("text where FHIR has elements only", "xml.fhir");
            if (node.kind == NodeKind::object) node.span = document_.span(level.from, to);
            return;
        }
        const bool leaf = node.first_child == kNoNode;
        if (!leaf && (level.children || level.text.empty()) && allBlank(level.text)) {
            node.span = document_.span(level.from, to);
            return;
        }
        std::size_t stop = document_.utf8.rfind("</", to - 2);
        if (stop == std::string_view::npos || stop < level.content) stop = level.content = std::min(level.content, to);
        std::string_view plain = document_.utf8.substr(level.content, stop - level.content);
        node.text = plain == level.text ? own(plain) : tree_.keep(level.text);
        node.span = level.children ? document_.span(level.from, to) : document_.span(level.content, stop);
        if (leaf) node.kind = NodeKind::text;
    }

private:
    struct Level {
        NodeId node = 0;
        std::size_t from = 0, content = 0;
        std::string text = {};
        bool children = false, fhir = false, xhtml = false, outer = false, merged = false, wrapper = false;
    };
    const Document& document_;
    bool fhir_;
    NodeTree& tree_;
    std::vector<Level> levels_ = {};
    std::size_t depth_ = 0, mark_ = 0;
    std::size_t records_ = 0;  ///< elements of a wrapper
    std::unordered_map<const xmlChar*, std::string_view> names_ = {};

    /// Text of the document as the tree may keep it: the record's own bytes, or a copy where they were decoded.
    std::string_view own(std::string_view s) { return document_.same() ? s : tree_.keep(s); }
    /// libxml2 keeps each name once: so does the tree.
    std::string_view interned(const xmlChar* name) {
        auto [found, fresh] = names_.try_emplace(name);
        if (fresh) found->second = tree_.keep(view(name));
        return found->second;
    }
    std::size_t prefixLength(std::size_t from) const {
        std::size_t stop = document_.utf8.find_first_of(": \t\r\n/>", from);
        return stop != std::string_view::npos && document_.utf8[stop] == ':' ? stop + 1 - from : 0;
    }
    /// Where the tag that libxml2 now tells of begins: the next `<` after comments and instructions.
    std::size_t tagStart() const {
        const std::string_view s = document_.utf8;
        auto past = [&](std::string_view end, std::size_t from) {
            std::size_t hit = s.find(end, from);
            return hit == std::string_view::npos ? s.size() : hit + end.size();
        };
        std::size_t i = mark_;
        while ((i = std::min(s.find('<', i), s.size())) < s.size()) {
            std::string_view rest = s.substr(i, 9);
            if (rest.substr(0, 2) == "<?") i = past("?>", i);
            else if (rest.substr(0, 4) == "<!--") i = past("-->", i);
            else if (rest == "<![CDATA[") i = past("]]>", i);
            else break;
        }
        return i;
    }
    /// The next attribute's value in the tag's bytes, after `cursor`; namespace declarations are passed over.
    Span nextValue(std::size_t& cursor, std::size_t end) const {
        const std::string_view s = document_.utf8;
        while (cursor < end) {
            std::size_t open = s.find_first_of("\"'", cursor);
            if (open == std::string_view::npos || open >= end) break;
            std::size_t close = s.find(s[open], open + 1);
            std::size_t stop = s.find_last_not_of(" \t\r\n=", open - 1);
            std::size_t begin = s.find_last_of(" \t\r\n\"'", stop);
            std::string_view name = s.substr(begin + 1, stop - begin);
            cursor = close == std::string_view::npos ? end : close + 1;
            if (name == "xmlns" || name.substr(0, 6) == "xmlns:") continue;
            return {static_cast<std::uint32_t>(open + 1), static_cast<std::uint32_t>(cursor - open - 2)};
        }
        return {static_cast<std::uint32_t>(end), 0};
    }
    void addAttribute(Level& level, const xmlChar** attribute, std::size_t& cursor, std::size_t end) {
        const Span raw = nextValue(cursor, end);
        const std::string_view given(reinterpret_cast<const char*>(attribute[3]),
                                     static_cast<std::size_t>(attribute[4] - attribute[3]));
        const std::string_view plain = document_.utf8.substr(raw.offset, raw.length);
        const Span span = document_.span(raw.offset, raw.offset + raw.length);
        std::string_view value = own(plain);
        if (plain != given) {
            // Without replacing entities libxml2 leaves every `&` of an attribute as `&#38;`.
            std::string text(given);
            for (std::size_t i = 0; (i = text.find("&#38;", i)) != std::string::npos; ++i) text.erase(i + 1, 4);
            value = tree_.keep(text);
        }
        const std::string_view name = interned(attribute[0]);
        if (level.fhir && name == "value" && attribute[2] == nullptr && !level.merged) {
            Node& node = tree_.at(level.node);
            node.kind = NodeKind::text;
            node.text = value;
            node.span = span;
        } else if (!level.fhir || attribute[2] == nullptr) {
            tree_.add(level.node, name, NodeKind::text, value, span);
        }
    }
};

/// Nothing may be thrown through libxml2's frames.
template <typename Work>
void guarded(void* self, Work work) noexcept {
    auto& reader = *static_cast<Reader*>(self);
    try {
        work(reader);
    } catch (const std::exception&) {
        reader.refusal = "the document does not fit into memory";
        reader.rule = "xml.size";
        xmlStopParser(reader.context);
    }
}

/// libxml2's own texts may quote the document: only their kind is told.
const char* meaning(int code) {
    switch (code) {
        case XML_ERR_DOCUMENT_EMPTY: return "no document element";
        case XML_ERR_DOCUMENT_END: return "something follows the document element";
        case XML_ERR_TAG_NAME_MISMATCH: return "an end tag that does not match its start tag";
        case XML_ERR_TAG_NOT_FINISHED: return "the document ends inside an element";
        case XML_ERR_UNDECLARED_ENTITY:
        case XML_WAR_UNDECLARED_ENTITY: return "an entity that XML does not define";
        case XML_ERR_INVALID_CHAR:
        case XML_ERR_INVALID_CHARREF: return "a character that XML does not allow";
        case XML_ERR_ATTRIBUTE_REDEFINED:
        case XML_NS_ERR_ATTRIBUTE_REDEFINED: return "an attribute that stands twice";
        case XML_ERR_ATTRIBUTE_NOT_STARTED:
        case XML_ERR_ATTRIBUTE_NOT_FINISHED:
        case XML_ERR_ATTRIBUTE_WITHOUT_VALUE: return "an attribute without a quoted value";
        case XML_ERR_LT_IN_ATTRIBUTE: return "a < inside an attribute";
        case XML_ERR_GT_REQUIRED: return "a tag without its >";
        case XML_ERR_NAME_REQUIRED: return "a name expected";
        case XML_NS_ERR_UNDEFINED_NAMESPACE: return "a prefix without a namespace";
        case XML_ERR_MISPLACED_CDATA_END: return "a ]]> outside CDATA";
        case XML_ERR_HYPHEN_IN_COMMENT: return "a -- inside a comment";
        default: return "not well-formed XML";
    }
}

xmlSAXHandler handlers() {
    xmlSAXHandler sax{};
    sax.initialized = XML_SAX2_MAGIC;
    sax.internalSubset = [](void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
        guarded(self, [](Reader& r) { r.refuse("a document type declaration is not accepted", "xml.doctype"); });
    };
    sax.startElementNs = [](void* self, const xmlChar* local, const xmlChar*, const xmlChar* uri, int, const xmlChar**,
                            int count, int, const xmlChar** attributes) {
        guarded(self, [&](Reader& r) { r.start(local, uri, count, attributes); });
    };
    sax.endElementNs = [](void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
        guarded(self, [](Reader& r) { r.end(); });
    };
    sax.characters = [](void* self, const xmlChar* bytes, int length) {
        guarded(self, [&](Reader& r) { r.text(bytes, length); });
    };
    sax.cdataBlock = sax.characters;
    sax.serror = [](void* self, xmlErrorPtr error) {
        if (error->level < XML_ERR_ERROR) return;
        guarded(self, [&](Reader& r) { r.refuse(meaning(error->code), "xml.syntax"); });
    };
    return sax;
}

}  // namespace

Result<void> parse(std::string_view raw, std::string_view around, bool fhir, NodeTree& tree) {
    tree.clear(fhir ? Dialect::fhir : Dialect::plain);
    auto document = around.empty() ? open(raw) : openRecord(raw, around, tree);
    if (!document) return document.error();
    if (!document->same() && !document->wrapped) document->utf8 = document->decoded;
    if (document->utf8.size() > 0x7FFFFFFF) return fail(Errc::exhausted, "an XML record above 2 GiB", "xml.size");
    // libxml2 takes a zero byte for the end of the document.
    if (std::size_t at = document->utf8.find('\0'); at != std::string_view::npos)
        return fail(Errc::malformed, "a character that XML does not allow", "xml.syntax", document->origin(at), 1);
    if (std::size_t at = overloadedTag(document->utf8); at != std::string_view::npos)
        return fail(Errc::malformed, "a tag with more than 5,000 attributes", "xml.size", document->origin(at), 1);
    static const bool started = (xmlInitParser(), true);
    static_cast<void>(started);
    std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(
        xmlCreateMemoryParserCtxt(document->utf8.data(), static_cast<int>(document->utf8.size())), &xmlFreeParserCtxt);
    if (!context) return fail(Errc::malformed, "no document element", "xml.syntax", 0);
    xmlSAXHandler sax = handlers();
    Reader reader(*document, fhir, tree);
    reader.context = context.get();
    xmlCtxtUseOptions(context.get(), XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_IGNORE_ENC);
    *context->sax = sax;
    context->userData = &reader;
    xmlParseDocument(context.get());
    if (reader.refusal.empty() && (context->wellFormed == 0 || context->nsWellFormed == 0))
        reader.refuse("not well-formed XML", "xml.syntax");
    if (reader.refusal.empty()) return {};
    const std::size_t at = document->origin(reader.place);
    return fail(Errc::malformed, reader.refusal, reader.rule, at, at < raw.size() ? 1 : 0);
}

}  // namespace porta::formats::xml
