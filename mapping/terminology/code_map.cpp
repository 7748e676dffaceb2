#include "mapping/terminology/code_map.h"

#include <algorithm>
#include <map>

#include "base/yaml.h"
#include "formats/detect.h"

namespace porta::mapping {

using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

namespace {

Error malformed(std::string text) { return fail(Errc::malformed, std::move(text), "terms.import"); }

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n' || c == '\r' || c == '\t') out += ' ';
        else out += c;
    }
    return out + "\"";
}

std::string child(const NodeTree& tree, NodeId node, const char* name) {
    const NodeId found = tree.child(node, name);
    return found == kNoNode ? "" : std::string(tree[found].text);
}

template <typename Each>
void children(const NodeTree& tree, NodeId node, std::string_view name, Each each) {
    for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling)
        if (tree[c].name == name) each(c);
}

/// FHIR R4 ConceptMap.group.element.target.equivalence and R5 relationship, in our five words; "" for no target at all.
std::string equivalenceOf(const std::string& word) {
    static const std::map<std::string, std::string> kWords = {{"", "equal"},
                                                              {"equal", "equal"},
                                                              {"equivalent", "equal"},
                                                              {"wider", "wider"},
                                                              {"subsumes", "wider"},
                                                              {"source-is-narrower-than-target", "wider"},
                                                              {"narrower", "narrower"},
                                                              {"specializes", "narrower"},
                                                              {"source-is-broader-than-target", "narrower"},
                                                              {"inexact", "inexact"},
                                                              {"relatedto", "inexact"},
                                                              {"related-to", "inexact"}};
    auto found = kWords.find(word);
    return found == kWords.end() ? "" : found->second;
}

Result<CodeMap> conceptMap(std::string_view bytes, CodeMap map) {
    NodeTree tree;
    formats::Settings json;
    if (auto read = formats::parse(json, bytes, {}, tree); !read) return malformed("no JSON: " + read.error().message);
    const NodeId root = tree.root();
    if (tree.child(root, "group") == kNoNode) return malformed("a ConceptMap has `group`, and there is none");
    map.about = child(tree, root, "url");
    bool first = true;
    children(tree, root, "group", [&](NodeId group) {
        const std::string source = child(tree, group, "source"), target = child(tree, group, "target");
        if (first) {
            map.source_system = source;
            map.system = target;
        } else if (source != map.source_system) {
            map.left_out.push_back("a group of another source system");
            return;
        }
        first = false;
        children(tree, group, "element", [&](NodeId element) {
            const std::string code = child(tree, element, "code");
            children(tree, element, "target", [&](NodeId to) {
                std::string word = child(tree, to, "equivalence");
                if (word.empty()) word = child(tree, to, "relationship");
                MapTarget t{child(tree, to, "code"),
                            target == map.system ? "" : target,
                            child(tree, to, "display"),
                            equivalenceOf(word),
                            "",
                            ""};
                if (code.empty() || t.code.empty() || t.equivalence.empty()) map.left_out.push_back(kNoTarget);
                else map.add(code, std::move(t));
            });
            if (tree.child(element, "target") == kNoNode) map.left_out.push_back(kNoTarget);
        });
        if (NodeId unmapped = tree.child(group, "unmapped"); unmapped != kNoNode && map.otherwise.empty()) {
            if (child(tree, unmapped, "mode") == "fixed")
                map.otherwise.push_back(
                    {child(tree, unmapped, "code"), "", child(tree, unmapped, "display"), "inexact", "", ""});
            else map.left_out.push_back("what stands for unmapped codes: only `fixed` is a row");
        }
    });
    return map;
}

/// The rows of a CSV, as cells.
Result<std::vector<std::vector<std::string>>> table(std::string_view bytes) {
    formats::Settings settings = formats::detect(bytes, "terms.csv").settings;
    settings.kind = formats::Kind::csv;
    settings.header = false;
    auto units = formats::split(settings, bytes);
    if (!units) return units.error();
    std::vector<std::vector<std::string>> rows;
    NodeTree tree;
    for (const auto& u : units->units) {
        auto read = formats::parse(settings, bytes.substr(u.offset, u.length), units->context, tree);
        if (!read) return malformed("row " + std::to_string(rows.size() + 1) + ": " + read.error().message);
        std::vector<std::string>& row = rows.emplace_back();
        for (NodeId c = tree[0].first_child; c != kNoNode; c = tree[c].next_sibling) {
            const std::size_t column = std::stoul(std::string(tree[c].name.substr(6)));
            if (row.size() < column) row.resize(column);
            row[column - 1] = tree[c].text;
        }
    }
    return rows;
}

std::string cell(const std::vector<std::string>& row, std::size_t i) { return i < row.size() ? row[i] : std::string(); }

Result<CodeMap> csv(std::string_view bytes, CodeMap map) {
    auto rows = table(bytes);
    if (!rows) return rows.error();
    static const std::vector<std::string> kColumns = {"source",      "code", "system", "display",
                                                      "equivalence", "from", "to",     "source_system"};
    if (rows->empty()) return malformed("the file is empty; its first row names the columns source, code, …");
    std::map<std::string, std::size_t> at;
    for (std::size_t i = 0; i < rows->front().size(); ++i) {
        const std::string& name = rows->front()[i];
        if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end()) {
            const std::string near = nearest(name, kColumns);
            return malformed("unknown column `" + name + "`" + (near.empty() ? "" : "; did you mean `" + near + "`?"));
        }
        at[name] = i;
    }
    if (!at.count("source") || !at.count("code")) return malformed("the columns `source` and `code` are needed");
    auto get = [&](const std::vector<std::string>& row, const char* name) {
        auto found = at.find(name);
        return found == at.end() ? std::string() : cell(row, found->second);
    };
    for (std::size_t r = 1; r < rows->size(); ++r) {
        const std::vector<std::string>& row = (*rows)[r];
        MapTarget t{get(row, "code"), get(row, "system"), get(row, "display"), equivalenceOf(get(row, "equivalence")),
                    get(row, "from"), get(row, "to")};
        if (map.source_system.empty()) map.source_system = get(row, "source_system");
        if (get(row, "source").empty() || t.code.empty() || t.equivalence.empty())
            map.left_out.push_back("a row without a source, a code or a target");
        else map.add(get(row, "source"), std::move(t));
    }
    return map;
}

/// Two header rows; the left half is HL7 v2, then conditions, then FHIR.
Result<CodeMap> v2ToFhir(std::string_view bytes, CodeMap map) {
    auto rows = table(bytes);
    if (!rows) return rows.error();
    std::size_t header = rows->size();
    for (std::size_t r = 0; r < rows->size() && r < 5; ++r)
        if (std::count((*rows)[r].begin(), (*rows)[r].end(), "Code") >= 2) header = r;
    if (header == rows->size())
        return malformed("no row names `Code` on both sides, as sheets of the v2-to-FHIR guide do");
    const std::vector<std::string>& names = (*rows)[header];
    auto find = [&](const std::string& name, std::size_t from) {
        return static_cast<std::size_t>(
            std::find(names.begin() + static_cast<long>(std::min(from, names.size())), names.end(), name) -
            names.begin());
    };
    const std::size_t source = find("Code", 0), target = find("Code", source + 1);
    const std::size_t source_system = find("Code System", source), system = find("Code System", target),
                      display = find("Display", target);
    const std::size_t antlr = find("Computable ANTLR", source), narrative = find("Narrative", source);
    for (std::size_t r = header + 1; r < rows->size(); ++r) {
        const std::vector<std::string>& row = (*rows)[r];
        MapTarget t{cell(row, target), cell(row, system), cell(row, display), "equal", "", ""};
        if (cell(row, source).empty() && t.code.empty()) continue;
        bool conditional = false;
        for (std::size_t c = std::min(antlr, narrative); c <= narrative && c < target; ++c)
            conditional = conditional || !cell(row, c).empty();
        if (map.source_system.empty()) map.source_system = cell(row, source_system);
        if (map.system.empty()) map.system = t.system;
        if (t.system == map.system) t.system.clear();
        if (cell(row, source).empty() || t.code.empty())
            map.left_out.push_back("a code that the guide gives no target");
        else if (conditional) map.left_out.push_back("a row under a condition, which a map cannot say");
        else map.add(cell(row, source), std::move(t));
    }
    return map;
}

std::string target(const MapTarget& t) {
    std::string out = "{code: " + quoted(t.code);
    for (auto [key, value] : {std::pair{"system", &t.system}, std::pair{"display", &t.display},
                              std::pair{"from", &t.from}, std::pair{"to", &t.to}})
        if (!value->empty()) out += std::string(", ") + key + ": " + quoted(*value);
    if (t.equivalence != "equal") out += ", equivalence: " + t.equivalence;
    return out + "}";
}

}  // namespace

void CodeMap::add(const std::string& source, MapTarget target) {
    for (auto& [code, all] : rows) {
        if (code != source) continue;
        for (const MapTarget& t : all)
            if (t.code == target.code && t.system == target.system && t.from == target.from && t.to == target.to)
                return;
        all.push_back(std::move(target));
        return;
    }
    rows.emplace_back(source, std::vector<MapTarget>{std::move(target)});
}

std::size_t CodeMap::targets() const {
    std::size_t n = 0;
    for (const auto& [source, all] : rows) n += all.size();
    return n;
}

std::string CodeMap::text() const {
    std::string out = "terms: " + quoted(name) + "\n";
    if (!about.empty()) out += "about: " + quoted(about) + "\n";
    if (!source_system.empty()) out += "source_system: " + quoted(source_system) + "\n";
    if (!system.empty()) out += "system: " + quoted(system) + "\n";
    out += "rows:\n";
    for (const auto& [source, all] : rows) {
        out += "  " + quoted(source) + ":";
        if (all.size() == 1) {
            out += " " + target(all[0]) + "\n";
            continue;
        }
        out += "\n";
        for (const MapTarget& t : all) out += "    - " + target(t) + "\n";
    }
    if (!otherwise.empty()) out += "otherwise: " + target(otherwise[0]) + "\n";
    return out;
}

Result<CodeMap> importCodeMap(Origin origin, std::string_view bytes, const std::string& name) {
    CodeMap map;
    map.name = name;
    auto made = origin == Origin::conceptmap ? conceptMap(bytes, std::move(map))
                : origin == Origin::csv      ? csv(bytes, std::move(map))
                                             : v2ToFhir(bytes, std::move(map));
    if (made && made->rows.empty()) return malformed("no code with a target in it");
    return made;
}

}  // namespace porta::mapping
