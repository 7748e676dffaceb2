#include <algorithm>
#include <utility>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeKind;

/// Functions whose argument is evaluated for each item with $this and $index.
bool Evaluator::perItem(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    const std::uint32_t body = ast_.arg(n, 0);
    if (n.fn == Fn::where || n.fn == Fn::exists || n.fn == Fn::all) {
        bool any = false, every = true, was = tracking_;
        tracking_ = false;
        bool ok = true;
        for (std::size_t i = 0; ok && i < focus.size(); ++i) {
            std::optional<bool> yes;
            Frame inner{&focus[i], static_cast<std::int64_t>(i), f.total};
            ok = truthOf(n, body, inner, yes);
            if (!ok) break;
            any = any || yes == true;
            every = every && yes == true;
            if (n.fn == Fn::where && yes == true) out.push_back(focus[i]);
        }
        tracking_ = was;
        if (ok && n.fn != Fn::where) give(out, Value::ofBoolean(n.fn == Fn::exists ? any : every), focus);
        return ok;
    }
    if (n.fn == Fn::select) {
        for (std::size_t i = 0; i < focus.size(); ++i)
            if (!eval(body, Frame{&focus[i], static_cast<std::int64_t>(i), f.total}, out)) return false;
        return true;
    }
    if (n.fn == Fn::repeat) {
        Collection queue = std::move(focus);
        for (std::size_t i = 0; i < queue.size(); ++i) {
            Collection found;
            Value current = queue[i];
            if (!eval(body, Frame{&current, static_cast<std::int64_t>(i), f.total}, found)) return false;
            for (Value& v : found) {
                auto known = [&](const Value& x) { return v.isNode() ? x.node == v.node : same(x, v) == Tri::yes; };
                if (std::any_of(out.begin(), out.end(), known)) continue;
                if (out.size() > 20000) return raise(n, "repeat() does not end");
                queue.push_back(v);
                out.push_back(v);
            }
        }
        return true;
    }
    Collection total;  // aggregate
    if (n.count > 1 && !argument(n, 1, f, total)) return false;
    for (std::size_t i = 0; i < focus.size(); ++i) {
        Collection next;
        if (!eval(body, Frame{&focus[i], static_cast<std::int64_t>(i), &total}, next)) return false;
        total = std::move(next);
    }
    out.append(total.begin(), total.end());
    return true;
}

bool Evaluator::call(const AstNode& n, const Frame& f, Collection& out) {
    Collection focus, other;
    if (n.focus == kNone) focus.push_back(*f.self);
    else if (!eval(n.focus, f, focus)) return false;
    auto answer = [&](bool yes) {
        give(out, Value::ofBoolean(yes), focus, other);
        return true;
    };
    auto number = [&](std::size_t i) {
        give(out, made(ValueKind::integer, std::to_string(i)), focus);
        return true;
    };
    switch (n.fn) {
        case Fn::exists:
            if (n.count == 1) return perItem(n, f, focus, out);
            return answer(!focus.empty());
        case Fn::where:
        case Fn::all:
        case Fn::select:
        case Fn::repeat:
        case Fn::aggregate: return perItem(n, f, focus, out);
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
            bool wanted = n.fn == Fn::all_true || n.fn == Fn::any_true,
                 every = n.fn == Fn::all_true || n.fn == Fn::all_false;
            bool result = every;
            for (const Value& v : focus) {
                Scalar s = scalar(v);
                if (s.object || (s.kind != ValueKind::boolean && s.text != "true" && s.text != "false") ||
                    (s.kind == ValueKind::string && !s.loose))
                    return raise(n, "booleans expected");
                bool is = (s.text == "true") == wanted;
                result = every ? result && is : result || is;
            }
            return answer(result);
        }
        case Fn::of_type:
        case Fn::as:
            if (n.fn == Fn::as && !single(n, focus)) return false;
            for (Value& v : focus)
                if (isType(v, n.text)) out.push_back(v);
            return true;
        case Fn::is:
            if (!single(n, focus)) return false;
            return focus.empty() ? true : answer(isType(focus[0], n.text));
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
        case Fn::count: return number(focus.size());
        case Fn::unite:
        case Fn::combine:
        case Fn::intersect:
        case Fn::exclude:
        case Fn::subset_of:
        case Fn::superset_of: {
            if (!argument(n, 0, f, other)) return false;
            auto within = [&](const Collection& a, const Collection& b) {
                return std::all_of(a.begin(), a.end(), [&](const Value& v) { return holds(b, v); });
            };
            if (n.fn == Fn::subset_of) return answer(within(focus, other));
            if (n.fn == Fn::superset_of) return answer(within(other, focus));
            if (n.fn == Fn::unite || n.fn == Fn::combine) {
                focus.append(other.begin(), other.end());
                if (n.fn == Fn::unite) distinct(focus, out);
                else out.append(focus.begin(), focus.end());
                return true;
            }
            Collection kept;
            for (Value& v : focus)
                if (holds(other, v) == (n.fn == Fn::intersect)) kept.push_back(v);
            if (n.fn == Fn::intersect) distinct(kept, out);
            else out.append(kept.begin(), kept.end());
            return true;
        }
        case Fn::iif: {
            if (n.focus != kNone && !single(n, focus)) return false;
            if (n.focus != kNone && focus.empty()) return true;
            Frame inner{&focus[0], f.index, f.total};
            std::optional<bool> yes;
            const bool spans = tracking_ && !n.nodes_only;
            bool ok = true;
            if (spans) {
                ok = eval(ast_.arg(n, 0), inner, other) && boolean(n, other, yes);
            } else {
                const bool was = std::exchange(tracking_, false);
                ok = truthOf(n, ast_.arg(n, 0), inner, yes);
                tracking_ = was;
            }
            if (!ok) return false;
            if (yes != true && n.count < 3) return true;
            std::size_t before = out.size();
            if (!eval(ast_.arg(n, yes == true ? 1 : 2), inner, out)) return false;
            // A literal chosen by a condition was computed from what the condition read.
            for (std::size_t i = before; spans && i < out.size(); ++i)
                if (!out[i].isNode() && out[i].spans.empty()) traceAll(out[i], other);
            return true;
        }
        case Fn::trace: out = std::move(focus); return true;
        case Fn::children:
        case Fn::descendants: {
            std::size_t at = out.size();
            for (const Value& v : focus)
                if (v.isNode()) children(v.node, out);
            if (n.fn == Fn::descendants)
                for (; at < out.size(); ++at) children(NodeId{out[at].node}, out);
            return true;
        }
        case Fn::extension: {
            std::optional<std::string_view> url;
            if (!textArgument(n, 0, f, url, other) || !url) return !error;
            Nodes found;
            for (const Value& v : focus)
                if (v.isNode()) members(v.node, "extension", found);
            for (NodeId node : found) {
                NodeId u = tree_.child(node, "url");
                if (u != kNoNode && tree_[u].text == *url) out.push_back(Value::ofNode(node));
            }
            return true;
        }
        case Fn::has_value: return answer(focus.size() == 1 && !scalar(focus[0]).object);
        case Fn::get_value:
            if (focus.size() == 1 && !scalar(focus[0]).object) out.push_back(focus[0]);
            return true;
        case Fn::conforms_to: {
            std::optional<std::string_view> url;
            if (!textArgument(n, 0, f, url, other) || !url || !single(n, focus)) return !error;
            constexpr std::string_view prefix = "http://hl7.org/fhir/StructureDefinition/";
            if (url->substr(0, prefix.size()) != prefix) return raise(n, "an unknown profile");
            if (focus.empty() || !focus[0].isNode()) return true;
            NodeId type = tree_.child(focus[0].node, "resourceType");
            return answer(type != kNoNode && tree_[type].text == url->substr(prefix.size()));
        }
        case Fn::now:
        case Fn::today:
        case Fn::time_of_day:
            out.push_back(made(n.fn == Fn::now     ? ValueKind::dateTime
                               : n.fn == Fn::today ? ValueKind::date
                                                   : ValueKind::time,
                               clockText(n.fn)));
            return true;
        case Fn::comparable: {
            if (!argument(n, 0, f, other) || !single(n, focus) || !single(n, other)) return false;
            if (focus.empty() || other.empty()) return true;
            return answer(comparableUnits(scalar(focus[0]).unit, scalar(other[0]).unit));
        }
        case Fn::to_boolean:
        case Fn::to_integer:
        case Fn::to_decimal:
        case Fn::to_string:
        case Fn::to_date:
        case Fn::to_date_time:
        case Fn::to_time:
        case Fn::to_quantity:
        case Fn::can_boolean:
        case Fn::can_integer:
        case Fn::can_decimal:
        case Fn::can_string:
        case Fn::can_date:
        case Fn::can_date_time:
        case Fn::can_time:
        case Fn::can_quantity: return conversion(n, focus, out);
        case Fn::abs:
        case Fn::ceiling:
        case Fn::floor:
        case Fn::round:
        case Fn::truncate:
        case Fn::sqrt:
        case Fn::power:
        case Fn::ln:
        case Fn::log:
        case Fn::exp:
        case Fn::low_boundary:
        case Fn::high_boundary: return mathFunction(n, f, focus, out);
        default: return textFunction(n, f, focus, out);
    }
}

bool Evaluator::boundaryOf(const AstNode& n, const Frame& f, const Value& v, bool low, Collection& out) {
    Scalar s = scalar(v);
    std::optional<std::int64_t> digits;
    if (n.count > 0 && !integerArgument(n, 0, f, digits)) return false;
    bool date = s.kind == ValueKind::date || s.kind == ValueKind::dateTime || (s.loose && Temporal::parseDate(s.text));
    if (date || s.kind == ValueKind::time) {
        auto t = date ? Temporal::parseDate(s.text) : Temporal::parseTime(s.text);
        int wanted = digits                      ? static_cast<int>(std::clamp<std::int64_t>(*digits, 0, 99))
                     : !date                     ? 9
                     : s.kind == ValueKind::date ? 8
                                                 : 17;
        auto text = t ? boundary(*t, low, wanted) : std::nullopt;
        if (!text) return true;
        ValueKind kind = !date                                  ? ValueKind::time
                         : text->find('T') == std::string::npos ? ValueKind::date
                                                                : ValueKind::dateTime;
        give(out, made(kind, *text), Collection{v});
        return true;
    }
    auto d = Decimal::parse(s.text, true);
    std::int64_t wanted = digits.value_or(8);
    if (!d || wanted < 0 || wanted > 28) return true;
    // The value stands for everything within half of its last digit.
    Decimal half{5, d->scale + 1};
    auto edge = add(*d, low ? half.negated() : half);
    if (!edge) return true;
    int places = static_cast<int>(wanted);
    Decimal cut = low ? edge->floored(places) : edge->negated().floored(places).negated();
    // Below half of the last place there is no digit to round by: the edge is a zero with the value's sign.
    auto nearest = edge->rounded(places);
    if (d->scale > places && d->coefficient != 0 && nearest && nearest->coefficient == 0 && cut.coefficient != 0 &&
        d->truncated().coefficient == 0)
        cut = *nearest;
    auto result = cut.rounded(places);
    if (!result) return true;
    std::string text = result->text();
    if (d->coefficient < 0 && result->coefficient == 0) text.insert(0, "-");
    Value r = made(s.unit.empty() ? ValueKind::decimal : ValueKind::quantity, text);
    r.unit = s.unit;
    give(out, r, Collection{v});
    return true;
}

bool Evaluator::mathFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    if (n.fn == Fn::low_boundary || n.fn == Fn::high_boundary)
        return boundaryOf(n, f, focus[0], n.fn == Fn::low_boundary, out);
    Scalar s = scalar(focus[0]);
    auto d = Decimal::parse(s.text, true);
    const bool number =
        s.kind == ValueKind::integer || s.kind == ValueKind::decimal || s.kind == ValueKind::quantity || s.loose;
    if (!d || !number) return raise(n, "a number expected");
    Collection other;
    std::optional<Decimal> by, r;
    if (n.fn == Fn::power || n.fn == Fn::log) {
        if (!argument(n, 0, f, other) || !single(n, other)) return false;
        if (other.empty()) return true;
        by = Decimal::parse(scalar(other[0]).text, true);
        if (!by) return raise(n, "a number expected");
    }
    ValueKind kind = ValueKind::decimal;
    switch (n.fn) {
        case Fn::abs:
            r = d->coefficient < 0 ? d->negated() : *d;
            kind = s.loose ? ValueKind::decimal : s.kind;
            break;
        case Fn::ceiling:
            r = d->negated().floored().negated();
            kind = ValueKind::integer;
            break;
        case Fn::floor:
            r = d->floored();
            kind = ValueKind::integer;
            break;
        case Fn::truncate:
            r = d->truncated();
            kind = ValueKind::integer;
            break;
        case Fn::round: {
            std::optional<std::int64_t> digits = 0;
            if (n.count > 0 && !integerArgument(n, 0, f, digits)) return false;
            if (!digits || *digits < 0 || *digits > 28) return raise(n, "a precision of 0 to 28 expected");
            r = d->rounded(std::min(static_cast<int>(*digits), d->scale));
            break;
        }
        case Fn::sqrt: r = squareRoot(*d); break;
        case Fn::ln: r = naturalLog(*d); break;
        case Fn::exp: r = exponential(*d); break;
        case Fn::power:
            r = power(*d, *by);
            if (r && r->isWhole() && s.kind == ValueKind::integer) kind = ValueKind::integer;
            break;
        default: {
            auto x = naturalLog(*d), y = naturalLog(*by);
            if (x && y) r = divide(*x, *y);
            if (r) r = r->rounded(12);
        }
    }
    if (!r) return true;
    Value v = made(kind, kind == ValueKind::integer ? r->truncated().text() : r->text());
    if (kind == ValueKind::quantity) v.unit = s.unit;
    give(out, v, focus, other);
    return true;
}

}  // namespace porta::fhirpath
