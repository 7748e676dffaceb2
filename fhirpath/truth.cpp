// Conditions: the truth of an expression, without values and spans that nobody will see.
#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

bool decides(Op op, std::optional<bool> left) {
    return ((op == Op::logic_and || op == Op::implies) && left == false) || (op == Op::logic_or && left == true);
}

std::optional<bool> joined(Op op, std::optional<bool> p, std::optional<bool> q) {
    const std::optional<bool> unknown;
    switch (op) {
        case Op::logic_and: return p == false || q == false ? false : p && q ? true : unknown;
        case Op::logic_or: return p == true || q == true ? true : p && q ? false : unknown;
        case Op::implies: return p == false || q == true ? true : p && q ? false : unknown;
        default: return p && q ? *p != *q : unknown;
    }
}

/// Whether `ask` can answer it.
bool Evaluator::asks(const AstNode& n) const {
    switch (n.op) {
        case Op::logic_and:
        case Op::logic_or:
        case Op::logic_xor:
        case Op::implies:
        case Op::equal:
        case Op::not_equal:
        case Op::in: return true;
        case Op::call: return n.focus != kNone && n.count == 0 && (n.fn == Fn::exists || n.fn == Fn::empty);
        default: return false;
    }
}

/// The boolean of a node that gives one, or none: as `eval` does, without values and spans that nobody will see.
bool Evaluator::ask(std::uint32_t id, const Frame& f, std::optional<bool>& out) {
    const AstNode& n = ast_.nodes[id];
    out.reset();
    if (!enter(n)) return false;
    struct Deep {
        int& depth;
        ~Deep() { --depth; }
    } deep{depth_};
    if (n.op == Op::call) {
        Collection room;
        const Collection* focus = operand(n.focus, f, room);
        if (focus == nullptr) return false;
        out = focus->empty() == (n.fn == Fn::empty);
        return true;
    }
    const std::uint32_t right_id = ast_.arg(n, 0);
    if (n.op != Op::equal && n.op != Op::not_equal && n.op != Op::in) {
        std::optional<bool> p, q;
        if (!truthOf(n, n.focus, f, p)) return false;
        if (!decides(n.op, p) && !truthOf(n, right_id, f, q)) return false;
        out = joined(n.op, p, q);
        return true;
    }
    Collection left_room, right_room;
    const Collection* left = operand(n.focus, f, left_room);
    if (left == nullptr) return false;
    const Collection* right = operand(right_id, f, right_room);
    if (right == nullptr) return false;
    if (n.op == Op::in) return member(n, right_id, *left, *right, out);
    if (left->empty() || right->empty()) return true;
    const Tri t = sameAll(*left, *right);
    if (t != Tri::unknown) out = (t == Tri::yes) == (n.op == Op::equal);
    return true;
}

/// The boolean of any operand of the node `at`.
bool Evaluator::truthOf(const AstNode& at, std::uint32_t id, const Frame& f, std::optional<bool>& out) {
    if (asks(ast_.nodes[id])) return ask(id, f, out);
    Collection room;
    const Collection* values = operand(id, f, room);
    return values != nullptr && boolean(at, *values, out);
}

bool Evaluator::test(const Frame& f, std::optional<bool>& out) {
    tracking_ = false;
    if (asks(ast_.nodes[ast_.root])) return ask(ast_.root, f, out);
    Collection values;
    if (!eval(ast_.root, f, values)) return false;
    auto yes = truth(values, tree_);
    if (!yes) error = std::move(yes.error());
    else out = *yes;
    return yes.has_value();
}

}  // namespace porta::fhirpath
