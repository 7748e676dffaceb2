// Calls: existence, subsetting, combining, summaries; the others are handed on to their files.
#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

bool Evaluator::combining(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    Collection other;
    if (!argument(n, 0, f, other)) return false;
    auto within = [&](const Collection& a, const Collection& b) {
        return std::all_of(a.begin(), a.end(), [&](const Value& v) { return holds(b, v); });
    };
    switch (n.fn) {
        case Fn::subset_of: give(out, Value::ofBoolean(within(focus, other)), focus, other); return true;
        case Fn::superset_of: give(out, Value::ofBoolean(within(other, focus)), focus, other); return true;
        case Fn::unite:
            focus.append(other.begin(), other.end());
            distinct(focus, out);
            return true;
        case Fn::combine:
            out.append(focus.begin(), focus.end());
            out.append(other.begin(), other.end());
            return true;
        default: break;
    }
    Collection kept;
    for (Value& v : focus)
        if (holds(other, v) == (n.fn == Fn::intersect)) kept.push_back(v);
    if (n.fn == Fn::intersect) distinct(kept, out);
    else out.append(kept.begin(), kept.end());
    return true;
}

/// sum(), avg(), min(), max(): all items of one type.
bool Evaluator::summary(const AstNode& n, Collection& focus, Collection& out) {
    if (focus.empty()) return true;
    const ValueKind kind = exact(focus[0]).kind;
    Collection best{focus[0]};
    for (std::size_t i = 1; i < focus.size(); ++i) {
        if (exact(focus[i]).kind != kind) return raise(n, "values of one type expected");
        Collection next, item{focus[i]};
        if (n.fn == Fn::sum || n.fn == Fn::avg) {
            if (!arithmetic(n, Op::add, best, item, next)) return false;
            if (next.empty()) return true;
            best = std::move(next);
            continue;
        }
        std::optional<int> c;
        if (!order(n, item[0], best[0], c)) return false;
        if (!c) return true;
        if (n.fn == Fn::min ? *c < 0 : *c > 0) best = std::move(item);
    }
    if (n.fn != Fn::avg) {
        out.append(best.begin(), best.end());
        return true;
    }
    return arithmetic(n, Op::divide, best, {made(ValueKind::integer, std::to_string(focus.size()))}, out);
}

bool Evaluator::call(const AstNode& n, const Frame& f, Collection& out) {
    Collection focus;
    if (n.focus != kNone) {
        if (!eval(n.focus, f, focus)) return false;
    } else if (f.all != nullptr) {
        focus = *f.all;
    } else {
        focus.push_back(*f.self);
    }
    auto answer = [&](bool yes) {
        give(out, Value::ofBoolean(yes), focus);
        return true;
    };
    switch (n.fn) {
        case Fn::exists:
            if (n.count == 1) return perItem(n, f, focus, out);
            return answer(!focus.empty());
        case Fn::where:
        case Fn::all:
        case Fn::select:
        case Fn::aggregate: return perItem(n, f, focus, out);
        case Fn::repeat:
        case Fn::repeat_all: return repeat(n, f, focus, out);
        case Fn::sort: return sort(n, f, focus, out);
        case Fn::iif: return iif(n, f, focus, out);
        case Fn::trace: return trace(n, f, focus, out);
        case Fn::define_variable: return defineVariable(n, f, focus, out);
        case Fn::coalesce: {
            const std::size_t before = out.size();
            for (std::uint32_t i = 0; i < n.count && out.size() == before; ++i)
                if (!argument(n, i, f, out)) return false;
            return true;
        }
        case Fn::empty: return answer(focus.empty());
        case Fn::not_: {
            std::optional<bool> b;
            if (!boolean(n, focus, b)) return false;
            return b ? answer(!*b) : true;
        }
        case Fn::all_true:
        case Fn::any_true:
        case Fn::all_false:
        case Fn::any_false: {
            const bool wanted = n.fn == Fn::all_true || n.fn == Fn::any_true,
                       every = n.fn == Fn::all_true || n.fn == Fn::all_false;
            bool result = every;
            for (const Value& v : focus) {
                const Scalar s = exact(v);
                if (s.object || (s.kind != ValueKind::boolean && s.text != "true" && s.text != "false") ||
                    (s.kind == ValueKind::string && !s.loose))
                    return raise(n, "booleans expected");
                const bool is = (s.text == "true") == wanted;
                result = every ? result && is : result || is;
            }
            return answer(result);
        }
        case Fn::of_type:
        case Fn::as:
            if ((n.fn == Fn::as && !single(n, focus)) || !knownType(n)) return false;
            for (Value& v : focus)
                if (isType(v, n.text)) out.push_back(v);
            return true;
        case Fn::is:
            if (!single(n, focus) || !knownType(n)) return false;
            return focus.empty() ? true : answer(isType(focus[0], n.text));
        case Fn::type:
            for (const Value& v : focus) typeOf(v, out);
            return true;
        case Fn::single:
            if (!single(n, focus)) return false;
            [[fallthrough]];
        case Fn::first:
            if (!focus.empty()) out.push_back(focus.front());
            return true;
        case Fn::last:
            if (!focus.empty()) out.push_back(focus.back());
            return true;
        case Fn::tail:
        case Fn::skip:
        case Fn::take: {
            std::optional<std::int64_t> k = 1;
            if (n.fn != Fn::tail && !integerArgument(n, 0, f, k)) return false;
            if (!k) return true;
            std::size_t at =
                static_cast<std::size_t>(std::clamp<std::int64_t>(*k, 0, static_cast<std::int64_t>(focus.size())));
            const Value* middle = focus.begin() + at;
            if (n.fn == Fn::take) out.append(focus.begin(), middle);
            else out.append(middle, focus.end());
            return true;
        }
        case Fn::distinct: distinct(focus, out); return true;
        case Fn::is_distinct: {
            Collection d;
            distinct(focus, d);
            return answer(d.size() == focus.size());
        }
        case Fn::count: give(out, made(ValueKind::integer, std::to_string(focus.size())), focus); return true;
        case Fn::unite:
        case Fn::combine:
        case Fn::intersect:
        case Fn::exclude:
        case Fn::subset_of:
        case Fn::superset_of: return combining(n, f, focus, out);
        case Fn::sum:
        case Fn::avg:
        case Fn::min:
        case Fn::max: return summary(n, focus, out);
        case Fn::children:
        case Fn::descendants: {
            std::size_t at = out.size();
            for (const Value& v : focus)
                if (v.isNode()) children(v.node, out);
            for (; n.fn == Fn::descendants && at < out.size(); ++at) {
                spend(1);
                if (overspent()) return raise(n, "the evaluation takes too many steps");
                children(formats::NodeId{out[at].node}, out);
            }
            return true;
        }
        default: break;
    }
    if (n.fn >= Fn::to_boolean && n.fn <= Fn::can_quantity) return conversion(n, f, focus, out);
    if (n.fn == Fn::to_long || n.fn == Fn::can_long) return conversion(n, f, focus, out);
    if ((n.fn >= Fn::abs && n.fn <= Fn::exp) || n.fn == Fn::low_boundary || n.fn == Fn::high_boundary ||
        n.fn == Fn::precision)
        return mathFunction(n, f, focus, out);
    if (n.fn >= Fn::year_of && n.fn <= Fn::difference) return dateFunction(n, f, focus, out);
    if (n.fn == Fn::now || n.fn == Fn::today || n.fn == Fn::time_of_day) return dateFunction(n, f, focus, out);
    if (n.fn >= Fn::v2_parts && n.fn <= Fn::preceding) return v2Function(n, f, focus, out);
    if (n.fn == Fn::extension || n.fn == Fn::has_value || n.fn == Fn::get_value || n.fn == Fn::conforms_to ||
        n.fn == Fn::comparable || (n.fn >= Fn::pathname && n.fn <= Fn::reference_key))
        return fhirFunction(n, f, focus, out);
    return textFunction(n, f, focus, out);
}

}  // namespace porta::fhirpath
