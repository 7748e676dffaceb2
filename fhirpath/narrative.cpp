#include "fhirpath/narrative.h"

#include <algorithm>
#include <vector>

namespace porta::fhirpath {
namespace {

constexpr std::string_view kElements[] = {
    "p",          "br",   "div",     "h1",    "h2",      "h3",       "h4",  "h5",    "h6",  "a",     "span",    "b",
    "em",         "i",    "strong",  "small", "big",     "tt",       "dfn", "q",     "var", "abbr",  "acronym", "cite",
    "blockquote", "hr",   "address", "bdo",   "kbd",     "q",        "sub", "sup",   "ul",  "ol",    "li",      "dl",
    "dt",         "dd",   "pre",     "table", "caption", "colgroup", "col", "thead", "tr",  "tfoot", "tbody",   "th",
    "td",         "code", "samp",    "img",   "map",     "area",     "ins", "del"};
constexpr std::string_view kAttributes[] = {
    "title",  "style",   "class",   "id",      "lang",     "xml:lang", "dir",      "accesskey",   "tabindex",
    "span",   "width",   "align",   "valign",  "char",     "charoff",  "abbr",     "axis",        "headers",
    "scope",  "rowspan", "colspan", "summary", "border",   "frame",    "rules",    "cellspacing", "cellpadding",
    "href",   "name",    "src",     "alt",     "longdesc", "height",   "usemap",   "ismap",       "shape",
    "coords", "nohref",  "type",    "rel",     "rev",      "charset",  "hreflang", "cite",        "datetime",
    "xmlns",  "value",   "start",   "compact", "nowrap"};

bool among(const auto& all, std::string_view name) {
    return std::find(std::begin(all), std::end(all), name) != std::end(all);
}
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The attributes of a start tag, from behind its name.
bool attributesHold(std::string_view s) {
    while (true) {
        while (!s.empty() && blank(s.front())) s.remove_prefix(1);
        if (s.empty()) return true;
        const std::size_t equals = s.find('=');
        if (equals == std::string_view::npos) return false;
        std::string_view name = s.substr(0, equals);
        while (!name.empty() && blank(name.back())) name.remove_suffix(1);
        s.remove_prefix(equals + 1);
        while (!s.empty() && blank(s.front())) s.remove_prefix(1);
        if (s.empty() || (s.front() != '"' && s.front() != '\'')) return false;
        const std::size_t close = s.find(s.front(), 1);
        if (close == std::string_view::npos) return false;
        const std::string_view value = s.substr(1, close - 1);
        if (!among(kAttributes, name) && !name.starts_with("xmlns:")) return false;
        if ((name == "href" || name == "src") && value.starts_with("javascript:")) return false;
        s.remove_prefix(close + 1);
    }
}

}  // namespace

bool narrativeHolds(std::string_view s) {
    std::vector<std::string_view> open;
    bool content = false, closed = false;
    for (std::size_t i = 0; i < s.size();) {
        if (s[i] != '<') {
            if (!blank(s[i]) && open.empty()) return false;
            content = content || !blank(s[i]);
            ++i;
            continue;
        }
        if (s.substr(i).starts_with("<!--")) {
            const std::size_t stop = s.find("-->", i);
            if (stop == std::string_view::npos) return false;
            i = stop + 3;
            continue;
        }
        std::size_t stop = i + 1;
        for (char quote = 0; stop < s.size() && (quote != 0 || s[stop] != '>'); ++stop)
            if (quote == 0 && (s[stop] == '"' || s[stop] == '\'')) quote = s[stop];
            else if (s[stop] == quote) quote = 0;
        if (stop == s.size()) return false;
        std::string_view tag = s.substr(i + 1, stop - i - 1);
        i = stop + 1;
        if (tag.starts_with('/')) {
            tag.remove_prefix(1);
            while (!tag.empty() && blank(tag.back())) tag.remove_suffix(1);
            if (open.empty() || open.back() != tag) return false;
            open.pop_back();
            closed = open.empty();
            continue;
        }
        const bool empty = tag.ends_with('/');
        if (empty) tag.remove_suffix(1);
        std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n"));
        if (open.empty() && (closed || name != "div")) return false;
        if (!among(kElements, name) || !attributesHold(tag.substr(name.size()))) return false;
        content = content || name == "img";
        if (!empty) open.push_back(name);
    }
    return open.empty() && closed && content;
}

}  // namespace porta::fhirpath
