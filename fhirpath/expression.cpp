#include "fhirpath/expression.h"

#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
namespace {

/// Collects what an expression reads: the paths of a node's result, given those of $this.
struct Reader {
    const Ast& ast;
    std::vector<std::string> all = {};

    std::vector<std::string> walk(std::uint32_t id, const std::vector<std::string>& self) {
        const AstNode& n = ast.nodes[id];
        std::vector<std::string> focus = self;
        if (n.focus != kNone) focus = walk(n.focus, self);
        switch (n.op) {
            case Op::self: return self;
            case Op::member: {
                std::vector<std::string> out;
                for (const std::string& p : focus) out.push_back(p.empty() ? n.text : p + "." + n.text);
                all.insert(all.end(), out.begin(), out.end());
                return out;
            }
            case Op::at: walk(ast.arg(n, 0), self); return focus;
            case Op::is:
            case Op::negate:
            case Op::plus: return {};
            case Op::as: return focus;
            case Op::unite: {
                auto more = walk(ast.arg(n, 0), self);
                focus.insert(focus.end(), more.begin(), more.end());
                return focus;
            }
            case Op::call: break;
            default:
                for (std::uint32_t i = 0; i < n.count; ++i) walk(ast.arg(n, i), self);
                return {};
        }
        const FunctionInfo* info = findFunction(n.text);
        const bool lambda = info != nullptr && info->lambda;
        std::vector<std::string> results;
        for (std::uint32_t i = 0; i < n.count; ++i) {
            auto r = walk(ast.arg(n, i), lambda ? focus : self);
            if (n.fn == Fn::select || (n.fn == Fn::iif && i > 0) || n.fn == Fn::unite || n.fn == Fn::combine ||
                n.fn == Fn::repeat || n.fn == Fn::repeat_all || n.fn == Fn::coalesce)
                results.insert(results.end(), r.begin(), r.end());
        }
        switch (n.fn) {
            case Fn::where:
            case Fn::of_type:
            case Fn::as:
            case Fn::first:
            case Fn::last:
            case Fn::tail:
            case Fn::skip:
            case Fn::take:
            case Fn::single:
            case Fn::distinct:
            case Fn::intersect:
            case Fn::exclude:
            case Fn::trace:
            case Fn::sort:
            case Fn::define_variable:
            case Fn::check_modifiers: return focus;
            case Fn::unite:
            case Fn::combine: results.insert(results.end(), focus.begin(), focus.end()); return results;
            case Fn::select:
            case Fn::iif:
            case Fn::coalesce:
            case Fn::repeat_all:
            case Fn::repeat: return results;
            default: return {};
        }
    }
};

}  // namespace

Collection& Variables::add(std::string_view name) {
    if (size_ == entries_.size()) entries_.emplace_back();
    auto& entry = entries_[size_++];
    entry.first = name;
    entry.second.clear();
    return entry.second;
}

Result<Expression> Expression::compile(std::string_view text, Profile profile,
                                       const std::vector<std::string>& variables) {
    Options options;
    options.profile = profile;
    options.variables = variables;
    return compile(text, options);
}

Result<Expression> Expression::compile(std::string_view text, const Options& options) {
    auto ast = parse(text, options);
    if (!ast) return ast.error();
    Expression e;
    auto impl = std::make_shared<Impl>();
    impl->ast = std::move(*ast);
    prepare(impl->ast, options.variables);
    e.impl_ = std::move(impl);
    return e;
}

/// Profile::strict: the types, before the values.
Result<void> Expression::strictly(const Evaluator& evaluator, formats::NodeId context) const {
    const Model::Type* type = evaluator.modelType(context);
    auto fits = type == nullptr ? Result<void>{} : check(type->name);
    if (!fits) fits.error().code = Errc::malformed;
    return fits;
}

Result<void> Expression::evaluate(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars,
                                  Arena& arena, Collection& out) const {
    return evaluate(tree, Value::ofNode(context), vars, arena, out);
}

Result<void> Expression::evaluate(const formats::NodeTree& tree, const Value& context, const Variables& vars,
                                  Arena& arena, Collection& out) const {
    const formats::NodeId node = context.isNode() ? context.node : tree.root();
    Evaluator evaluator(impl_->ast, tree, vars, node, arena);
    if (impl_->ast.options.profile == Profile::strict)
        if (auto fits = strictly(evaluator, node); !fits) return fits;
    if (!evaluator.eval(impl_->ast.root, Frame{&context}, out)) return std::move(*evaluator.error);
    return {};
}

Result<Collection> Expression::evaluate(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars,
                                        Arena& arena) const {
    Collection out;
    if (auto done = evaluate(tree, context, vars, arena, out); !done) return std::move(done.error());
    return out;
}

Result<bool> Expression::test(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars,
                              Arena& arena) const {
    Evaluator evaluator(impl_->ast, tree, vars, context, arena);
    if (impl_->ast.options.profile == Profile::strict)
        if (auto fits = strictly(evaluator, context); !fits) return std::move(fits.error());
    Value self = Value::ofNode(context);
    std::optional<bool> yes;
    if (!evaluator.test(Frame{&self}, yes)) return std::move(*evaluator.error);
    return yes.value_or(false);
}

bool Expression::isSinglePath() const {
    for (const AstNode& n : impl_->ast.nodes)
        if (n.op != Op::member && n.op != Op::at && !(n.op == Op::literal && n.value.kind == ValueKind::integer))
            return false;
    return impl_->ast.nodes[impl_->ast.root].op != Op::literal;
}

std::vector<std::string> Expression::paths() const {
    Reader reader{impl_->ast};
    reader.walk(impl_->ast.root, {""});
    std::sort(reader.all.begin(), reader.all.end());
    std::vector<std::string> out;
    for (std::size_t i = 0; i < reader.all.size(); ++i) {
        const std::string& p = reader.all[i];
        bool prefix = std::any_of(reader.all.begin(), reader.all.end(), [&](const std::string& q) {
            return q.size() > p.size() && q.compare(0, p.size(), p) == 0 && q[p.size()] == '.';
        });
        if (!prefix && (out.empty() || out.back() != p)) out.push_back(p);
    }
    return out;
}

std::vector<std::string> Expression::variables() const {
    std::vector<std::string> out;
    for (const AstNode& n : impl_->ast.nodes)
        if (n.op == Op::variable && std::find(out.begin(), out.end(), n.text) == out.end()) out.push_back(n.text);
    return out;
}

const std::string& Expression::text() const { return impl_->ast.text; }

Result<bool> truth(const Collection& values, const formats::NodeTree& tree) {
    if (values.empty()) return false;
    if (values.size() > 1)
        return fail(Errc::malformed, "FHIRPath: one boolean expected, several found", "fhirpath.truth");
    const Value& v = values[0];
    if (v.kind == ValueKind::boolean) return v.text == "true";
    if (v.isNode() && tree[v.node].kind == formats::NodeKind::boolean) return tree[v.node].text == "true";
    return true;
}

}  // namespace porta::fhirpath
