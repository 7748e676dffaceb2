#include "fhirpath/evaluator.h"

#include <algorithm>

namespace porta::fhirpath {

bool Evaluator::raise(const AstNode& at, std::string what) {
    if (!error)
        error = fail(Errc::malformed, "FHIRPath: " + what + " at offset " + std::to_string(at.offset),
                     "fhirpath.evaluate", at.offset);
    return false;
}

bool Evaluator::isText(const Scalar& s, const Value& v) const {
    if (s.object || !v.isNode()) return !s.object && s.kind == ValueKind::string;
    if (tree_.dialect() != formats::Dialect::fhir) return true;
    // XML does not tell a number from a text; dates are read as what stands there.
    const Scalar typed = exact(v);
    return !isNumber(typed) && typed.kind != ValueKind::boolean && typed.kind != ValueKind::quantity;
}

bool Evaluator::late() {
    const auto limit = ast_.options.limits.time;
    if (limit.count() == 0) return false;
    const auto now = std::chrono::steady_clock::now();
    if (!started_) started_ = now;
    return now - *started_ > limit;
}

const Collection* Evaluator::defined(std::string_view name) const {
    for (std::size_t i = defined_.size(); i-- > 0;)
        if (defined_[i].name == name) return &defined_[i].values;
    return nullptr;
}

namespace {

/// The environment's constants, FHIR chapter "FHIRPath": code systems, value sets and extensions by a short name.
std::string constantNamed(std::string_view name) {
    if (name == "sct") return "http://snomed.info/sct";
    if (name == "loinc") return "http://loinc.org";
    if (name == "ucum") return "http://unitsofmeasure.org";
    if (name.substr(0, 3) == "vs-") return "http://hl7.org/fhir/ValueSet/" + std::string(name.substr(3));
    if (name.substr(0, 4) == "ext-") return "http://hl7.org/fhir/StructureDefinition/" + std::string(name.substr(4));
    return {};
}

bool ofEnvironment(std::string_view name) {
    return name == "context" || name == "resource" || name == "rootResource" || name == "terminologies" ||
           !constantNamed(name).empty();
}

}  // namespace

bool Evaluator::variable(const AstNode& n, Collection& out) {
    const Collection* found = defined_.empty() ? nullptr : defined(n.text);
    if (found == nullptr) found = vars_.find(n.text, n.place);
    if (found != nullptr) {
        out.append(found->begin(), found->end());
        return true;
    }
    if (n.text == "context") return out.push_back(Value::ofNode(context_)), true;
    if (n.text == "resource") return out.push_back(Value::ofNode(resourceOf(context_))), true;
    if (n.text == "rootResource") return out.push_back(Value::ofNode(tree_.root())), true;
    if (n.text == "terminologies") return out.push_back(Value::ofText(ValueKind::parts, std::string_view("{}"))), true;
    const std::string fixed = constantNamed(n.text);
    if (fixed.empty()) return raise(n, "unknown variable");
    out.push_back(made(ValueKind::string, fixed));
    return true;
}

/// defineVariable(): the name is known to what follows in the same chain, and to nothing else.
bool Evaluator::defineVariable(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    std::optional<std::string_view> name;
    Collection from, values;
    if (!textArgument(n, 0, f, name, from)) return false;
    if (!name) return raise(n, "a variable's name expected");
    if (ofEnvironment(*name) || defined(*name) != nullptr || vars_.find(*name, 0) != nullptr)
        return raise(n, "the variable is defined already");
    if (n.count < 2) values = focus;
    else if (!inner(ast_.arg(n, 1), Frame{nullptr, f.index, f.total, &focus}, values)) return false;
    defined_.push_back({arena_.keep(*name), std::move(values)});
    out.append(focus.begin(), focus.end());
    return true;
}

bool Evaluator::single(const AstNode& at, const Collection& c) {
    return c.size() <= 1 || raise(at, "one value expected, " + std::to_string(c.size()) + " found");
}

bool Evaluator::boolean(const AstNode& at, const Collection& c, std::optional<bool>& out) {
    out.reset();
    if (!single(at, c)) return false;
    if (c.empty()) return true;
    Scalar s = scalar(c[0]);
    sharpen(c[0], s);
    // A text node "false" is a boolean of a format without types (XML, CSV).
    if (s.kind == ValueKind::boolean || (s.loose && tree_.dialect() == formats::Dialect::fhir)) out = s.text != "false";
    else out = true;
    return true;
}

bool Evaluator::argument(const AstNode& n, std::uint32_t i, const Frame& f, Collection& out) {
    return inner(ast_.arg(n, i), f, out);
}

bool Evaluator::integerArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::int64_t>& out) {
    out.reset();
    Collection c;
    if (!argument(n, i, f, c) || !single(n, c)) return false;
    if (c.empty()) return true;
    auto d = Decimal::parse(scalar(c[0]).text);
    if (!d || !d->isWhole() || !(out = d->whole())) return raise(n, "an integer argument expected");
    return true;
}

bool Evaluator::textArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::string_view>& out,
                             Collection& from) {
    out.reset();
    if (!argument(n, i, f, from) || !single(n, from)) return false;
    if (from.empty()) return true;
    Scalar s = scalar(from[0]);
    if (!isText(s, from[0])) return raise(n, "a string argument expected; toString() makes one");
    out = s.text;
    return true;
}

/// Adds the spans of the first thousand values to those that `to` has.
void Evaluator::traceAll(Value& to, const Collection& from) {
    const std::size_t values = std::min<std::size_t>(from.size(), 1000);
    std::size_t room = to.spans.size();
    for (std::size_t i = 0; i < values; ++i) room += from[i].isNode() ? 1 : from[i].spans.size();
    if (room == to.spans.size()) return;
    formats::Span* spans = arena_.make<formats::Span>(room);
    std::size_t count = 0;
    for (const formats::Span& s : to.spans) spans[count++] = s;
    auto one = [&](const formats::Span& s) {
        if (std::find(spans, spans + count, s) == spans + count) spans[count++] = s;
    };
    for (std::size_t i = 0; i < values; ++i) {
        if (from[i].isNode()) one(tree_[from[i].node].span);
        else
            for (const formats::Span& s : from[i].spans) one(s);
    }
    to.spans = {spans, count};
}

void Evaluator::give(Collection& out, Value v, const Collection& a) {
    if (tracking_) traceAll(v, a);
    out.push_back(std::move(v));
}

void Evaluator::give(Collection& out, Value v, const Collection& a, const Collection& b) {
    if (tracking_) {
        traceAll(v, a);
        traceAll(v, b);
    }
    out.push_back(std::move(v));
}

/// `[n]`.
bool Evaluator::indexed(const AstNode& n, const Frame& f, Collection& out) {
    const AstNode& list = ast_.nodes[n.focus];
    if (tree_.dialect() == formats::Dialect::hl7v2 && list.op == Op::member && isV2List(list.text))
        return v2Indexed(n, f, out);
    Collection focus;
    std::optional<std::int64_t> i;
    if (!eval(n.focus, f, focus) || !integerArgument(n, 0, f, i)) return false;
    if (i && *i >= 0 && static_cast<std::size_t>(*i) < focus.size()) out.push_back(focus[static_cast<std::size_t>(*i)]);
    return true;
}

/// Unary `+` and `-`.
bool Evaluator::polarity(const AstNode& n, const Frame& f, Collection& out) {
    Collection focus;
    if (!eval(n.focus, f, focus) || !single(n, focus)) return false;
    if (focus.empty()) return true;
    const Scalar s = exact(focus[0]);
    auto d = Decimal::parse(s.text, true);
    if (!d || (!s.loose && !isNumber(s) && s.kind != ValueKind::quantity)) return raise(n, "a number expected");
    Value v = made(s.loose ? ValueKind::decimal : s.kind, n.op == Op::negate ? d->negated().text() : d->text());
    v.unit = written(s.unit);
    give(out, v, focus);
    return true;
}

bool Evaluator::leaf(const AstNode& n, const Frame& f, Collection& out) {
    switch (n.op) {
        case Op::literal: out.push_back(n.value); return true;
        case Op::self:
            if (f.all != nullptr) out.append(f.all->begin(), f.all->end());
            else out.push_back(*f.self);
            return true;
        case Op::index: out.push_back(made(ValueKind::integer, std::to_string(f.index))); return true;
        case Op::total:
            if (f.total != nullptr) out.append(f.total->begin(), f.total->end());
            return true;
        default: return true;  // empty
    }
}

/// The parts of computed values that have any.
void Evaluator::memberOfValue(const AstNode& n, const Value& v, Collection& out) {
    if (v.kind == ValueKind::type) {
        if (n.text == "name") give(out, made(ValueKind::string, v.text), {v});
        if (n.text == "namespace") give(out, made(ValueKind::string, v.unit), {v});
    } else if (v.kind == ValueKind::quantity) {
        std::string_view unit = v.unit;
        if (unit.size() >= 2 && unit.front() == '\'') unit = unit.substr(1, unit.size() - 2);
        if (n.text == "value") give(out, made(ValueKind::decimal, v.text), {v});
        if (n.text == "unit" || n.text == "code") give(out, made(ValueKind::string, unit), {v});
    } else if (v.kind == ValueKind::parts) {
        partsNamed(n.text, v, out);
    }
}

namespace {

/// What %terminologies answers has members, and stands in no tree.
bool ofParts(const Frame& f) {
    return f.all == nullptr ? f.self->kind == ValueKind::parts
                            : !f.all->empty() && f.all->front().kind == ValueKind::parts;
}

}  // namespace

bool Evaluator::eval(std::uint32_t id, const Frame& f, Collection& out) {
    const AstNode& n = ast_.nodes[id];
    if (!enter(n)) return false;
    struct Deep {
        int& depth;
        ~Deep() { --depth; }
    } deep{depth_};
    if (n.constant != kNone) {
        const Collection& values = ast_.constants[n.constant].values;
        out.append(values.begin(), values.end());
        return true;
    }
    if (n.path != kNone && !ofParts(f)) {
        if (f.all == nullptr) {
            if (f.self->isNode()) follow(ast_.paths[n.path], f.self->node, out);
            else if (ast_.paths[n.path].size() <= 2) memberOfValue(n, *f.self, out);
            return true;
        }
        for (const Value& v : *f.all)
            if (v.isNode()) follow(ast_.paths[n.path], v.node, out);
        return true;
    }
    const std::size_t before = out.size();
    bool ok = true;
    switch (n.op) {
        case Op::literal:
        case Op::empty:
        case Op::self:
        case Op::index:
        case Op::total: return leaf(n, f, out);
        case Op::variable: ok = variable(n, out); break;
        case Op::member: {
            Collection focus;
            if (n.focus != kNone) ok = eval(n.focus, f, focus);
            else if (f.all != nullptr) focus = *f.all;
            else focus.push_back(*f.self);
            Nodes found;
            const bool v2 = tree_.dialect() == formats::Dialect::hl7v2 && n.text.size() > 3;
            for (const Value& v : focus)
                if (!v.isNode()) memberOfValue(n, v, out);
                else if (n.focus == kNone && (named(n, v.node) || (v2 && n.text == "Message"))) found.push_back(v.node);
                else if (!v2 || !v2Member(v.node, n.text, out)) members(v.node, n.name, found);
            put(found, out);
            break;
        }
        case Op::at: ok = indexed(n, f, out); break;
        case Op::call: ok = call(n, f, out); break;
        case Op::is:
        case Op::as: {
            Collection focus;
            if (!eval(n.focus, f, focus) || !single(n, focus) || !knownType(n)) return false;
            if (focus.empty()) return true;
            bool yes = isType(focus[0], n.text);
            if (n.op == Op::is) give(out, Value::ofBoolean(yes), focus);
            else if (yes) out.push_back(focus[0]);
            return true;
        }
        case Op::negate:
        case Op::plus: ok = polarity(n, f, out); break;
        default: ok = binary(n, f, out);
    }
    spend(out.size() - before);
    return ok && (!overspent() || raise(n, "the evaluation takes too many steps"));
}

}  // namespace porta::fhirpath
