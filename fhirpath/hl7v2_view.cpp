// HL7 v2 messages as the specification's appendix sees them, beside the short names: `Message.segment.where(code =
// 'PID').field[3].element.first().simple()` is `PID.f3.first()`. Lists begin with 1. A field is here all its repetitions, so that
// `element` of it is themselves. `group()` and `groups()` are there when the reader has put the segments below groups; `segment` is
// always every segment, in the order of the message.
#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;

namespace {

/// Hands out the segments of a message or group, in their order, until one is not wanted.
template <class Wanted>
bool eachSegment(const formats::NodeTree& tree, NodeId of, const Wanted& wanted) {
    for (NodeId c = tree[of].first_child; c != kNoNode; c = tree[c].next_sibling)
        if (tree.level(c) == 0 ? !eachSegment(tree, c, wanted) : !wanted(c)) return false;
    return true;
}

}  // namespace

/// A name of the object model, when no part of the message has it. False: it is none.
bool Navigator::v2Member(NodeId of, std::string_view name, Collection& out) const {
    const std::size_t level = tree_.level(of);
    if (name == "segment" && level == 0)
        return eachSegment(tree_, of, [&](NodeId c) { return out.push_back(Value::ofNode(c)), true; });
    const bool list = (name == "item" && level == 0) || (name == "field" && level == 1) ||
                      (name == "component" && level == 2) || (name == "subcomponent" && level == 3);
    if (list) {
        for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling) out.push_back(Value::ofNode(c));
        if (level > 1 && tree_[of].first_child == kNoNode) out.push_back(Value::ofNode(of));  // the only part of itself
        return true;
    }
    if (name == "code" && level == 1) return out.push_back(Value::ofString(tree_[of].name)), true;
    if (name == "element" && level == 2) return out.push_back(Value::ofNode(of)), true;
    if ((name != "value" && name != "text") || level < 2) return false;
    if (tree_[of].first_child == kNoNode) out.push_back(Value::ofNode(of));
    return true;
}

/// The `number`-th part, counted from 1: `f3` of a segment, `c4` of a field, `s2` of a component.
void Navigator::v2Numbered(NodeId of, std::string_view list, std::int64_t number, Collection& out) const {
    const char letter = list.starts_with("field") || list.starts_with("element") ? 'f' : list[0];
    const std::string name = letter + std::to_string(number);
    Nodes found;
    members(of, formats::Name(name), found);
    put(found, out);
}

/// `segment[2]`, `field[3]`, `element[1]`, `component[4]`: by number, not by position, where parts have numbers.
bool Evaluator::v2Indexed(const AstNode& n, const Frame& f, Collection& out) {
    const AstNode& list = ast_.nodes[n.focus];
    std::optional<std::int64_t> number;
    if (!integerArgument(n, 0, f, number)) return false;
    if (!number || *number < 1) return true;
    if (list.text == "segment" || list.text == "element") {
        Collection all;
        if (!eval(n.focus, f, all)) return false;
        if (static_cast<std::size_t>(*number) <= all.size()) out.push_back(all[static_cast<std::size_t>(*number) - 1]);
        return true;
    }
    Collection focus;
    if (list.focus != kNone) {
        if (!eval(list.focus, f, focus)) return false;
    } else if (f.all != nullptr) {
        focus = *f.all;
    } else {
        focus.push_back(*f.self);
    }
    for (const Value& v : focus)
        if (v.isNode()) v2Numbered(v.node, list.text, *number, out);
    return true;
}

/// The nearest segment of a name before the one that a node stands in: of a result (OBX) its order (OBR).
bool Evaluator::v2Preceding(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    std::optional<std::string_view> name;
    Collection from;
    if (!textArgument(n, 0, f, name, from)) return false;
    for (const Value& v : focus) {
        if (!v.isNode() || !name || v.node == tree_.root()) continue;
        NodeId segment = v.node, found = kNoNode;
        while (tree_.level(segment) > 1) segment = tree_[segment].parent;
        eachSegment(tree_, tree_.root(), [&](NodeId c) {
            if (c >= segment) return false;
            spend(1);
            if (tree_.named(c, *name)) found = c;
            return true;
        });
        if (found != kNoNode) out.push_back(Value::ofNode(found));
    }
    return !overspent() || raise(n, "the evaluation takes too many steps");
}

/// The groups of a message or group, all or those of a name.
bool Evaluator::v2Groups(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    if (!tree_.grouped()) return raise(n, "the message is not read by groups; preceding() finds the segment before");
    std::optional<std::string_view> name;
    Collection from;
    if (n.count != 0 && !textArgument(n, 0, f, name, from)) return false;
    if (n.count != 0 && !name) return true;
    for (const Value& v : focus) {
        if (!v.isNode() || tree_.level(v.node) != 0) continue;
        for (NodeId c = tree_[v.node].first_child; c != kNoNode; c = tree_[c].next_sibling)
            if (tree_.level(c) == 0 && (!name || tree_.named(c, *name))) out.push_back(Value::ofNode(c));
    }
    return true;
}

bool Evaluator::v2Function(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    if (tree_.dialect() != formats::Dialect::hl7v2) return raise(n, "an HL7 v2 message expected");
    if (n.fn == Fn::v2_group) return v2Groups(n, f, focus, out);
    if (n.fn == Fn::preceding) return v2Preceding(n, f, focus, out);
    std::optional<std::int64_t> number;
    if (n.fn == Fn::v2_parts && !integerArgument(n, 0, f, number)) return false;
    for (const Value& v : focus) {
        if (!v.isNode()) continue;
        if (n.fn == Fn::v2_parts) {
            if (number && *number > 0) v2Numbered(v.node, n.text, *number, out);
            continue;
        }
        NodeId node = v.node;  // simple(): the text, or that of the first component
        while (tree_[node].first_child != kNoNode) node = tree_[node].first_child;
        if (!tree_[node].text.empty()) out.push_back(Value::ofNode(node));
    }
    return true;
}

}  // namespace porta::fhirpath
