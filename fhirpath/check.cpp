// The strict check: what an expression means for a type, without data (chapter 10, type safety and strict evaluation).
#include <algorithm>
#include <optional>

#include "fhirpath/ast.h"

namespace porta::fhirpath {
namespace {

/// What a node of the expression may give. `any`: nothing is known, and nothing is refused.
struct Kinds {
    bool any = false;
    bool ordered = true;
    std::vector<const Model::Type*> types = {};  ///< of FHIR; none and not `any`: values of FHIRPath's own types

    static Kinds unknown() { return Kinds{true, true, {}}; }
    static Kinds system() { return {}; }
    void add(const Model::Type* type) {
        if (type == nullptr || type->name == "Resource" || type->name == "DomainResource" || type->name == "Element")
            any = true;
        else if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    }
    void add(const Kinds& other) {
        any = any || other.any;
        ordered = ordered && other.ordered;
        for (const Model::Type* type : other.types) add(type);
    }
};

class Checker {
public:
    Checker(const Ast& ast, Kinds context, bool ordered)
        : ast_(ast), model_(*ast.model), context_(std::move(context)), ordered_(ordered) {}

    Result<Kinds> run() {
        Kinds result = walk(ast_.root, context_);
        if (error_) return std::move(*error_);
        return result;
    }

private:
    const Ast& ast_;
    const Model& model_;
    Kinds context_;
    bool ordered_;
    int repeats_ = 0;  ///< around what is looked at
    std::optional<Error> error_;

    Kinds refuse(const AstNode& n, std::string what, const std::string& near = {}) {
        if (!near.empty()) what += "; did you mean `" + near + "`?";
        if (!error_)
            error_ = fail(Errc::misconfigured, "FHIRPath: " + what + " at offset " + std::to_string(n.offset),
                          "fhirpath.check", n.offset);
        return Kinds::unknown();
    }

    Kinds typeNamed(const AstNode& n) {
        constexpr std::string_view system[] = {"Any",  "String",   "Boolean", "Integer",  "Long",    "Decimal",
                                               "Date", "DateTime", "Time",    "Quantity", "TypeInfo"};
        std::string_view name = n.text;
        const bool of_system = name.starts_with("System."), of_fhir = name.starts_with("FHIR.");
        if (of_system || of_fhir) name = name.substr(name.find('.') + 1);
        Kinds shape;
        const Model::Type* found = of_system ? nullptr : model_.find(name);
        const bool known = std::find(std::begin(system), std::end(system), name) != std::end(system) ||
                           (of_system && model_.find(name) != nullptr);  // of the other namespace: nothing is of it
        if (found != nullptr) shape.add(found);
        else if (!known) return refuse(n, "`" + n.text + "` is no type", model_.nearestType(name));
        return shape;
    }

    Kinds member(const AstNode& n, const Kinds& focus) {
        if (n.focus == kNone && n.type_like)
            for (const Model::Type* type : focus.types)
                if (model_.isA(*type, n.text)) return focus;
        Kinds out;
        out.ordered = focus.ordered;
        out.any = focus.any || focus.types.empty();
        bool found = false;
        for (const Model::Type* type : focus.types) {
            const Model::Element* element = model_.element(*type, n.text);
            if (element == nullptr) continue;
            if (element->choice && element->name != n.text)
                return refuse(n,
                              "`" + n.text + "` is the choice `" + std::string(element->name) +
                                  "`, which FHIRPath names without its type",
                              std::string(element->name));
            found = true;
            for (std::string_view kind : element->types) out.add(model_.find(kind));
        }
        if (found || out.any) return out;
        const Model::Type& first = *focus.types.front();
        if (n.focus == kNone && n.type_like && model_.find(n.text) != nullptr)
            return refuse(n, "the path begins with `" + n.text + "`, the context is `" + std::string(first.name) + "`");
        return refuse(n, "`" + std::string(first.name) + "` has no element `" + n.text + "`",
                      model_.nearestElement(first, n.text));
    }

    Kinds call(const AstNode& n, const Kinds& self, const Kinds& focus) {
        if (n.fn == Fn::of_type || n.fn == Fn::as) {
            Kinds out = typeNamed(n);
            out.ordered = focus.ordered;
            return out;
        }
        if (n.fn == Fn::is) return typeNamed(n), Kinds::system();
        if (n.typed) return Kinds::system();
        const FunctionInfo& info = *findFunction(n.text);
        const bool whole = n.fn == Fn::define_variable || n.fn == Fn::iif;  // evaluated on the input
        std::vector<Kinds> arguments;
        for (std::uint32_t i = 0; i < n.count; ++i) {
            const bool inside = (info.lambda || (whole && (n.fn == Fn::iif || i == 1)));
            const bool outside = (n.fn == Fn::aggregate && i == 1) || (n.fn == Fn::trace && i == 0);
            Kinds at = inside && !outside ? (n.focus == kNone ? self : focus) : self;
            if (n.fn == Fn::repeat || n.fn == Fn::repeat_all) at = repeated(ast_.arg(n, i), std::move(at));
            arguments.push_back(walk(ast_.arg(n, i), at));
        }
        switch (n.fn) {
            case Fn::first:
            case Fn::last:
            case Fn::tail:
            case Fn::skip:
            case Fn::take:
                if (ordered_ && !focus.ordered)
                    return refuse(n, "`" + n.text + "()` needs an order, and this has none");
                return focus;
            case Fn::children:
            case Fn::descendants: {
                Kinds out = Kinds::unknown();
                out.ordered = false;
                return out;
            }
            case Fn::extension: {
                Kinds out;
                out.add(model_.find("Extension"));
                return out;
            }
            case Fn::aggregate:
            case Fn::resolve:
            case Fn::min:
            case Fn::max:
            case Fn::sum:
            case Fn::get_value:
            case Fn::type: return Kinds::unknown();
            default: break;
        }
        Kinds out;
        switch (info.gives) {
            case Gives::focus:
            case Gives::item: return focus;
            case Gives::both: out = focus; [[fallthrough]];
            case Gives::argument:
                for (std::size_t i = n.fn == Fn::iif ? 1 : 0; i < arguments.size(); ++i) out.add(arguments[i]);
                return out;
            default: return textOf(n, focus);
        }
    }

    /// What repeat() meets: the input, and what it found before. Each is looked at several times, and one inside another
    /// several times for each: what stands deeper than four is not held against anything.
    Kinds repeated(std::uint32_t body, Kinds at) {
        if (repeats_ == 4) return Kinds::unknown();
        ++repeats_;
        for (int i = 0; i < 3 && !at.any; ++i) {
            std::optional<Error> before = error_;
            Kinds found = walk(body, at);
            error_ = before;
            at.any = at.any || found.any;
            for (const Model::Type* type : found.types) at.add(type);
        }
        --repeats_;
        return at;
    }

    /// Functions on texts are not for values with parts.
    Kinds textOf(const AstNode& n, const Kinds& focus) {
        const bool text = (n.fn >= Fn::substring && n.fn <= Fn::unescape) || n.fn == Fn::encode || n.fn == Fn::decode;
        if (!text || focus.any || focus.types.empty()) return Kinds::system();
        for (const Model::Type* type : focus.types)
            if (model_.isPrimitive(*type)) return Kinds::system();
        return refuse(n,
                      "`" + n.text + "()` needs a text, and `" + std::string(focus.types.front()->name) + "` is none");
    }

    Kinds walk(std::uint32_t id, const Kinds& self) {
        const AstNode& n = ast_.nodes[id];
        if (error_) return Kinds::unknown();
        Kinds focus = n.focus != kNone ? walk(n.focus, self) : self;
        switch (n.op) {
            case Op::self: return self;
            case Op::variable: {
                Kinds out = Kinds::unknown();
                if (n.text == "context") out = context_;
                return out;
            }
            case Op::total: return Kinds::unknown();
            case Op::member: return member(n, focus);
            case Op::at:
                walk(ast_.arg(n, 0), self);
                if (ordered_ && !focus.ordered) return refuse(n, "an index needs an order, and this has none");
                return focus;
            case Op::is: typeNamed(n); return Kinds::system();
            case Op::as: return typeNamed(n);
            case Op::unite: focus.add(walk(ast_.arg(n, 0), self)); return focus;
            case Op::call: return call(n, self, focus);
            case Op::empty:
            case Op::literal:
            case Op::index:
            case Op::negate:
            case Op::plus: return Kinds::system();
            default: walk(ast_.arg(n, 0), self); return Kinds::system();
        }
    }
};

}  // namespace

Result<std::vector<std::string>> Expression::resultTypes(const std::vector<std::string>& types) const {
    Kinds context;
    context.any = types.empty();
    for (const std::string& type : types) {
        const Model::Type* found = impl_->ast.model->find(type);
        if (found == nullptr)
            return fail(Errc::misconfigured, "FHIRPath: the context's type is unknown", "fhirpath.check");
        context.types.push_back(found);
    }
    auto result = Checker(impl_->ast, std::move(context), false).run();
    if (!result) return std::move(result.error());
    std::vector<std::string> out;
    for (const Model::Type* type : result->types) out.emplace_back(type->name);
    if (result->any) out.clear();
    return out;
}

Result<void> Expression::check(std::string_view type, bool ordered) const {
    Kinds context;
    context.types.push_back(impl_->ast.model->find(type));
    if (context.types[0] == nullptr)
        return fail(Errc::misconfigured, "FHIRPath: the context's type is unknown", "fhirpath.check");
    auto result = Checker(impl_->ast, std::move(context), ordered).run();
    return result ? Result<void>{} : Result<void>(std::move(result.error()));
}

}  // namespace porta::fhirpath
