// Types of values: of nodes by the model of FHIR, or by their form where there is none.
#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
using formats::Dialect;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeKind;

namespace {

constexpr std::string_view kSystem[] = {"",         "String", "Boolean",  "Integer", "Decimal",  "Date",
                                        "DateTime", "Time",   "Quantity", "Long",    "TypeInfo", ""};

bool systemType(std::string_view name) {
    return name == "Any" ||
           (!name.empty() && std::find(std::begin(kSystem), std::end(kSystem), name) != std::end(kSystem));
}

/// FHIR's primitives as values of FHIRPath (FHIR, chapter "FHIRPath", "Implicit conversions").
ValueKind systemKind(const Model::Type& type) {
    for (const Model::Type* t = &type; t != nullptr; t = t->parent) {
        const std::string_view n = t->name;
        if (n == "boolean") return ValueKind::boolean;
        if (n == "integer") return ValueKind::integer;
        if (n == "integer64") return ValueKind::longInteger;
        if (n == "decimal") return ValueKind::decimal;
        if (n == "date") return ValueKind::date;
        if (n == "dateTime" || n == "instant") return ValueKind::dateTime;
        if (n == "time") return ValueKind::time;
    }
    return ValueKind::string;
}

/// Without a model: the type that a node's form tells.
std::string_view formOf(const Scalar& s) {
    if (s.object) return {};
    return kSystem[static_cast<int>(s.kind)];
}

}  // namespace

/// Of a node that is not a plain text.
Scalar Evaluator::typed(const formats::Node& n, NodeId node) const {
    Scalar s;
    s.text = n.text;
    switch (n.kind) {
        case NodeKind::boolean: s.kind = ValueKind::boolean; break;
        case NodeKind::number:
            s.kind = n.text.find_first_of(".eE") == std::string_view::npos ? ValueKind::integer : ValueKind::decimal;
            break;
        case NodeKind::text:
        case NodeKind::null: s.loose = true; break;
        case NodeKind::object:
            // XML elements may hold text beside children (attributes): then they are leaves.
            s.object = n.text.empty();
            s.loose = !s.object;
            if (s.object && tree_.dialect() == Dialect::fhir) {
                NodeId value = tree_.child(node, "value"), code = tree_.child(node, "code");
                if (code == kNoNode) code = tree_.child(node, "unit");
                if (value != kNoNode && code != kNoNode && tree_[value].kind != NodeKind::object) {
                    s.kind = ValueKind::quantity;
                    s.text = tree_[value].text;
                    s.unit = tree_[code].text;
                }
            }
            break;
    }
    return s;
}

const Model::Type* Navigator::modelType(NodeId node) const {
    if (tree_.dialect() != Dialect::fhir) return nullptr;
    const NodeId resource = tree_.child(node, "resourceType");
    if (resource != kNoNode) return ast_.model->find(tree_[resource].text);
    if (tree_[node].parent == kNoNode) return nullptr;
    const Model::Type* above = modelType(tree_[node].parent);
    std::string_view name = tree_[node].name;
    if (above == nullptr || name.empty()) return nullptr;
    if (name[0] == '_') name.remove_prefix(1);
    return ast_.model->child(*above, name);
}

Scalar Evaluator::exact(const Value& v) const {
    Scalar s = scalar(v);
    if (!v.isNode() || s.object || tree_.dialect() != Dialect::fhir) return s;
    const Model::Type* type = modelType(v.node);
    if (type == nullptr) return s;
    s.loose = false;
    s.kind = systemKind(*type);
    return s;
}

/// `is` and its like must name a type of FHIRPath or, on a FHIR tree, of the model.
bool Evaluator::knownType(const AstNode& n) {
    if (tree_.dialect() != Dialect::fhir) return true;
    std::string_view name = n.text;
    // A type of the other namespace is known, and nothing is of it.
    if (name.starts_with("FHIR.") || name.starts_with("System.")) name = name.substr(name.find('.') + 1);
    return systemType(name) || ast_.model->find(name) != nullptr || raise(n, "an unknown type");
}

bool Evaluator::isType(const Value& v, std::string_view type) const {
    const bool system = type.starts_with("System."), of_fhir = type.starts_with("FHIR.");
    if (system) type.remove_prefix(7);
    if (of_fhir) type.remove_prefix(5);
    if (!v.isNode()) return !of_fhir && (type == kSystem[static_cast<int>(v.kind)] || type == "Any");
    if (tree_.dialect() != Dialect::fhir) return !of_fhir && !type.empty() && type == formOf(scalar(v));
    if (system) return false;
    const Model::Type* known = modelType(v.node);
    if (known != nullptr) return ast_.model->isA(*known, type);
    // An element that no resource holds (a part of one, an unknown resource): its name or its form tells.
    const NodeId resource = tree_.child(v.node, "resourceType");
    if (resource != kNoNode) return tree_[resource].text == type || type == "Resource";
    const formats::Node& n = tree_[v.node];
    const Model::Type* wanted = ast_.model->find(type);
    if (wanted == nullptr || type.empty()) return false;
    const bool ends = n.name.size() > type.size() && n.name.ends_with(type.substr(1)) &&
                      n.name[n.name.size() - type.size()] == (type[0] & ~0x20);
    const Scalar s = scalar(v);
    if (s.kind == ValueKind::quantity) return type == "Quantity";
    if (s.kind == ValueKind::boolean) return type == "boolean";
    if (s.kind == ValueKind::integer || s.kind == ValueKind::decimal)
        return type == "decimal" || (type == "integer" && s.kind == ValueKind::integer);
    return ends && ast_.model->isPrimitive(*wanted) == (n.kind != NodeKind::object);
}

/// type(): of FHIR's nodes the model's, else FHIRPath's.
void Evaluator::typeOf(const Value& v, Collection& out) {
    Value type = Value::ofText(ValueKind::type, std::string_view());
    type.unit = "System";
    if (!v.isNode()) {
        type.text = kSystem[static_cast<int>(v.kind)];
    } else if (const Model::Type* known = modelType(v.node)) {
        const Model::Type* named = known;
        while (named->parent != nullptr && named->name.find('.') != std::string_view::npos) named = named->parent;
        type.text = named->name;
        type.unit = "FHIR";
    } else {
        type.text = formOf(scalar(v));
    }
    if (!type.text.empty()) give(out, type, {v});
}

}  // namespace porta::fhirpath
