// From a node to its children: names, choices of FHIR, what JSON keeps of a primitive in `_name`.
#include <algorithm>

#include "fhirpath/navigator.h"

namespace porta::fhirpath {
using formats::Dialect;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeKind;

namespace {

bool upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Types that a choice element's name can end in (FHIR R4 and R5, datatypes "open type list").
constexpr std::string_view kChoiceTypes[] = {"Base64Binary",
                                             "Boolean",
                                             "Canonical",
                                             "Code",
                                             "Date",
                                             "DateTime",
                                             "Decimal",
                                             "Id",
                                             "Instant",
                                             "Integer",
                                             "Integer64",
                                             "Markdown",
                                             "Oid",
                                             "PositiveInt",
                                             "String",
                                             "Time",
                                             "UnsignedInt",
                                             "Uri",
                                             "Url",
                                             "Uuid",
                                             "Address",
                                             "Age",
                                             "Annotation",
                                             "Attachment",
                                             "CodeableConcept",
                                             "CodeableReference",
                                             "Coding",
                                             "ContactPoint",
                                             "Count",
                                             "Distance",
                                             "Duration",
                                             "HumanName",
                                             "Identifier",
                                             "Money",
                                             "Period",
                                             "Quantity",
                                             "Range",
                                             "Ratio",
                                             "RatioRange",
                                             "Reference",
                                             "SampledData",
                                             "Signature",
                                             "Timing",
                                             "Dosage",
                                             "Meta",
                                             "Expression",
                                             "UsageContext",
                                             "ContactDetail"};

bool choiceType(std::string_view suffix) {
    return std::find(std::begin(kChoiceTypes), std::end(kChoiceTypes), suffix) != std::end(kChoiceTypes);
}

}  // namespace

void Navigator::members(NodeId of, const formats::Name& name, Nodes& out) const {
    const std::size_t before = out.size();
    const bool hl7 = tree_.dialect() == Dialect::hl7v2;
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling)
        if (tree_.named(c, name) && (hl7 || tree_[c].kind != NodeKind::null)) out.push_back(c);
    if (out.size() != before) return;
    if (tree_.isFirstPart(of, name.text)) out.push_back(of);
    if (tree_.dialect() == Dialect::fhir) choices(of, name.text, out);
}

/// Whether the model, where it knows the node's type, has a choice of that name.
bool Navigator::isChoice(NodeId of, std::string_view name) const {
    const Model::Type* type = modelType(of);
    if (type == nullptr) return true;
    const Model::Element* element = ast_.model->element(*type, name);
    return element != nullptr && element->choice && element->name == name;
}

/// FHIR: choice elements, and what JSON keeps of a primitive in `_name`.
void Navigator::choices(NodeId of, std::string_view name, Nodes& out) const {
    const std::size_t before = out.size();
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling) {
        std::string_view full = tree_[c].name;
        if (full.size() <= name.size() || tree_[c].kind == NodeKind::null) continue;
        if (upper(full[name.size()]) && full.substr(0, name.size()) == name && choiceType(full.substr(name.size())) &&
            isChoice(of, name))
            out.push_back(c);
        else if (full[0] == '_' && full.substr(1) == name && tree_[c].kind == NodeKind::object)
            out.push_back(c);  // only extensions, no value
    }
    if (out.size() != before || tree_[of].kind == NodeKind::object) return;
    const NodeId extensions = companion(of);
    if (extensions == kNoNode) return;
    for (NodeId m = tree_[extensions].first_child; m != kNoNode; m = tree_[m].next_sibling)
        if (tree_[m].name == name) out.push_back(m);
}

/// FHIR JSON keeps a primitive's id and extensions in the sibling `_name`, item by item.
NodeId Navigator::companion(NodeId of) const {
    const NodeId parent = tree_[of].parent;
    if (parent == kNoNode) return kNoNode;
    std::size_t position = 0;
    for (NodeId c = tree_[parent].first_child; c != of && c != kNoNode; c = tree_[c].next_sibling)
        position += tree_[c].name == tree_[of].name;
    for (NodeId c = tree_[parent].first_child; c != kNoNode; c = tree_[c].next_sibling) {
        std::string_view full = tree_[c].name;
        if (full.size() == tree_[of].name.size() + 1 && full[0] == '_' && full.substr(1) == tree_[of].name &&
            position-- == 0)
            return c;
    }
    return kNoNode;
}

void Navigator::children(NodeId of, Collection& out) const {
    const bool fhir = tree_.dialect() == Dialect::fhir;
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling) {
        const formats::Node& child = tree_[c];
        if (fhir) {
            if (child.name == "resourceType" || child.kind == NodeKind::null) continue;
            // What `_name` keeps belongs to `name`, unless there is none.
            const bool beside = !child.name.empty() && child.name[0] == '_';
            if (beside && tree_.child(of, child.name.substr(1)) != kNoNode) continue;
        }
        out.push_back(Value::ofNode(c));
    }
    if (!fhir || tree_[of].kind == NodeKind::object) return;
    const NodeId extensions = companion(of);
    if (extensions == kNoNode) return;
    for (NodeId m = tree_[extensions].first_child; m != kNoNode; m = tree_[m].next_sibling)
        out.push_back(Value::ofNode(m));
}

/// The nearest resource around a node, or the root.
NodeId Navigator::resourceOf(NodeId node) const {
    while (tree_[node].parent != kNoNode && tree_.child(node, "resourceType") == kNoNode) node = tree_[node].parent;
    return node;
}

/// Whether the name stands for the type of the node.
bool Navigator::named(const AstNode& n, NodeId node) const {
    if (!n.type_like || tree_.dialect() == Dialect::hl7v2) return false;
    NodeId type = tree_.child(node, "resourceType");
    if (type != kNoNode && tree_[type].text == n.text) return true;
    // An element of plain XML is of the type that it is named after.
    if (tree_.dialect() == Dialect::plain)
        return tree_[node].name == n.text && tree_.child(node, formats::Name(n.text)) == kNoNode;
    if (tree_.child(node, formats::Name(n.text)) != kNoNode) return false;
    const Model::Type* known = modelType(node);
    return known != nullptr && ast_.model->isA(*known, n.text);
}

/// One node as long as there is only one, which is nearly always; then all nodes of a step at once.
void Navigator::follow(const Path& path, NodeId start, Collection& out) const {
    NodeId one = start;
    const std::size_t last = path.size() - 1;
    for (std::size_t i = 0; i <= last; ++i) {
        const Step& step = path[i];
        if (step.kind == Step::Kind::self || (step.kind == Step::Kind::at && step.position == 0)) continue;
        if (step.kind == Step::Kind::at) return;
        // Names of HL7 v2 are no types: it is the most frequent kind of message.
        if (step.kind == Step::Kind::type_or_member && tree_.dialect() != Dialect::hl7v2 &&
            named(ast_.nodes[step.node], start))
            continue;
        const NodeId first = nextNamed(tree_[one].first_child, step.name);
        if (first != kNoNode) {
            const bool only = i < last && path[i + 1].kind == Step::Kind::at && path[i + 1].position == 0;
            const NodeId next = tree_[first].next_sibling;
            if (only || (tree_.gathered(one) ? next == kNoNode || !tree_.named(next, step.name)
                                             : nextNamed(next, step.name) == kNoNode)) {
                one = first;
                continue;
            }
        } else if (tree_.isFirstPart(one, step.name.text)) {
            continue;
        } else if (tree_.dialect() == Dialect::hl7v2 && step.name.text.size() > 3) {
            followV2(path, i, one, out);
            return;
        } else if (tree_.dialect() != Dialect::fhir) {
            return;
        }
        followAll(path, i, one, out);
        return;
    }
    out.push_back(Value::ofNode(one));
}

/// The rest of a path by names of the HL7 v2 object model, `Message` being the message.
void Navigator::followV2(const Path& path, std::size_t i, NodeId start, Collection& out) const {
    Collection from;
    from.push_back(Value::ofNode(start));
    for (; i < path.size() && !from.empty(); ++i) {
        const Step& step = path[i];
        Collection found;
        if (step.kind == Step::Kind::at) {
            if (step.position < from.size()) found.push_back(from[step.position]);
        } else if (step.kind == Step::Kind::type_or_member && start == tree_.root() && step.name.text == "Message") {
            continue;
        } else {
            for (const Value& v : from) {
                if (!v.isNode() || v2Member(v.node, step.name.text, found)) continue;
                Nodes nodes;
                members(v.node, step.name, nodes);
                put(nodes, found);
            }
        }
        from = std::move(found);
    }
    out.append(from.begin(), from.end());
}

void Navigator::followAll(const Path& path, std::size_t i, NodeId start, Collection& out) const {
    Nodes from;
    from.push_back(start);
    for (; i < path.size() && !from.empty(); ++i) {
        const Step& step = path[i];
        if (step.kind == Step::Kind::at) {
            if (step.position >= from.size()) return;
            from[0] = from[step.position];
            from.shrink(1);
            continue;
        }
        Nodes found;
        for (NodeId node : from) members(node, step.name, found);
        from = std::move(found);
    }
    put(from, out);
}

void Navigator::put(const Nodes& nodes, Collection& out) {
    for (NodeId node : nodes) out.push_back(Value::ofNode(node));
}

}  // namespace porta::fhirpath
