// Math, boundaries and precision (chapter 5.7, and 3.0 ballot "Utility functions").
#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

/// Digits behind the point; of dates and times all digits that are given.
bool Evaluator::precisionOf(const AstNode& n, const Scalar& s, const Collection& focus, Collection& out) {
    std::size_t digits = 0;
    const bool date = isDated(s) || (s.loose && Temporal::parseDate(s.text));
    if (date || s.kind == ValueKind::time) {
        std::string_view local = s.text;
        const std::size_t clock = date ? local.find('T') : 0;
        if (clock != std::string_view::npos) local = local.substr(0, local.find_first_of("Z+-", clock));
        digits = static_cast<std::size_t>(
            std::count_if(local.begin(), local.end(), [](char c) { return c >= '0' && c <= '9'; }));
    } else {
        auto d = Decimal::parse(s.text, true);
        if (!d || (!isNumber(s) && !s.loose)) return raise(n, "a number, a date or a time expected");
        digits = static_cast<std::size_t>(d->scale);
    }
    give(out, made(ValueKind::integer, std::to_string(digits)), focus);
    return true;
}

bool Evaluator::boundaryOf(const AstNode& n, const Frame& f, const Value& v, bool low, Collection& out) {
    Scalar s = exact(v);
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
        // The result is of the value's own type; only a date that is given a time becomes a date-time.
        ValueKind kind = !date                                  ? ValueKind::time
                         : s.kind == ValueKind::dateTime        ? ValueKind::dateTime
                         : text->find('T') == std::string::npos ? ValueKind::date
                                                                : ValueKind::dateTime;
        give(out, made(kind, *text), Collection{v});
        return true;
    }
    auto d = Decimal::parse(s.text, true);
    if (!s.loose && !isNumber(s) && s.kind != ValueKind::quantity) {
        if (!s.object) return raise(n, "a number, a date or a time expected");
        // A Period: the boundary of its start or its end (SQL on FHIR v2).
        const formats::NodeId edge = tree_.child(v.node, low ? "start" : "end");
        return edge == formats::kNoNode || boundaryOf(n, f, Value::ofNode(edge), low, out);
    }
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
    r.unit = written(s.unit);
    give(out, r, Collection{v});
    return true;
}

bool Evaluator::mathFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    if (n.fn == Fn::low_boundary || n.fn == Fn::high_boundary)
        return boundaryOf(n, f, focus[0], n.fn == Fn::low_boundary, out);
    const Scalar s = exact(focus[0]);
    if (n.fn == Fn::precision) return precisionOf(n, s, focus, out);
    auto d = Decimal::parse(s.text, true);
    const bool keeps_unit =
        n.fn == Fn::abs || n.fn == Fn::ceiling || n.fn == Fn::floor || n.fn == Fn::truncate || n.fn == Fn::round;
    const bool number = isNumber(s) || s.loose || (s.kind == ValueKind::quantity && keeps_unit);
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
        case Fn::floor:
        case Fn::truncate:
            r = n.fn == Fn::floor      ? d->floored()
                : n.fn == Fn::truncate ? d->truncated()
                                       : d->negated().floored().negated();
            kind = s.kind == ValueKind::quantity || s.kind == ValueKind::longInteger ? s.kind : ValueKind::integer;
            break;
        case Fn::round: {
            std::optional<std::int64_t> digits = 0;
            if (n.count > 0 && !integerArgument(n, 0, f, digits)) return false;
            if (!digits || *digits < 0 || *digits > 28) return raise(n, "a precision of 0 to 28 expected");
            r = d->rounded(std::min(static_cast<int>(*digits), d->scale));
            if (s.kind == ValueKind::quantity) kind = s.kind;
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
            if (d->coefficient <= 0 || by->coefficient <= 0) return raise(n, "log() needs numbers above zero");
            auto x = naturalLog(*d), y = naturalLog(*by);
            if (x && y) r = divide(*x, *y);
            if (r) r = r->rounded(12)->trimmed();
        }
    }
    if (!r) return true;
    Value v = made(kind, kind == ValueKind::integer ? r->truncated().text() : r->text());
    if (kind == ValueKind::quantity) v.unit = written(s.unit);
    give(out, v, focus, other);
    return true;
}

}  // namespace porta::fhirpath
