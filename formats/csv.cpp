#include <algorithm>

#include "base/text.h"
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

Result<void> cellsOf(std::string_view row, char delimiter, std::vector<Cell>& cells) {
    cells.clear();
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
        if (at >= row.size()) return {};
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

/// How the bytes of one object or record are to be taken. `mark`: the bytes of a byte order mark, to be passed over.
struct Width {
    bool wide = false, big = false;
    std::size_t mark = 0;
    std::size_t bytes() const { return wide ? 2 : 1; }
};

/// UTF-16 to UTF-8. Errors: malformed at a surrogate without its other half.
Result<std::string> decodeWide(std::string_view bytes, bool big) {
    std::string out;
    auto unit = [&](std::size_t at) -> std::uint32_t {
        auto one = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
        return big ? one(at) << 8 | one(at + 1) : one(at + 1) << 8 | one(at);
    };
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        std::uint32_t c = unit(at);
        if (c >= 0xD800 && c < 0xE000) {
            std::uint32_t low = c < 0xDC00 && at + 3 < bytes.size() ? unit(at + 2) : 0;
            if (low < 0xDC00 || low >= 0xE000)
                return fail(Errc::malformed, "half of a character that needs two units; check the declared encoding",
                            "charset", at, 2);
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            at += 2;
        }
        appendUtf8(out, c);
    }
    return out;
}

Width widthOf(const Charset& charset, std::string_view start) {
    const Charset::Wide wide = charset.wide();
    if (wide == Charset::Wide::no) return {false, false, start.substr(0, 3) == kBom ? 3u : 0u};
    const std::string_view mark = start.substr(0, 2);
    // RFC 2781, 4.3: UTF-16 without a mark is big-endian.
    bool big = wide == Charset::Wide::big || (wide == Charset::Wide::marked && mark != "\xFF\xFE");
    return {true, big, mark == (big ? "\xFE\xFF" : "\xFF\xFE") ? 2u : 0u};
}

std::string_view trim(std::string_view t) {
    while (!t.empty() && (t.front() == ' ' || t.front() == '\t')) t.remove_prefix(1);
    while (!t.empty() && (t.back() == ' ' || t.back() == '\t')) t.remove_suffix(1);
    return t;
}

/// The names of a header row's columns. Each row of an object brings the same header: where its names stand is remembered.
class Header {
public:
    /// Whether this is the header of the row before; then `names` views it.
    bool known(std::string_view header, char delimiter, std::vector<std::string_view>& names) const {
        if (header != bytes_ || delimiter != delimiter_) return false;
        for (const auto& [from, size] : places_) names.push_back(header.substr(from, size));
        return !names.empty();
    }
    /// Takes only names that view the header, as they stand in it.
    void remember(std::string_view header, char delimiter, const std::vector<std::string_view>& names) {
        bytes_ = header;
        delimiter_ = delimiter;
        places_.clear();
        for (std::string_view name : names) {
            const bool inside =
                name.data() >= header.data() && name.data() + name.size() <= header.data() + header.size();
            if (!inside) return places_.clear();
            places_.emplace_back(static_cast<std::size_t>(name.data() - header.data()), name.size());
        }
    }

private:
    std::string bytes_;
    char delimiter_ = 0;
    std::vector<std::pair<std::size_t, std::size_t>> places_;
};

}  // namespace

Result<Units> split(const Settings& settings, std::string_view object) {
    auto charset = sharedCharset(settings.encoding);
    if (!charset) return charset.error();
    const Width width = widthOf(**charset, object);
    const std::size_t bytes = width.bytes();
    std::string narrow;
    if (width.wide) narrow = narrowed(object, width.big);
    const std::string_view text = width.wide ? std::string_view(narrow) : object;
    Units out;
    // A record does not begin with the object's mark, so its byte order goes along with the header.
    if (width.wide) out.context = object.substr(0, width.mark);
    std::size_t at = width.mark / bytes;
    bool header = settings.header;
    while (at < text.size()) {
        std::size_t end = rowEnd(text, at, settings.delimiter);
        std::size_t stop = end;
        while (stop > at && text[stop - 1] == '\r') --stop;
        // A line without any cell is no row; one of nothing but delimiters is, and gets its outcome.
        std::string_view line = text.substr(at, stop - at);
        if (!trim(line).empty() || line.find(settings.delimiter) != std::string_view::npos) {
            const std::size_t from = at * bytes, to = std::min(stop * bytes, object.size());
            if (header) out.context += object.substr(from, to - from);
            else out.units.push_back({from, to - from});
            header = false;
        }
        at = end;
        if (at < text.size() && text[at] == '\r') ++at;
        if (at < text.size() && text[at] == '\n') ++at;
    }
    return out;
}

Result<void> parse(const Settings& settings, std::string_view raw, std::string_view header, NodeTree& tree) {
    tree.clear(Dialect::plain);
    auto charset = sharedCharset(settings.encoding);
    if (!charset) return charset.error();
    const Width width = widthOf(**charset, header);
    const std::size_t unit = width.bytes();
    if (width.wide) {
        header.remove_prefix(width.mark);
        if (raw.size() % 2)
            return fail(Errc::malformed, "the record ends within a character of two bytes", "csv.charset",
                        raw.size() - 1, 1);
    }
    std::string narrow;
    if (width.wide) narrow = narrowed(raw, width.big);
    static thread_local std::vector<Cell> cells;
    if (auto found = cellsOf(width.wide ? std::string_view(narrow) : raw, settings.delimiter, cells); !found) {
        Error e = found.error();
        e.offset *= unit;
        e.length *= unit;
        return e;
    }
    auto decode = [&](std::string_view row, const Cell& cell) -> Result<std::string_view> {
        std::string_view bytes = row.substr(cell.from * unit, (cell.to - cell.from) * unit);
        if (width.wide) {
            auto utf8 = decodeWide(bytes, width.big);
            if (!utf8) {
                Error e = utf8.error();
                e.rule = "csv.charset";
                e.offset += cell.from * unit;
                return e;
            }
            return tree.keep(cell.escaped ? unquoted(*utf8) : *utf8);
        }
        if (!cell.escaped && isAscii(bytes)) return bytes;
        if (!cell.escaped && (*charset)->isUtf8() && invalidUtf8(bytes) == std::string_view::npos) return bytes;
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
    static thread_local std::vector<std::string_view> names;
    static thread_local Header last;
    names.clear();
    const bool known = settings.header && !width.wide && last.known(header, settings.delimiter, names);
    if (known) tree.gatherRoot();  // a name that stands twice was made another, and is not remembered
    if (settings.header && !known) {
        std::string narrow_header;
        std::vector<Cell> heads;
        if (width.wide) narrow_header = narrowed(header, width.big);
        auto found = cellsOf(width.wide ? std::string_view(narrow_header) : header, settings.delimiter, heads);
        if (!found) return fail(Errc::malformed, "the header row is broken: " + found.error().message, "csv.header");
        for (const Cell& cell : heads) {
            auto name = decode(header, cell);
            std::string_view text = name ? trim(*name) : std::string_view();
            if (text.empty() || std::find(names.begin(), names.end(), text) != names.end())
                text = tree.keep("column" + std::to_string(names.size() + 1));
            names.push_back(text);
        }
        if (!width.wide) last.remember(header, settings.delimiter, names);
    } else if (!settings.header) {
        for (std::size_t i = 0; i < cells.size(); ++i) names.push_back(tree.keep("column" + std::to_string(i + 1)));
    }
    if (settings.ragged) {
        // Cells at the end may be missing, and empty ones stand behind the last column: neither says anything.
        if (cells.size() < names.size()) names.resize(cells.size());
        while (cells.size() > names.size() && cells.back().from == cells.back().to) cells.pop_back();
    }
    if (names.size() != cells.size())
        return fail(
            Errc::malformed,
            "the row has " + std::to_string(cells.size()) + " cells, the header names " + std::to_string(names.size()),
            "csv.columns", 0, raw.size());
    const bool ascii = !width.wide && isAscii(raw);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const Cell& cell = cells[i];
        if (cell.from == cell.to) continue;  // an empty cell says nothing
        const std::size_t from = cell.from * unit, size = (cell.to - cell.from) * unit;
        std::string_view text = raw.substr(from, size);
        if (!ascii || cell.escaped) {
            auto decoded = decode(raw, cell);
            if (!decoded) {
                Error e = decoded.error();
                e.path = "column " + std::to_string(i + 1);
                return e;
            }
            text = *decoded;
        }
        tree.add(tree.root(), names[i], NodeKind::text, text,
                 {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(size)});
    }
    return {};
}

}  // namespace porta::formats::csv
