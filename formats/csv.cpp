#include <algorithm>

#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats::csv {

namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
/// A quote that opens and is not closed within this many bytes is a broken row, not a very long cell.
constexpr std::size_t kMaxQuoted = 1 << 20;

struct Cell {
    std::size_t from = 0, to = 0;  ///< without quotes
    bool quoted = false, escaped = false;
};

/// Where the row that begins at `at` ends (its line end excluded). A quote is one only at the beginning of a cell.
std::size_t rowEnd(std::string_view b, std::size_t at, char delimiter) {
    std::size_t first_line_end = std::string_view::npos, begin = at;
    bool cell_start = true;
    while (at < b.size()) {
        char c = b[at];
        if (cell_start && c == '"') {
            ++at;
            while (at < b.size()) {
                if (b[at] == '"') {
                    if (at + 1 < b.size() && b[at + 1] == '"') ++at;
                    else break;
                } else if (b[at] == '\n' && first_line_end == std::string_view::npos) {
                    first_line_end = at;
                }
                ++at;
                if (at - begin > kMaxQuoted) break;
            }
            // Never closed: the row ends with its own line, so that it does not swallow those below it.
            if (at >= b.size() || at - begin > kMaxQuoted)
                return first_line_end == std::string_view::npos ? b.size() : first_line_end;
            ++at;
            cell_start = false;
            continue;
        }
        if (c == '\n' || c == '\r') return at;
        cell_start = c == delimiter;
        ++at;
    }
    return at;
}

Result<std::vector<Cell>> cellsOf(std::string_view row, char delimiter) {
    std::vector<Cell> cells;
    std::size_t at = 0;
    while (true) {
        Cell cell;
        if (at < row.size() && row[at] == '"') {
            cell.quoted = true;
            cell.from = ++at;
            while (at < row.size()) {
                if (row[at] != '"') ++at;
                else if (at + 1 < row.size() && row[at + 1] == '"') {
                    cell.escaped = true;
                    at += 2;
                } else break;
            }
            if (at >= row.size())
                return fail(Errc::malformed, "a quote is opened and never closed", "csv.quote", cell.from - 1, 1);
            cell.to = at++;
            if (at < row.size() && row[at] != delimiter)
                return fail(Errc::malformed, "after a closing quote the delimiter or the row's end is expected",
                            "csv.quote", at, 1);
        } else {
            cell.from = at;
            while (at < row.size() && row[at] != delimiter) ++at;
            cell.to = at;
        }
        cells.push_back(cell);
        if (at >= row.size()) return cells;
        ++at;
    }
}

std::string unquoted(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (text[i] == '"') ++i;
    }
    return out;
}

std::string_view trim(std::string_view t) {
    while (!t.empty() && (t.front() == ' ' || t.front() == '\t')) t.remove_prefix(1);
    while (!t.empty() && (t.back() == ' ' || t.back() == '\t')) t.remove_suffix(1);
    return t;
}

}  // namespace

Result<Units> split(const Settings& settings, std::string_view object) {
    Units out;
    std::size_t at = object.substr(0, 3) == kBom ? 3 : 0;
    bool header = settings.header;
    while (at < object.size()) {
        std::size_t end = rowEnd(object, at, settings.delimiter);
        std::size_t stop = end;
        while (stop > at && object[stop - 1] == '\r') --stop;
        // A line without any cell is no row; one of nothing but delimiters is, and gets its outcome.
        std::string_view line = object.substr(at, stop - at);
        if (!trim(line).empty() || line.find(settings.delimiter) != std::string_view::npos) {
            if (header) out.context = object.substr(at, stop - at);
            else out.units.push_back({at, stop - at});
            header = false;
        }
        at = end;
        if (at < object.size() && object[at] == '\r') ++at;
        if (at < object.size() && object[at] == '\n') ++at;
    }
    return out;
}

Result<void> parse(const Settings& settings, std::string_view raw, std::string_view header, NodeTree& tree) {
    tree.clear(Dialect::plain);
    auto charset = sharedCharset(settings.encoding);
    if (!charset) return charset.error();
    auto cells = cellsOf(raw, settings.delimiter);
    if (!cells) return cells.error();
    auto decode = [&](std::string_view row, const Cell& cell) -> Result<std::string_view> {
        std::string_view bytes = row.substr(cell.from, cell.to - cell.from);
        if (!cell.escaped && isAscii(bytes)) return bytes;
        std::string plain = cell.escaped ? unquoted(bytes) : std::string(bytes);
        auto utf8 = (*charset)->decode(plain);
        if (!utf8) {
            Error e = utf8.error();
            e.rule = "csv.charset";
            e.offset = cell.from + (cell.escaped ? 0 : e.offset);
            return e;
        }
        return tree.keep(*utf8);
    };
    std::vector<std::string_view> names;
    if (settings.header) {
        auto heads = cellsOf(header, settings.delimiter);
        if (!heads) return fail(Errc::malformed, "the header row is broken: " + heads.error().message, "csv.header");
        for (const Cell& cell : *heads) {
            auto name = decode(header, cell);
            std::string_view text = name ? trim(*name) : std::string_view();
            if (text.empty() || std::find(names.begin(), names.end(), text) != names.end())
                text = tree.keep("column" + std::to_string(names.size() + 1));
            names.push_back(text);
        }
        if (names.size() != cells->size())
            return fail(Errc::malformed,
                        "the row has " + std::to_string(cells->size()) + " cells, the header names " +
                            std::to_string(names.size()),
                        "csv.columns", 0, raw.size());
    } else {
        for (std::size_t i = 0; i < cells->size(); ++i) names.push_back(tree.keep("column" + std::to_string(i + 1)));
    }
    for (std::size_t i = 0; i < cells->size(); ++i) {
        const Cell& cell = (*cells)[i];
        if (cell.from == cell.to) continue;  // an empty cell says nothing
        auto text = decode(raw, cell);
        if (!text) {
            Error e = text.error();
            e.path = "column " + std::to_string(i + 1);
            return e;
        }
        tree.add(tree.root(), names[i], NodeKind::text, *text,
                 {static_cast<std::uint32_t>(cell.from), static_cast<std::uint32_t>(cell.to - cell.from)});
    }
    return {};
}

}  // namespace porta::formats::csv
