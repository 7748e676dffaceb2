#include "mapping/scaffold/sample.h"

#include <algorithm>
#include <map>
#include <set>

#include "mapping/engine/models.h"
#include "mapping/engine/program.h"
#include "mapping/scaffold/forms.h"

namespace porta::mapping {

using fhirpath::Shape;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

namespace {

constexpr std::size_t kKept = 5000;       ///< values of a field
constexpr std::size_t kRecords = 200000;  ///< entries looked at
constexpr std::size_t kDepth = 6;

std::string_view trim(std::string_view t) {
    auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!t.empty() && blank(t.front())) t.remove_prefix(1);
    while (!t.empty() && blank(t.back())) t.remove_suffix(1);
    return t;
}

/// Gathers fields over entries.
struct Gatherer {
    Sample& sample;
    std::map<std::string, std::size_t> places = {};
    std::vector<std::set<std::string>> distinct = {};
    std::set<std::size_t> seen = {};  ///< fields of the entry in work

    Field& field(const std::string& path, const std::string& label) {
        auto [at, fresh] = places.try_emplace(path, sample.fields.size());
        if (fresh) {
            sample.fields.push_back({path, label, sample.fields.size() + 1, {}, 0, 0, false, {}});
            distinct.emplace_back();
        }
        return sample.fields[at->second];
    }
    void value(const std::string& path, const std::string& label, std::string_view given) {
        Field& f = field(path, label);
        const std::string_view text = trim(given);
        f.blanks = f.blanks || text.size() != given.size();
        if (text.empty()) return;
        if (isNothing(text)) {
            if (std::find(f.placeholders.begin(), f.placeholders.end(), text) == f.placeholders.end())
                f.placeholders.emplace_back(text);
            return;
        }
        const std::size_t i = static_cast<std::size_t>(&f - sample.fields.data());
        if (!seen.insert(i).second) return;
        ++f.filled;
        if (f.values.size() < kKept) f.values.emplace_back(text);
        if (distinct[i].size() < kRecords) distinct[i].emplace(text);
    }
    /// `several`: some step above repeats, so that the path takes its first.
    void entry(const NodeTree& tree, NodeId node, const std::string& path, const std::string& label,
               std::size_t depth) {
        if (depth == 0) {
            ++sample.records;
            seen.clear();
        }
        std::map<std::string_view, int> count;
        for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling) ++count[tree[c].name];
        for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling) {
            const std::string name(tree[c].name);
            std::string below = path.empty() ? quotedName(name) : path + "." + quotedName(name);
            if (repeats.count(below)) below += ".first()";
            const std::string named = label.empty() ? name : label + " " + name;
            if (tree[c].kind != formats::NodeKind::object) value(below, named, tree[c].text);
            else if (depth < kDepth) entry(tree, c, below, named, depth + 1);
        }
    }
    /// Paths that stand several times somewhere: found before, so that all entries name them alike.
    std::set<std::string> repeats = {};
    void look(const NodeTree& tree, NodeId node, const std::string& path, std::size_t depth) {
        std::map<std::string_view, int> count;
        for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling) ++count[tree[c].name];
        for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling) {
            const std::string name(tree[c].name);
            std::string below = path.empty() ? quotedName(name) : path + "." + quotedName(name);
            if (count[tree[c].name] > 1) repeats.insert(below);
            if (repeats.count(below)) below += ".first()";
            if (tree[c].kind == formats::NodeKind::object && depth < kDepth) look(tree, c, below, depth + 1);
        }
    }
    void done() {
        for (std::size_t i = 0; i < sample.fields.size(); ++i) sample.fields[i].distinct = distinct[i].size();
    }
};

/// The repeated object nearest to the root with the most entries: JSON `{"records": [{…}]}`, XML `<people><person>…`.
void repeated(const NodeTree& tree, NodeId node, const std::string& path, std::size_t depth, std::string& best,
              std::size_t& most) {
    std::map<std::string, std::size_t> count;
    for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling)
        if (tree[c].kind == formats::NodeKind::object) ++count[std::string(tree[c].name)];
    for (const auto& [name, n] : count) {
        const std::string below = path.empty() ? quotedName(name) : path + "." + quotedName(name);
        if (n > most && n > 1) {
            most = n;
            best = below;
        }
    }
    if (!best.empty() || depth > 3) return;
    for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling)
        if (tree[c].kind == formats::NodeKind::object)
            repeated(tree, c, path.empty() ? quotedName(tree[c].name) : path + "." + quotedName(tree[c].name),
                     depth + 1, best, most);
}

/// The nodes at a path of plain names.
std::vector<NodeId> at(const NodeTree& tree, const std::string& path) {
    std::vector<NodeId> nodes{tree.root()};
    std::string_view rest = path;
    while (!rest.empty()) {
        const bool quoted = rest[0] == '`';
        const std::size_t end = quoted ? rest.find('`', 1) : std::min(rest.find('.'), rest.size());
        const std::string_view name = quoted ? rest.substr(1, end - 1) : rest.substr(0, end);
        rest.remove_prefix(std::min(rest.size(), end + (quoted ? 2 : 1)));
        std::vector<NodeId> below;
        for (NodeId n : nodes)
            for (NodeId c = tree[n].first_child; c != kNoNode; c = tree[c].next_sibling)
                if (tree[c].name == name) below.push_back(c);
        nodes = std::move(below);
    }
    return nodes;
}

/// Whether the first row names columns: names are no dates and no numbers, and below some of them stand such.
bool headed(std::string_view bytes, formats::Settings settings) {
    settings.header = false;
    auto units = formats::split(settings, bytes);
    if (!units || units->units.empty()) return true;
    NodeTree tree;
    std::vector<std::string> first;
    std::size_t known = 0, values = 0, same = 0, unlike = 0, rows = 0;
    for (std::size_t i = 0; i < units->units.size() && i < 200; ++i) {
        const auto& u = units->units[i];
        if (!formats::parse(settings, bytes.substr(u.offset, u.length), units->context, tree)) continue;
        std::size_t column = 0;
        for (NodeId c = tree[0].first_child; c != kNoNode; c = tree[c].next_sibling, ++column) {
            const std::string text(trim(tree[c].text));
            if (i == 0) {
                first.push_back(text);
                known += knownName(text);
                values += isNumber(text) || !datePattern({text}).empty() || text.find('@') != text.npos;
            } else if (column < first.size()) {
                same += text == first[column];
                unlike += isNumber(text) || !datePattern({text}).empty();
            }
        }
        rows += i > 0;
    }
    if (known >= 2) return true;
    if (values > 0) return false;
    return unlike > 0 || rows == 0 || same == 0;
}

/// A row of cells that say something, in the format's charset.
std::string rowOf(std::size_t cells, const formats::Settings& format, std::string_view context) {
    std::string row;
    for (std::size_t i = 0; i < cells; ++i) row += i ? std::string(1, format.delimiter) + "x" : "x";
    if (format.encoding.rfind("utf-16", 0) != 0) return row;
    const bool little = format.encoding == "utf-16le" || context.substr(0, 2) == "\xFF\xFE";
    std::string wide;
    for (char c : row) wide += little ? std::string{c, '\0'} : std::string{'\0', c};
    return wide;
}

/// The last of the columns that any of the first rows fills.
std::size_t widest(const formats::Settings& format, std::string_view bytes, const formats::Units& units) {
    std::size_t width = 1;
    NodeTree tree;
    for (std::size_t i = 0; i < units.units.size() && i < 1000; ++i) {
        const auto& u = units.units[i];
        if (!formats::parse(format, bytes.substr(u.offset, u.length), units.context, tree)) continue;
        if (const NodeId last = tree[0].last_child; last != kNoNode)
            width =
                std::max(width, static_cast<std::size_t>(std::atoi(std::string(tree[last].name.substr(6)).c_str())));
    }
    return width;
}

Result<void> records(Sample& sample, std::string_view bytes) {
    auto units = formats::split(sample.format, bytes);
    if (!units) return units.error();
    NodeTree tree;
    Gatherer gather{sample};
    // CSV: columns without any value are fields too. Their names are those that the reader gives: asked with a row of as
    // many cells as it takes, or as most rows have where there is no header.
    if (sample.format.kind == formats::Kind::csv) {
        std::size_t width = sample.format.header ? 1 : widest(sample.format, bytes, *units);
        formats::Settings strict = sample.format;
        strict.ragged = false;
        for (; width < 2000; ++width) {
            const std::string row = rowOf(width, strict, units->context);
            if (!formats::parse(strict, row, units->context, tree)) continue;
            for (NodeId c = tree[0].first_child; c != kNoNode; c = tree[c].next_sibling)
                gather.field(quotedName(tree[c].name), std::string(tree[c].name));
            break;
        }
    }
    const bool nested = sample.format.kind != formats::Kind::csv;
    for (int pass = nested ? 0 : 1; pass < 2; ++pass)
        for (const auto& u : units->units) {
            if (sample.records >= kRecords) break;
            auto read = formats::parse(sample.format, bytes.substr(u.offset, u.length), units->context, tree);
            if (!read) {
                sample.broken += static_cast<std::size_t>(pass);
                continue;
            }
            if (pass == 0) {
                if (sample.each.empty() && sample.format.kind != formats::Kind::ndjson) {
                    std::size_t most = 1;
                    repeated(tree, tree.root(), "", 0, sample.each, most);
                }
                for (NodeId n : at(tree, sample.each)) gather.look(tree, n, "", 0);
                continue;
            }
            if (sample.format.fhir || sample.format.kind == formats::Kind::hl7v2) {
                const std::string kind = Program::describe(tree);
                if (std::find(sample.kinds.begin(), sample.kinds.end(), kind) == sample.kinds.end())
                    sample.kinds.push_back(kind);
            }
            if (sample.format.kind == formats::Kind::hl7v2) {
                ++sample.records;
                continue;
            }
            for (NodeId n : at(tree, sample.each)) gather.entry(tree, n, "", "", 0);
        }
    gather.done();
    if (sample.records == 0)
        return fail(Errc::malformed,
                    "no record of the sample can be read as " + std::string(nameOf(sample.format.kind)),
                    "scaffold.sample");
    return {};
}

/// The fields that a schema describes.
struct Described {
    const Shape& shape;
    Gatherer& gather;
    std::set<fhirpath::PlaceId> above = {};

    /// The first group that repeats is what one entry is.
    bool entries(fhirpath::PlaceId place, const std::string& path, std::size_t depth, std::string& each,
                 fhirpath::PlaceId& found) {
        if (place == Shape::kOpen || depth > 4) return false;
        for (const auto& e : shape.types[place].elements) {
            const std::string below = path.empty() ? quotedName(e.name) : path + "." + quotedName(e.name);
            if (e.many && e.type != Shape::kOpen && shape.types[e.type].leaf == fhirpath::Leaf::group) {
                each = below;
                found = e.type;
                return true;
            }
        }
        for (const auto& e : shape.types[place].elements)
            if (entries(e.type, path.empty() ? quotedName(e.name) : path + "." + quotedName(e.name), depth + 1, each,
                        found))
                return true;
        return false;
    }
    void fields(fhirpath::PlaceId place, const std::string& path, const std::string& label) {
        if (place == Shape::kOpen || !above.insert(place).second) return;
        for (const auto& e : shape.types[place].elements) {
            std::string below = path.empty() ? quotedName(e.name) : path + "." + quotedName(e.name);
            if (e.many) below += ".first()";
            const std::string named = label.empty() ? e.name : label + " " + e.name;
            if (e.type != Shape::kOpen && shape.types[e.type].leaf == fhirpath::Leaf::group && above.size() < kDepth) {
                fields(e.type, below, named);
                continue;
            }
            Field& f = gather.field(below, named);
            if (e.type == Shape::kOpen) continue;
            // A date is told by its type, where no value can.
            const fhirpath::Leaf leaf = shape.types[e.type].leaf;
            if (leaf == fhirpath::Leaf::date || leaf == fhirpath::Leaf::instant) f.values = {"2000-01-01"};
            else f.values = shape.types[e.type].codes;
        }
        above.erase(place);
    }
};

Result<void> described(Sample& sample, const std::string& path, bool xsd) {
    auto model = xsd ? xsdModel(path, {}) : jsonSchemaModel(path);
    if (!model) return fail(Errc::malformed, model.error().message, "scaffold.schema");
    const Shape& shape = **model;
    Gatherer gather{sample};
    Described d{shape, gather};
    fhirpath::PlaceId entry = shape.root;
    const bool one_element = xsd && shape.types[shape.root].elements.size() == 1;
    if (!d.entries(shape.root, "", 0, sample.each, entry) && one_element) {
        sample.each = quotedName(shape.types[shape.root].elements[0].name);
        entry = shape.types[shape.root].elements[0].type;
    }
    d.fields(entry, "", "");
    sample.described = true;
    sample.format.kind = xsd ? formats::Kind::xml : formats::Kind::ndjson;
    if (!xsd && !sample.each.empty()) sample.format.kind = formats::Kind::json;
    return {};
}

}  // namespace

std::string quotedName(std::string_view name) {
    static const std::set<std::string_view> kWords = {
        "div",      "mod",  "and",   "or",    "xor",    "implies", "in",     "is",     "as",
        "contains", "true", "false", "year",  "years",  "month",   "months", "week",   "weeks",
        "day",      "days", "hour",  "hours", "minute", "minutes", "second", "seconds"};
    const bool plain =
        !name.empty() && !(name[0] >= '0' && name[0] <= '9') && !kWords.count(name) &&
        std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        });
    if (plain) return std::string(name);
    std::string out = "`";
    for (char c : name) {
        if (c == '`' || c == '\\') out += '\\';
        out += c;
    }
    return out + "`";
}

Result<Sample> readSample(const std::string& path, std::string_view bytes, const Hints& hints) {
    formats::Detected found = formats::detect(bytes, path);
    Sample sample;
    sample.format = found.settings;
    if (!hints.format.empty()) {
        auto kind = formats::kindNamed(hints.format);
        if (!kind) return kind.error();
        sample.format.kind = *kind;
    }
    if (!hints.encoding.empty()) sample.format.encoding = hints.encoding;
    if (!hints.delimiter.empty()) sample.format.delimiter = hints.delimiter == "\\t" ? '\t' : hints.delimiter[0];
    if (auto fits = formats::checkEncoding(sample.format); !fits) return fits.error();
    if (hints.format.empty() && (found.xsd || found.json_schema)) {
        if (auto made = described(sample, path, found.xsd); !made) return made.error();
    } else {
        // More than a slip here and there: the office leaves out what is empty at the end.
        if (sample.format.kind == formats::Kind::csv) sample.format.ragged = found.columns_agree < 0.995;
        if (sample.format.kind == formats::Kind::csv)
            sample.format.header = hints.header.empty() ? headed(bytes, sample.format) : hints.header == "true";
        if (auto read = records(sample, bytes); !read) return read.error();
    }
    return sample;
}

}  // namespace porta::mapping
