#pragma once
/// One evaluation of a compiled expression. Private to this folder: evaluator.cpp has paths and control, operators.cpp
/// comparison and arithmetic, truth.cpp conditions, functions.cpp collections, text_functions.cpp strings and conversions.
#include <optional>

#include "fhirpath/ast.h"
#include "fhirpath/decimal.h"
#include "fhirpath/temporal.h"

namespace porta::fhirpath {

struct Frame {
    const Value* self;
    std::int64_t index = 0;
    const Collection* total = nullptr;
};

/// A value as operators see it. `loose`: a text node, which takes the type of what it meets.
struct Scalar {
    ValueKind kind = ValueKind::string;
    bool loose = false;
    bool object = false;
    std::string_view text = {};
    std::string_view unit = {};
};

class Evaluator {
public:
    Evaluator(const Ast& ast, const formats::NodeTree& tree, const Variables& vars, formats::NodeId context,
              Arena& arena)
        : ast_(ast), tree_(tree), vars_(vars), context_(context), arena_(arena) {}
    bool eval(std::uint32_t id, const Frame& frame, Collection& out);
    /// The truth of the whole expression.
    bool test(const Frame& frame, std::optional<bool>& out);
    std::optional<Error> error;

private:
    using NodeId = formats::NodeId;
    using Nodes = SmallVector<NodeId, 16>;
    bool raise(const AstNode& at, std::string what);
    // Paths
    void members(NodeId of, const formats::Name& name, Nodes& out) const;
    void choices(NodeId of, std::string_view name, Nodes& out) const;
    NodeId nextNamed(NodeId from, const formats::Name& name) const;
    void follow(const Path& path, NodeId start, Collection& out) const;
    void followAll(const Path& path, std::size_t step, NodeId start, Collection& out) const;
    void purePath(std::uint32_t id, NodeId start, Nodes& out) const;
    static void put(const Nodes& nodes, Collection& out);
    void children(NodeId of, Collection& out) const;
    bool named(const AstNode& n, NodeId node) const;
    bool fits(std::uint32_t id, NodeId start);
    bool variable(const AstNode& n, Collection& out);
    // Types and singletons
    bool isType(const Value& v, std::string_view type) const;
    Scalar scalar(const Value& v) const {
        if (!v.isNode()) return Scalar{v.kind, false, false, v.text, v.unit};
        const formats::Node& n = tree_[v.node];
        if (n.kind == formats::NodeKind::text) return Scalar{ValueKind::string, true, false, n.text, {}};
        return typed(n, v.node);
    }
    Scalar typed(const formats::Node& n, NodeId node) const;
    bool single(const AstNode& at, const Collection& c);
    bool boolean(const AstNode& at, const Collection& c, std::optional<bool>& out);
    bool argument(const AstNode& n, std::uint32_t i, const Frame& f, Collection& out);
    bool integerArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::int64_t>& out);
    bool textArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::string_view>& out,
                      Collection& from);
    Value made(ValueKind kind, std::string_view text) { return Value::ofText(kind, arena_.keep(text)); }
    /// Counts a step into a node; who is let in leaves by taking one from the depth.
    bool enter(const AstNode& n) {
        if (++steps_ > 2000000) return raise(n, "the evaluation takes too long");
        if (depth_ >= 1500) return raise(n, "nested too deeply");
        ++depth_;
        return true;
    }
    // Operators
    bool asks(const AstNode& n) const;
    bool ask(std::uint32_t id, const Frame& f, std::optional<bool>& out);
    bool truthOf(const AstNode& at, std::uint32_t id, const Frame& f, std::optional<bool>& out);
    bool member(const AstNode& n, std::uint32_t right, const Collection& a, const Collection& b,
                std::optional<bool>& out);
    const Collection* operand(std::uint32_t id, const Frame& f, Collection& room);
    bool binary(const AstNode& n, const Frame& f, Collection& out);
    bool arithmetic(const AstNode& n, const Collection& a, const Collection& b, Collection& out);
    Tri same(const Value& a, const Value& b) const;
    bool alike(const Value& a, const Value& b) const;
    bool deepSame(NodeId a, NodeId b) const;
    Tri sameAll(const Collection& a, const Collection& b) const;
    bool alikeAll(const Collection& a, const Collection& b) const;
    bool order(const AstNode& n, const Value& a, const Value& b, std::optional<int>& out);
    bool holds(const Collection& c, const Value& v) const;
    bool oneOf(const Constant& strings, const Value& v) const;
    void distinct(const Collection& in, Collection& out) const;
    // Functions
    bool call(const AstNode& n, const Frame& f, Collection& out);
    bool perItem(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool textFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool mathFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool conversion(const AstNode& n, const Collection& focus, Collection& out);
    bool convert(ValueKind to, const Value& v, Value& out);
    bool boundaryOf(const AstNode& n, const Frame& f, const Value& v, bool low, Collection& out);
    // Spans
    void traceAll(Value& to, const Collection& from);
    void give(Collection& out, Value v, const Collection& a);
    void give(Collection& out, Value v, const Collection& a, const Collection& b);

    const Ast& ast_;
    const formats::NodeTree& tree_;
    const Variables& vars_;
    NodeId context_;
    Arena& arena_;
    int depth_ = 0;
    bool tracking_ = true;  ///< off inside filters, whose spans no result carries
    std::size_t steps_ = 0;
};

/// `and`, `or`, `xor` and `implies` of three values; none is unknown.
std::optional<bool> joined(Op op, std::optional<bool> p, std::optional<bool> q);
/// Whether the left operand alone decides.
bool decides(Op op, std::optional<bool> left);
std::string clockText(Fn fn);  ///< now(), today(), timeOfDay()
/// Both amounts in one base unit, or none when the units do not measure the same.
std::optional<std::pair<Decimal, Decimal>> commensurable(const Scalar& a, const Scalar& b);
bool comparableUnits(std::string_view a, std::string_view b);

}  // namespace porta::fhirpath
