// What an expression's tree tells before any record is seen.
#include <algorithm>

#include "fhirpath/ast.h"

namespace porta::fhirpath {

namespace {

constexpr std::size_t kMaxConstants = 64;  ///< in one union; a longer one is evaluated as it stands

/// The position of `[n]` or `first()`, or kNone.
std::uint32_t positionOf(const Ast& ast, const AstNode& n) {
    if (n.op == Op::call) return n.fn == Fn::first ? 0 : kNone;
    const AstNode& index = ast.nodes[ast.arg(n, 0)];
    const std::string_view digits = index.value.text;
    if (index.op != Op::literal || index.value.kind != ValueKind::integer || digits.size() > 6) return kNone;
    std::uint32_t position = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return kNone;
        position = position * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return position;
}

/// The path that ends at a node, or empty: names, `first()` and positions from the implicit focus on. It takes over the
/// path of what the node is applied to.
Path pathTo(Ast& ast, std::uint32_t id) {
    const AstNode& n = ast.nodes[id];
    const bool member = n.op == Op::member;
    if (!member && n.op != Op::at && n.op != Op::call) return {};
    const Step::Kind first = n.type_like ? Step::Kind::type_or_member : Step::Kind::member;
    if (n.focus == kNone) return member ? Path{Step{first, n.name, id, 0}} : Path{};
    Step step{Step::Kind::member, n.name, id, 0};
    if (!member) {
        step.kind = Step::Kind::at;
        step.position = positionOf(ast, n);
        if (step.position == kNone) return {};
    }
    AstNode& focus = ast.nodes[n.focus];
    if (n.op == Op::at && isV2List(focus.text)) return {};  // lists of HL7 v2 begin with 1
    if (focus.op == Op::self && member) return {Step{Step::Kind::self, n.name, n.focus, 0}, step};
    if (focus.path == kNone) return {};
    Path path = std::move(ast.paths[focus.path]);
    focus.path = kNone;
    path.push_back(step);
    return path;
}

/// A literal, or strings joined by `|`.
std::uint32_t constantOf(Ast& ast, std::uint32_t id) {
    const AstNode& n = ast.nodes[id];
    Constant made;
    if (n.op == Op::literal) {
        made.values.push_back(n.value);
        made.strings = n.value.kind == ValueKind::string;
    } else if (n.op == Op::unite) {
        for (std::uint32_t side : {n.focus, ast.arg(n, 0)}) {
            const std::uint32_t at = ast.nodes[side].constant;
            if (at == kNone || !ast.constants[at].strings) return kNone;
            for (const Value& v : ast.constants[at].values)
                if (std::none_of(made.values.begin(), made.values.end(),
                                 [&](const Value& known) { return known.text == v.text; }))
                    made.values.push_back(v);
        }
        if (made.values.size() > kMaxConstants) return kNone;
    } else {
        return kNone;
    }
    ast.constants.push_back(std::move(made));
    return static_cast<std::uint32_t>(ast.constants.size() - 1);
}

/// Whether only nodes of the tree can come out of a node.
bool givesNodes(const Ast& ast, const AstNode& n) {
    if (n.op == Op::empty || n.op == Op::member) return true;
    if (n.op == Op::at) return ast.nodes[n.focus].nodes_only;
    if (n.op != Op::call) return false;
    if (n.fn == Fn::iif) {
        for (std::uint32_t i = 1; i < n.count; ++i)
            if (!ast.nodes[ast.arg(n, i)].nodes_only) return false;
        return true;
    }
    return (n.fn == Fn::first || n.fn == Fn::where) && n.focus != kNone && ast.nodes[n.focus].nodes_only;
}

}  // namespace

void prepare(Ast& ast, const std::vector<std::string>& variables) {
    // Operands stand before what uses them.
    for (std::uint32_t id = 0; id < ast.nodes.size(); ++id) {
        AstNode& n = ast.nodes[id];
        n.name = std::string_view(n.text);
        n.constant = constantOf(ast, id);
        n.nodes_only = givesNodes(ast, n);
        auto known = std::find(variables.rbegin(), variables.rend(), n.text);
        if (n.op == Op::variable && known != variables.rend())
            n.place = static_cast<std::uint32_t>(variables.rend() - known - 1);
        if (const auto kind = tableKind(ast, n); kind && ast.options.terminology)
            if (const AstNode& url = ast.nodes[ast.arg(n, 0)]; url.op == Op::literal)
                n.table = ast.options.terminology->find(*kind, url.value.text);
        Path path = pathTo(ast, id);
        if (path.empty()) continue;
        n.path = static_cast<std::uint32_t>(ast.paths.size());
        ast.paths.push_back(std::move(path));
    }
}

}  // namespace porta::fhirpath
