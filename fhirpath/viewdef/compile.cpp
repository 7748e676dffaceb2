#include <algorithm>

#include "base/yaml.h"
#include "fhirpath/viewdef/plan.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;
using formats::NodeKind;
using formats::NodeTree;

namespace {

constexpr int kMaxDepth = 50;

/// Elements of a view and of its parts; metadata and extensions may stand anywhere.
const std::vector<std::string> kView = {"resourceType",
                                        "id",
                                        "meta",
                                        "implicitRules",
                                        "language",
                                        "text",
                                        "contained",
                                        "url",
                                        "identifier",
                                        "name",
                                        "title",
                                        "status",
                                        "experimental",
                                        "date",
                                        "publisher",
                                        "contact",
                                        "description",
                                        "useContext",
                                        "copyright",
                                        "resource",
                                        "fhirVersion",
                                        "resourceVersion",
                                        "constant",
                                        "select",
                                        "where",
                                        "version",
                                        "purpose",
                                        "jurisdiction",
                                        "versionAlgorithmString",
                                        "versionAlgorithmCoding",
                                        "profile",
                                        "copyrightLabel"};
const std::vector<std::string> kSelect = {"column", "select", "forEach", "forEachOrNull", "repeat", "unionAll", "id"};
const std::vector<std::string> kColumn = {"path", "name", "description", "collection", "type", "tag", "tags", "id"};
const std::vector<std::string> kWhere = {"path", "description", "id"};

/// `sql-name`: a name that databases take.
bool sqlName(std::string_view name) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_';
    });
}

using Types = std::vector<std::string>;  ///< that a context may be of; none: unknown

struct Builder {
    const NodeTree& tree;
    Options options;
    bool strict;
    ViewDefinition::Impl& out;
    std::optional<Error> error = {};
    int depth = 0;

    bool refuse(const std::string& where, const std::string& what) {
        if (!error) error = fail(Errc::misconfigured, "ViewDefinition: " + where + ": " + what, "viewdef");
        return false;
    }

    std::vector<NodeId> all(NodeId of, std::string_view name) const {
        std::vector<NodeId> found;
        for (NodeId c = tree[of].first_child; c != kNoNode; c = tree[c].next_sibling)
            if (tree[c].name == name && tree[c].kind != NodeKind::null) found.push_back(c);
        return found;
    }

    bool known(NodeId of, const std::string& where, const std::vector<std::string>& names) {
        if (tree[of].kind != NodeKind::object) return refuse(where, "an object expected");
        for (NodeId c = tree[of].first_child; c != kNoNode; c = tree[c].next_sibling) {
            const std::string name(tree[c].name);
            if (name.starts_with("_") || name == "extension" || name == "modifierExtension") continue;
            if (std::find(names.begin(), names.end(), name) != names.end()) continue;
            const std::string near = nearest(name, names);
            return refuse(where,
                          "unknown element `" + name + "`" + (near.empty() ? "" : "; did you mean `" + near + "`?"));
        }
        return true;
    }

    /// The one text of that name; missing is "" unless `required`.
    bool text(NodeId of, const std::string& where, std::string_view name, bool required, std::string& to) {
        const auto found = all(of, name);
        const std::string at = where + "." + std::string(name);
        if (found.empty()) return !required || refuse(at, "is missing");
        if (found.size() > 1) return refuse(at, "one value expected");
        if (tree[found[0]].kind != NodeKind::text) return refuse(at, "a text expected");
        to = std::string(tree[found[0]].text);
        return !to.empty() || refuse(at, "is empty");
    }

    /// Compiled for a context of these types; strict: `result` is what it gives.
    std::optional<Expression> expression(const std::string& text, const std::string& where, const Types& types,
                                         Types* result = nullptr) {
        auto made = Expression::compile(text, options);
        if (!made) {
            refuse(where, made.error().message);
            return std::nullopt;
        }
        const auto names = made->variables();
        for (const std::string& name : names) {
            const bool environment = name == "context" || name == "resource" || name == "rootResource" ||
                                     name == "ucum" || name == "sct" || name == "loinc" || name.starts_with("vs-") ||
                                     name.starts_with("ext-");
            const auto& defined = options.variables;
            const bool inside = text.find("defineVariable") != std::string::npos;
            if (!environment && !inside && std::find(defined.begin(), defined.end(), name) == defined.end()) {
                refuse(where, "the constant `%" + name + "` is not defined");
                return std::nullopt;
            }
        }
        if (!strict) return std::move(*made);
        auto given = made->resultTypes(types);
        if (!given) {
            refuse(where, given.error().message);
            return std::nullopt;
        }
        if (result != nullptr) result->insert(result->end(), given->begin(), given->end());
        return std::move(*made);
    }

    bool constants(NodeId view);
    bool columns(NodeId of, const std::string& where, const Types& types, Selection& to);
    bool each(NodeId of, const std::string& where, Types& types, Selection& to);
    bool selection(NodeId of, const std::string& where, Types types, Selection& to, std::vector<ViewColumn>& names);
    bool add(const ViewColumn& column, const std::string& where, std::vector<ViewColumn>& names) {
        for (const ViewColumn& other : names)
            if (other.name == column.name) return refuse(where, "the column `" + column.name + "` is there twice");
        names.push_back(column);
        return true;
    }
    bool view(NodeId of);
};

bool Builder::constants(NodeId view) {
    constexpr std::pair<std::string_view, ValueKind> kinds[] = {{"valueBoolean", ValueKind::boolean},
                                                                {"valueInteger", ValueKind::integer},
                                                                {"valuePositiveInt", ValueKind::integer},
                                                                {"valueUnsignedInt", ValueKind::integer},
                                                                {"valueInteger64", ValueKind::longInteger},
                                                                {"valueDecimal", ValueKind::decimal},
                                                                {"valueDate", ValueKind::date},
                                                                {"valueDateTime", ValueKind::dateTime},
                                                                {"valueInstant", ValueKind::dateTime},
                                                                {"valueTime", ValueKind::time},
                                                                {"valueString", ValueKind::string},
                                                                {"valueCode", ValueKind::string},
                                                                {"valueId", ValueKind::string},
                                                                {"valueUri", ValueKind::string},
                                                                {"valueUrl", ValueKind::string},
                                                                {"valueUuid", ValueKind::string},
                                                                {"valueOid", ValueKind::string},
                                                                {"valueCanonical", ValueKind::string},
                                                                {"valueBase64Binary", ValueKind::string},
                                                                {"valueMarkdown", ValueKind::string}};
    options.variables = {"rowIndex"};
    const auto found = all(view, "constant");
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::string where = "constant[" + std::to_string(i) + "]";
        std::string name;
        if (tree[found[i]].kind != NodeKind::object) return refuse(where, "an object expected");
        if (!text(found[i], where, "name", true, name)) return false;
        if (!sqlName(name)) return refuse(where + ".name", "letters, digits and underscores expected, a letter first");
        std::optional<Value> value;
        for (NodeId c = tree[found[i]].first_child; c != kNoNode; c = tree[c].next_sibling) {
            auto kind = std::find_if(std::begin(kinds), std::end(kinds),
                                     [&](const auto& k) { return k.first == tree[c].name; });
            if (kind == std::end(kinds)) {
                if (tree[c].name.starts_with("value")) return refuse(where, "a constant of an unknown type");
                continue;
            }
            if (value || tree[c].kind == NodeKind::object) return refuse(where, "one primitive value expected");
            value = Value::ofText(kind->second, out.texts.keep(tree[c].text));
        }
        if (!value) return refuse(where, "a value expected");
        for (const auto& other : out.constants)
            if (other.first == name) return refuse(where, "the constant is there twice");
        out.constants.emplace_back(name, *value);
        options.variables.push_back(name);
    }
    return true;
}

bool Builder::columns(NodeId of, const std::string& where, const Types& types, Selection& to) {
    const auto found = all(of, "column");
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::string at = where + ".column[" + std::to_string(i) + "]";
        ViewColumn column;
        std::string path, collection;
        if (!known(found[i], at, kColumn) || !text(found[i], at, "path", true, path) ||
            !text(found[i], at, "name", true, column.name) || !text(found[i], at, "type", false, column.type))
            return false;
        if (!sqlName(column.name))
            return refuse(at + ".name", "letters, digits and underscores expected, a letter first");
        for (NodeId c : all(found[i], "collection")) {
            if (tree[c].kind != NodeKind::boolean) return refuse(at + ".collection", "a boolean expected");
            column.collection = tree[c].text == "true";
        }
        auto made = expression(path, at + ".path", types);
        if (!made) return false;
        const auto reads = made->reads();
        const bool index = !reads.empty() &&
                           std::all_of(reads.begin(), reads.end(), [](const Read& r) { return r.path == "%rowIndex"; });
        to.columns.push_back({column, std::move(*made), index});
    }
    return true;
}

/// forEach, forEachOrNull or repeat: at most one of them.
bool Builder::each(NodeId of, const std::string& where, Types& types, Selection& to) {
    constexpr std::pair<std::string_view, Selection::Each> ways[] = {
        {"forEach", Selection::Each::for_each},
        {"forEachOrNull", Selection::Each::for_each_or_null},
        {"repeat", Selection::Each::repeat}};
    for (const auto& [name, way] : ways) {
        const auto found = all(of, name);
        if (found.empty()) continue;
        const std::string at = where + "." + std::string(name);
        if (to.each != Selection::Each::here) return refuse(where, "one of forEach, forEachOrNull and repeat expected");
        if (found.size() > 1 && way != Selection::Each::repeat) return refuse(at, "one value expected");
        to.each = way;
        Types result;
        for (NodeId c : found) {
            if (tree[c].kind != NodeKind::text) return refuse(at, "a text expected");
            auto made = expression(std::string(tree[c].text), at, types, &result);
            if (!made) return false;
            to.paths.push_back(std::move(*made));
        }
        // What repeat meets further down is not followed.
        types = way == Selection::Each::repeat ? Types{} : std::move(result);
    }
    return true;
}

bool Builder::selection(NodeId of, const std::string& where, Types types, Selection& to,
                        std::vector<ViewColumn>& names) {
    if (++depth > kMaxDepth) return refuse(where, "nested too deeply");
    if (!known(of, where, kSelect) || !each(of, where, types, to) || !columns(of, where, types, to)) return false;
    const std::size_t before = names.size();
    for (const ColumnPlan& plan : to.columns)
        if (!add(plan.column, where, names)) return false;
    const auto selects = all(of, "select");
    for (std::size_t i = 0; i < selects.size(); ++i) {
        to.selects.emplace_back();
        if (!selection(selects[i], where + ".select[" + std::to_string(i) + "]", types, to.selects.back(), names))
            return false;
    }
    const auto unions = all(of, "unionAll");
    std::vector<ViewColumn> first;
    for (std::size_t i = 0; i < unions.size(); ++i) {
        const std::string at = where + ".unionAll[" + std::to_string(i) + "]";
        std::vector<ViewColumn> branch = names;
        to.unions.emplace_back();
        if (!selection(unions[i], at, types, to.unions.back(), branch)) return false;
        if (i == 0) first = branch;
        const bool same = std::equal(
            first.begin(), first.end(), branch.begin(), branch.end(), [](const ViewColumn& a, const ViewColumn& b) {
                return a.name == b.name && (a.type == b.type || a.type.empty() || b.type.empty()) &&
                       a.collection == b.collection;
            });
        if (!same) return refuse(at, "other columns than the first branch has");
    }
    if (!unions.empty()) names = std::move(first);
    to.width = names.size() - before;
    --depth;
    return to.width > 0 || refuse(where, "a column, a select or a unionAll expected");
}

bool Builder::view(NodeId of) {
    if (!known(of, "view", kView) || !text(of, "view", "resource", true, out.resource) ||
        !text(of, "view", "name", false, out.name))
        return false;
    const Model::Type* type = Model::of(options.release).find(out.resource);
    if (type == nullptr || !Model::of(options.release).isResource(*type)) {
        const std::string near = Model::of(options.release).nearestType(out.resource);
        if (strict)
            return refuse("view.resource",
                          "no type of resource" + (near.empty() ? "" : "; did you mean `" + near + "`?"));
    }
    if (!out.name.empty() && !sqlName(out.name))
        return refuse("view.name", "letters, digits and underscores expected, a letter first");
    if (!constants(of)) return false;
    const auto wheres = all(of, "where");
    for (std::size_t i = 0; i < wheres.size(); ++i) {
        const std::string where = "where[" + std::to_string(i) + "]";
        std::string path;
        if (!known(wheres[i], where, kWhere) || !text(wheres[i], where, "path", true, path)) return false;
        auto made = expression(path, where + ".path", {out.resource});
        if (!made) return false;
        out.where.push_back(std::move(*made));
    }
    const auto selects = all(of, "select");
    if (selects.empty()) return refuse("view.select", "is missing");
    for (std::size_t i = 0; i < selects.size(); ++i) {
        out.root.selects.emplace_back();
        if (!selection(selects[i], "select[" + std::to_string(i) + "]", {out.resource}, out.root.selects.back(),
                       out.columns))
            return false;
    }
    out.root.width = out.columns.size();
    return true;
}

}  // namespace

Result<ViewDefinition> ViewDefinition::compile(const NodeTree& tree, NodeId view, Options options, bool strict) {
    auto impl = std::make_shared<Impl>();
    Builder builder{tree, std::move(options), strict, *impl};
    if (!builder.view(view)) return std::move(*builder.error);
    ViewDefinition made;
    made.impl_ = std::move(impl);
    return made;
}

const std::vector<ViewColumn>& ViewDefinition::columns() const { return impl_->columns; }
const std::string& ViewDefinition::name() const { return impl_->name; }
const std::string& ViewDefinition::resource() const { return impl_->resource; }

}  // namespace porta::fhirpath
