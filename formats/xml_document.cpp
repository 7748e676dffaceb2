#include "formats/xml_document.h"

#include <algorithm>

#include "formats/charset.h"

namespace porta::formats::xml {

namespace {

/// The encoding that the XML declaration names, in small letters; "" without one.
std::string declaredEncoding(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (text.substr(0, 5) != "<?xml") return {};
    std::string_view head = text.substr(0, std::min(text.find("?>"), text.size()));
    std::size_t at = head.find("encoding");
    if (at != std::string_view::npos) at = head.find_first_of("\"'", at);
    if (at == std::string_view::npos) return {};
    std::string name(head.substr(at + 1, std::min(head.find(head[at], at + 1), head.size()) - at - 1));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return name;
}

/// UTF-16 shows in the first bytes (XML 1.0, appendix F).
std::string wideEncoding(std::string_view raw) {
    auto starts = [&](std::string_view mark) { return raw.substr(0, mark.size()) == mark; };
    if (starts("\xFE\xFF") || starts(std::string_view("\0<", 2))) return "utf-16be";
    if (starts("\xFF\xFE") || starts(std::string_view("<\0", 2))) return "utf-16le";
    return {};
}

bool namesWide(std::string_view name) { return name.substr(0, 6) == "utf-16" || name == "iso-10646-ucs-2"; }

/// The bytes in that encoding as UTF-8, with the place of each.
Result<Document> decode(std::string_view raw, const Encoding& encoding) {
    Document document{raw};
    document.source_size = static_cast<std::uint32_t>(raw.size());
    if (encoding.name == "utf-8") {
        if (std::size_t at = invalidUtf8(raw); at != std::string_view::npos)
            return fail(Errc::malformed, "bytes that are not UTF-8", "xml.encoding", at, 1);
        return document;
    }
    auto charset = sharedCharset(encoding.name);
    if (!charset) return fail(Errc::malformed, "the declaration names an unknown encoding", "xml.encoding", 0, 1);
    auto decoded = (*charset)->decode(raw.substr(encoding.mark));
    if (!decoded) {
        Error error = decoded.error();
        error.offset += encoding.mark;
        error.rule = "xml.encoding";
        return error;
    }
    document.decoded = std::move(*decoded);
    std::size_t at = encoding.mark;
    document.origins.reserve(document.decoded.size());
    for (char c : document.decoded) {
        const auto byte = static_cast<unsigned char>(c);
        document.origins.push_back(static_cast<std::uint32_t>(at));
        if (encoding.wide) at += byte >= 0xF0 ? 4 : (byte & 0xC0) != 0x80 ? 2 : 0;
        else at += (byte & 0xC0) != 0x80;
        // A character's later bytes belong where it began.
        if ((byte & 0xC0) == 0x80) document.origins.back() = document.origins[document.origins.size() - 2];
    }
    if (at != raw.size()) document.origins.clear();  // neither one byte nor two a character
    return document;
}

Error mismatch() {
    return fail(Errc::malformed, "the declared encoding is not that of the bytes", "xml.encoding", 0, 1);
}

}  // namespace

Result<Encoding> encodingOf(std::string_view raw) {
    Encoding e;
    e.name = wideEncoding(raw);
    e.wide = !e.name.empty();
    if (e.wide) {
        e.mark = raw[0] == '\xFE' || raw[0] == '\xFF' ? 2 : 0;
        return e;
    }
    e.name = declaredEncoding(raw);
    if (e.name.empty() || e.name == "utf8") e.name = "utf-8";
    const bool marked = raw.substr(0, 3) == "\xEF\xBB\xBF";
    if (namesWide(e.name) || (marked && e.name != "utf-8")) return mismatch();
    return e;
}

Result<Document> open(std::string_view raw) {
    auto encoding = encodingOf(raw);
    if (!encoding) return encoding.error();
    auto document = decode(raw, *encoding);
    if (!document) return document;
    if (!document->same()) {
        const std::string told = declaredEncoding(document->decoded);
        if (encoding->wide && !told.empty() && !namesWide(told)) return mismatch();
    }
    return document;
}

Result<Document> openRecord(std::string_view raw, std::string_view context, NodeTree& tree) {
    const std::size_t line = std::min(context.find('\n'), context.size());
    Encoding encoding{std::string(context.substr(0, line)), false, 0};
    encoding.wide = namesWide(encoding.name);
    auto document = decode(raw, encoding);
    if (!document) return document;
    const std::string head = "<r" + std::string(context.substr(std::min(line + 1, context.size()))) + ">";
    const std::string_view text = document->same() ? raw : std::string_view(document->decoded);
    document->utf8 = tree.keep(head + std::string(text) + "</r>");
    document->before = static_cast<std::uint32_t>(head.size());
    document->wrapped = true;
    return document;
}

}  // namespace porta::formats::xml
