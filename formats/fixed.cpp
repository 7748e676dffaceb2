#include <algorithm>
#include <charconv>

#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats {

Result<Columns> columnsFrom(const std::vector<std::string>& texts) {
    std::vector<Column> columns;
    for (const std::string& text : texts) {
        const std::size_t colon = text.rfind(':');
        Column column;
        const char* end = text.data() + text.size();
        const bool number =
            colon != std::string::npos && std::from_chars(text.data() + colon + 1, end, column.width).ptr == end;
        if (!number || colon == 0 || column.width == 0 || column.width > 100'000)
            return fail(Errc::misconfigured, "a column is NAME:WIDTH with 1 to 100000 characters, a gap -:WIDTH",
                        "format.columns");
        column.name = text.substr(0, colon);
        if (column.name == "-") column.name.clear();
        const bool twice = !column.name.empty() && std::any_of(columns.begin(), columns.end(),
                                                               [&](const Column& c) { return c.name == column.name; });
        if (twice) return fail(Errc::misconfigured, "the column `" + column.name + "` stands twice", "format.columns");
        columns.push_back(std::move(column));
    }
    return std::make_shared<const std::vector<Column>>(std::move(columns));
}

namespace fixed {

namespace {

bool isEnd(char c) { return c == '\r' || c == '\n'; }

/// Moves `at` by a column's characters, as far as the line goes; false when it ends before. UTF-8: one to four bytes each.
bool pass(std::string_view line, std::size_t& at, std::size_t characters, bool utf8) {
    if (!utf8) {
        const bool enough = characters <= line.size() - at;
        at = std::min(at + characters, line.size());
        return enough;
    }
    auto later = [&](std::size_t i) { return (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80; };
    for (; characters > 0 && at < line.size(); --characters)
        for (++at; at < line.size() && later(at);) ++at;
    return characters == 0;
}

}  // namespace

Result<Units> split(std::string_view object) {
    Units out;
    std::size_t at = object.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
    while (at < object.size()) {
        const std::size_t stop = std::min(object.find_first_of("\r\n", at), object.size());
        if (object.substr(at, stop - at).find_first_not_of(" \x1a") != std::string_view::npos)
            out.units.push_back({at, stop - at});
        for (at = stop; at < object.size() && isEnd(object[at]);) ++at;
    }
    return out;
}

Result<void> parse(const Settings& settings, std::string_view raw, NodeTree& tree) {
    tree.clear(Dialect::plain);
    auto charset = sharedCharset(settings.encoding);
    if (!charset) return charset.error();
    if (!settings.columns || settings.columns->empty())
        return fail(Errc::misconfigured, "fixed width needs `columns`, such as [id:10, name:30]", "format.columns");
    if (std::size_t tab = raw.find('\t'); tab != std::string_view::npos)
        return fail(Errc::malformed, "a tabulator has no width of its own", "fixed.tabulator", tab, 1);
    const bool utf8 = (*charset)->isUtf8();
    std::size_t at = 0;
    for (const Column& column : *settings.columns) {
        std::size_t stop = at;
        if (!pass(raw, stop, column.width, utf8) && !settings.ragged)
            return fail(Errc::malformed, "the line ends before its last column does", "fixed.width", stop, 0,
                        "column " + column.name);
        std::size_t from = raw.find_first_not_of(' ', at), to = stop;
        at = stop;
        if (column.name.empty() || from >= stop) continue;
        while (raw[to - 1] == ' ') --to;
        std::string_view text = raw.substr(from, to - from);
        if (!isAscii(text) && !(utf8 && invalidUtf8(text) == std::string_view::npos)) {
            auto decoded = (*charset)->decode(text);
            if (!decoded) {
                Error e = decoded.error();
                e.rule = "fixed.charset";
                e.offset += from;
                e.path = "column " + column.name;
                return e;
            }
            text = tree.keep(*decoded);
        }
        tree.add(tree.root(), Name(column.name), NodeKind::text, text,
                 {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)});
    }
    if (raw.find_first_not_of(' ', at) != std::string_view::npos)
        return fail(Errc::malformed, "the line goes on behind its last column", "fixed.width", at, raw.size() - at);
    return {};
}

}  // namespace fixed

}  // namespace porta::formats
