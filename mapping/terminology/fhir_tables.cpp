// FHIR's ValueSet, CodeSystem and ConceptMap as tables (R4 and R5, chapter "Terminology").
#include <algorithm>

#include "formats/format.h"
#include "mapping/terminology/terms.h"

namespace porta::mapping {

using formats::kNoNode;
using formats::NodeId;
using Kind = fhirpath::Terminology::Kind;

namespace {

Error malformed(std::string text) { return fail(Errc::malformed, std::move(text), "terms.fhir"); }

}  // namespace

/// Reads one resource; `wrong` says what of it is not read.
struct ResourceReader {
    Terms& terms;
    formats::NodeTree tree = {};
    std::string wrong = {};

    std::string text(NodeId of, const char* name) const {
        const NodeId found = tree.child(of, name);
        return found == kNoNode ? std::string() : std::string(tree[found].text);
    }
    bool has(NodeId of, const char* name) const { return of != kNoNode && tree.child(of, name) != kNoNode; }
    template <typename Each>
    void each(NodeId of, const char* name, Each what) {
        for (NodeId c = tree[of].first_child; c != kNoNode; c = tree[c].next_sibling)
            if (tree[c].name == name) what(c);
    }
    void refuse(const std::string& what) {
        if (wrong.empty()) wrong = what;
    }

    /// Gives the codes that stand there, also those that are groups only.
    std::size_t contained(NodeId of, Terms::Set& set) {
        std::size_t codes = 0;
        each(of, "contains", [&](NodeId c) {
            const std::string code = text(c, "code");
            codes += !code.empty();
            if (!code.empty() && text(c, "abstract") != "true") set.add({text(c, "system"), code, text(c, "display")});
            codes += contained(c, set);
        });
        return codes;
    }
    /// The server was asked for a page of it.
    bool page(NodeId expansion) {
        bool found = false;
        each(expansion, "parameter", [&](NodeId p) {
            const std::string name = text(p, "name");
            found = found || name == "count" || name == "offset";
        });
        return found;
    }

    void included(NodeId include, Terms::Set& set) {
        const std::string system = text(include, "system");
        if (has(include, "filter")) return refuse("`compose.include.filter` is not read; export it with its expansion");
        if (has(include, "valueSet"))
            return refuse("`compose.include.valueSet` is not read; export it with its expansion");
        if (system.empty()) return refuse("an include without a `system`");
        if (has(include, "concept")) {
            each(include, "concept", [&](NodeId c) {
                if (text(c, "code").empty()) refuse("a concept without a code");
                set.add({system, text(c, "code"), text(c, "display")});
            });
            return;
        }
        const Terms::Id id = terms.find(Kind::code_system, system);
        if (id == Terms::kNone)
            return refuse("it has all codes of `" + system + "`, which is not here; name that CodeSystem before it");
        set.whole.push_back(id);
    }

    Terms::Named valueSet() {
        auto set = std::make_shared<Terms::Set>();
        const NodeId root = tree.root(), expansion = tree.child(root, "expansion"),
                     compose = tree.child(root, "compose");
        if (has(expansion, "contains")) {
            const std::string total = text(expansion, "total");
            const std::string all = std::to_string(contained(expansion, *set));
            const std::string here = std::to_string(set->members.size());  // without groups, which some count
            if (total.empty() ? page(expansion) : total != all && total != here)
                refuse("its expansion is a part: " + (total.empty() ? "not all" : total) + " codes, and " + here +
                       " of them here");
        } else if (compose != kNoNode) {
            if (has(compose, "exclude")) refuse("`compose.exclude` is not read; export it with its expansion");
            each(compose, "include", [&](NodeId include) { included(include, *set); });
        }
        if (set->members.empty() && set->whole.empty()) refuse("no code in it");
        return {{}, nullptr, set};
    }

    using Pairs = std::vector<std::pair<std::string, std::string>>;  ///< a code and one that stands above it

    void concepts(NodeId of, const std::string& parent, Terms::System& system, Pairs& above) {
        each(of, "concept", [&](NodeId c) {
            const std::string code = text(c, "code");
            if (code.empty()) return refuse("a concept without a code");
            if (!system.concepts.emplace(code, Terms::Concept{text(c, "display"), {}}).second)
                return refuse("a code stands in it twice");
            if (!parent.empty()) above.emplace_back(code, parent);
            each(c, "property", [&](NodeId p) {
                const std::string name = text(p, "code"), other = text(p, "valueCode");
                if (name == "parent" || name == "subsumedBy") above.emplace_back(code, other);
                if (name == "child") above.emplace_back(other, code);
            });
            system.order.push_back(code);
            concepts(c, code, system, above);
        });
    }

    Terms::Named codeSystem() {
        auto system = std::make_shared<Terms::System>();
        const NodeId root = tree.root();
        const std::string content = text(root, "content"), meaning = text(root, "hierarchyMeaning");
        system->complete = content.empty() || content == "complete";
        Pairs above;
        concepts(root, "", *system, above);
        for (auto& [code, parent] : above) {
            const auto found = system->concepts.find(code);
            if (found == system->concepts.end()) continue;
            auto& parents = found->second.parents;
            if (std::find(parents.begin(), parents.end(), parent) == parents.end())
                parents.push_back(std::move(parent));
        }
        system->folds = text(root, "caseSensitive") == "false";
        // Other meanings say where a code is shown, not what it is; and codes in other letters are not followed upwards.
        system->ranked = (meaning.empty() || meaning == "is-a") && !system->folds;
        if (system->order.empty()) refuse("no code in it");
        return {{}, system};
    }
};

Result<std::string> Terms::add(std::string_view json, const std::string& name) {
    ResourceReader reader{*this};
    if (auto read = formats::parse(formats::Settings{}, json, {}, reader.tree); !read)
        return malformed("no JSON: " + read.error().message);
    const NodeId root = reader.tree.root();
    const std::string type = reader.text(root, "resourceType"), url = reader.text(root, "url"),
                      version = reader.text(root, "version");
    if (url.empty()) return malformed("the resource has no `url` to be named by");
    std::vector<std::string> names = {url};
    if (!version.empty()) names.push_back(url + "|" + version);
    if (!name.empty()) names.push_back(name);
    const Kind kind = type == "CodeSystem"   ? Kind::code_system
                      : type == "ConceptMap" ? Kind::code_map
                                             : Kind::value_set;
    for (const std::string& one : names)
        if (find(kind, one) != kNone)
            return malformed("a " + std::string(fhirpath::nameOf(kind)) + " `" + one + "` is there already");
    if (type == "ConceptMap") {
        auto map = importCodeMap(Origin::conceptmap, json, url);
        if (!map) return map.error();
        for (const std::string& lost : map->left_out)
            if (lost != kNoTarget) return malformed("ConceptMap `" + url + "`: " + lost);
        const std::string source_system = map->source_system;
        const std::size_t codes = map->rows.size();
        addMap(std::move(names), source_system, codes, translation(std::move(*map)));
        return url;
    }
    if (type != "ValueSet" && type != "CodeSystem")
        return malformed("a ValueSet, CodeSystem or ConceptMap of FHIR expected");
    Named named = type == "ValueSet" ? reader.valueSet() : reader.codeSystem();
    if (!reader.wrong.empty()) return malformed(type + " `" + url + "`: " + reader.wrong);
    named.names = std::move(names);
    add(kind, std::move(named));
    return url;
}

/// Of an imported map: all targets of the code.
Terms::Translate Terms::translation(CodeMap map) {
    auto rows = std::make_shared<ByText<std::vector<MapTarget>>>();
    for (auto& [code, targets] : map.rows) rows->emplace(code, std::move(targets));
    if (!map.otherwise.empty()) rows->emplace("", std::move(map.otherwise));
    return [rows, system = map.system](std::string_view code, std::string_view, std::vector<Match>& out) {
        auto found = rows->find(code);
        if (found == rows->end()) found = rows->find("");
        if (found == rows->end()) return true;
        for (const MapTarget& t : found->second)
            out.push_back({{t.system.empty() ? system : t.system, t.code, t.display}, t.equivalence});
        return true;
    };
}

}  // namespace porta::mapping
