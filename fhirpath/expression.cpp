#include "fhirpath/expression.h"

#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

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
    const std::uint32_t path = impl->ast.nodes[impl->ast.root].path;
    if (path != kNone && options.profile != Profile::strict) impl->path = &impl->ast.paths[path];
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
    if (follow(tree, context, out)) return {};
    return evaluate(tree, Value::ofNode(context), vars, arena, out);
}

bool Expression::follow(const formats::NodeTree& tree, formats::NodeId context, Collection& out) const {
    if (impl_->path == nullptr) return false;
    Navigator(impl_->ast, tree).follow(*impl_->path, context, out);
    return true;
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
