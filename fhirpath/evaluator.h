#pragma once
/// One evaluation of a compiled expression. Private to this folder: evaluator.cpp has the control, navigator.h paths, types.cpp
/// types, compare.cpp and operators.cpp the operators, truth.cpp conditions; functions.cpp and *_functions.cpp the functions.
#include <chrono>
#include <optional>

#include "fhirpath/ast.h"
#include "fhirpath/decimal.h"
#include "fhirpath/navigator.h"
#include "fhirpath/temporal.h"

namespace porta::fhirpath {

/// What `$this`, `$index` and `$total` are.
struct Frame {
    const Value* self;
    std::int64_t index = 0;
    const Collection* total = nullptr;
    const Collection* all = nullptr;  ///< `$this` is a whole collection, and `self` nothing
};

/// A value as operators see it. `loose`: a text node, which takes the type of what it meets.
struct Scalar {
    ValueKind kind = ValueKind::string;
    bool loose = false;
    bool object = false;
    std::string_view text = {};
    std::string_view unit = {};
};

class Evaluator : private Navigator {
public:
    Evaluator(const Ast& ast, const formats::NodeTree& tree, const Variables& vars, formats::NodeId context,
              Arena& arena)
        : Navigator(ast, tree), vars_(vars), context_(context), arena_(arena) {}
    bool eval(std::uint32_t id, const Frame& frame, Collection& out);
    /// The truth of the whole expression.
    bool test(const Frame& frame, std::optional<bool>& out);
    using Navigator::modelType;
    std::optional<Error> error;

private:
    bool raise(const AstNode& at, std::string what);
    /// As `eval`; variables that it defines are gone afterwards.
    bool inner(std::uint32_t id, const Frame& frame, Collection& out) {
        const std::size_t known = defined_.size();
        const bool ok = eval(id, frame, out);
        while (defined_.size() > known) defined_.pop_back();
        return ok;
    }
    bool leaf(const AstNode& n, const Frame& f, Collection& out);
    bool indexed(const AstNode& n, const Frame& f, Collection& out);
    bool polarity(const AstNode& n, const Frame& f, Collection& out);
    bool variable(const AstNode& n, Collection& out);
    const Collection* defined(std::string_view name) const;
    void memberOfValue(const AstNode& n, const Value& v, Collection& out);
    // HL7 v2 by the specification's appendix (hl7v2_view.cpp)
    bool v2Indexed(const AstNode& n, const Frame& f, Collection& out);
    bool v2Preceding(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool v2Groups(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool v2Function(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    // Types and singletons
    bool isType(const Value& v, std::string_view type) const;
    bool knownType(const AstNode& n);
    void typeOf(const Value& v, Collection& out);
    /// As `scalar`, and for a node of FHIR with the type that the model gives it.
    Scalar exact(const Value& v) const;
    Scalar scalar(const Value& v) const {
        if (!v.isNode()) return Scalar{v.kind, false, v.kind == ValueKind::parts, v.text, v.unit};
        const formats::Node& n = tree_[v.node];
        if (n.kind == formats::NodeKind::text) return Scalar{ValueKind::string, true, false, n.text, {}};
        return typed(n, v.node);
    }
    Scalar typed(const formats::Node& n, NodeId node) const;
    /// Whether functions of strings take it. Only FHIR has types: elsewhere a number of JSON is a text as good as any.
    bool isText(const Scalar& s, const Value& v) const;
    bool single(const AstNode& at, const Collection& c);
    bool boolean(const AstNode& at, const Collection& c, std::optional<bool>& out);
    bool argument(const AstNode& n, std::uint32_t i, const Frame& f, Collection& out);
    bool integerArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::int64_t>& out);
    bool textArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::string_view>& out,
                      Collection& from);
    /// Long texts count as steps, too.
    Value made(ValueKind kind, std::string_view text) {
        steps_ += text.size() >> 6;
        return Value::ofText(kind, arena_.keep(text));
    }
    /// Counts a step into a node; who is let in leaves by taking one from the depth.
    bool enter(const AstNode& n) {
        ++steps_;
        if (overspent()) return raise(n, "the evaluation takes too many steps");
        if (depth_ >= ast_.options.limits.depth) return raise(n, "nested too deeply");
        if ((++entries_ & 255) == 0 && late()) return raise(n, "the evaluation takes too long");
        ++depth_;
        return true;
    }
    bool late();
    void spend(std::size_t steps) const { steps_ += steps; }
    bool overspent() const { return steps_ > ast_.options.limits.steps; }
    // Operators
    bool asks(const AstNode& n) const;
    bool ask(std::uint32_t id, const Frame& f, std::optional<bool>& out);
    bool truthOf(const AstNode& at, std::uint32_t id, const Frame& f, std::optional<bool>& out);
    bool member(const AstNode& n, std::uint32_t right, const Collection& a, const Collection& b,
                std::optional<bool>& out);
    const Collection* operand(std::uint32_t id, const Frame& f, Collection& room);
    bool binary(const AstNode& n, const Frame& f, Collection& out);
    bool arithmetic(const AstNode& n, Op op, const Collection& a, const Collection& b, Collection& out);
    bool dateArithmetic(const AstNode& n, Op op, const Scalar& a, const Scalar& b, Value& result);
    bool quantityArithmetic(const AstNode& n, Op op, const Scalar& a, const Scalar& b, Value& result);
    Tri same(const Value& a, const Value& b) const;
    bool alike(const Value& a, const Value& b) const;
    bool deepSame(NodeId a, NodeId b, bool alike) const;
    Tri sameQuantity(const Scalar& a, const Scalar& b) const;
    void sharpen(const Value& v, Scalar& s) const {
        if (s.loose) s = exact(v);
    }
    Tri sameAll(const Collection& a, const Collection& b) const;
    bool alikeAll(const Collection& a, const Collection& b) const;
    bool order(const AstNode& n, const Value& a, const Value& b, std::optional<int>& out);
    bool holds(const Collection& c, const Value& v) const;
    bool oneOf(const Constant& strings, const Value& v) const;
    void distinct(const Collection& in, Collection& out) const;
    // Functions
    bool call(const AstNode& n, const Frame& f, Collection& out);
    bool perItem(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool repeat(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool sort(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool iif(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool defineVariable(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool combining(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool summary(const AstNode& n, Collection& focus, Collection& out);
    bool trace(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool textFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool regexFunction(const AstNode& n, const Frame& f, std::string_view s, const Collection& from_pattern,
                       const Collection& focus, Collection& out);
    bool mathFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool precisionOf(const AstNode& n, const Scalar& s, const Collection& focus, Collection& out);
    bool dateFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    bool between(const AstNode& n, const Frame& f, const Collection& focus, const Temporal& a, Collection& out);
    bool fhirFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out);
    // Terminology (term_functions.cpp)
    using Codings = SmallVector<Coding, 4>;
    using Table = std::optional<Terminology::Id>;
    bool termFunction(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool memberOf(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool subsumption(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool service(const AstNode& n, const Frame& f, Collection& out);
    bool tableArgument(const AstNode& n, const Frame& f, Table& out, Collection& from);
    bool noTable(const AstNode& n, Terminology::Kind kind, std::string_view url, bool quoted);
    bool codedArgument(const AstNode& n, std::uint32_t i, const Frame& f, Codings& out, Collection& from);
    bool codings(const AstNode& n, const Value& v, Codings& out);
    bool above(const AstNode& n, const Codings& upper, const Codings& lower, bool& out);
    const Coding* codingOf(const Codings& codings, Terminology::Id system) const;
    bool anyHeld(const AstNode& n, Terminology::Kind kind, Terminology::Id table, const Codings& codings, bool& out,
                 Coding& found);
    bool noCode(const AstNode& n, Terminology::Id system, std::string_view code);
    bool expanded(const AstNode& n, Terminology::Id set, std::string& out);
    bool lookedUp(const AstNode& n, const Codings& codings, std::string& out);
    bool compared(const AstNode& n, Terminology::Id system, std::string_view a, std::string_view b,
                  std::string_view& out);
    bool translated(const AstNode& n, Terminology::Id map, const Codings& codings, std::string_view day,
                    std::string& out);
    void partsNamed(std::string_view name, const Value& v, Collection& out);
    NodeId resolved(const Value& reference) const;
    bool pathnames(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool conversion(const AstNode& n, const Frame& f, const Collection& focus, Collection& out);
    bool convert(ValueKind to, const Value& v, Value& out);
    /// A unit as FHIRPath writes it: a code of UCUM in quotes.
    std::string_view written(std::string_view unit);
    bool toUnit(Value& v, std::string_view unit);
    bool boundaryOf(const AstNode& n, const Frame& f, const Value& v, bool low, Collection& out);
    // Spans
    void traceAll(Value& to, const Collection& from);
    void give(Collection& out, Value v, const Collection& a);
    void give(Collection& out, Value v, const Collection& a, const Collection& b);

    const Variables& vars_;
    NodeId context_;
    Arena& arena_;
    int depth_ = 0;
    bool tracking_ = true;  ///< off inside filters, whose spans no result carries
    mutable std::uint64_t steps_ = 0;
    std::uint32_t entries_ = 0;
    std::int64_t clock_ = 0;  ///< microseconds of now(), the same for the whole evaluation; 0: not yet asked
    std::optional<std::chrono::steady_clock::time_point> started_ = {};
    struct Defined {
        std::string_view name;
        Collection values;
    };
    std::vector<Defined> defined_ = {};  ///< by defineVariable(), innermost last
};

bool isNumber(const Scalar& s);
bool isDated(const Scalar& s);
/// Gives texts without a type the type of what they meet, and makes a number that meets a quantity one of the unit 1.
void adapt(Scalar& a, Scalar& b);

/// `and`, `or`, `xor` and `implies` of three values; none is unknown.
std::optional<bool> joined(Op op, std::optional<bool> p, std::optional<bool> q);
/// Whether the left operand alone decides.
bool decides(Op op, std::optional<bool> left);
std::string clockText(Fn fn, std::int64_t micros);  ///< now(), today(), timeOfDay()

}  // namespace porta::fhirpath
