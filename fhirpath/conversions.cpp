// Conversions: toInteger() and its like, convertsToInteger() and its like (chapter 5.5).
#include <algorithm>

#include "fhirpath/quantity.h"

namespace porta::fhirpath {

bool Evaluator::convert(ValueKind to, const Value& value, Value& out) {
    Scalar s = exact(value);
    if (s.kind == ValueKind::type || s.kind == ValueKind::parts) return false;
    const bool quantity = s.kind == ValueKind::quantity && (to == s.kind || to == ValueKind::string);
    if (s.object && !quantity) return false;
    const bool number = isNumber(s);
    const bool text = s.kind == ValueKind::string;
    const bool boolean = s.kind == ValueKind::boolean;
    out = Value::ofText(to, s.text);
    std::string_view digits = s.text;
    if (text && digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.starts_with('-') && digits != s.text) digits = {};  // two signs
    auto d = number || text ? Decimal::parse(digits, number) : std::nullopt;
    switch (to) {
        case ValueKind::boolean: {
            if (boolean) return true;
            std::string low;
            for (char c : s.text) low += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            bool one = (d && *compare(*d, Decimal::of(1)) == 0), zero = d && d->coefficient == 0;
            if (!number && !text) return false;
            bool yes = one || (text && (low == "true" || low == "t" || low == "yes" || low == "y"));
            bool no = zero || (text && (low == "false" || low == "f" || low == "no" || low == "n"));
            out = Value::ofBoolean(yes);
            return yes || no;
        }
        case ValueKind::integer:
        case ValueKind::longInteger:
            if (boolean) return out.text = s.text == "true" ? "1" : "0", true;
            if (!d || s.kind == ValueKind::decimal || d->scale > 0 || !d->whole()) return false;
            return out.text = arena_.keep(d->text()), true;
        case ValueKind::decimal:
            if (boolean) return out.text = s.text == "true" ? "1.0" : "0.0", true;
            if (!d) return false;
            return out.text = arena_.keep(d->text()), true;
        case ValueKind::string:
            if (s.kind == ValueKind::quantity) {
                out.text = arena_.keep(std::string(s.text) + " " + std::string(written(s.unit)));
            }
            return true;
        case ValueKind::date:
        case ValueKind::dateTime: {
            if (!text && s.kind != ValueKind::date && s.kind != ValueKind::dateTime) return false;
            auto t = Temporal::parseDate(s.text);
            if (!t) return false;
            if (to == ValueKind::date) {
                if (t->has_t && text) return false;
                out.text = out.text.substr(0, out.text.find('T'));
            }
            return true;
        }
        case ValueKind::time: return (text || s.kind == ValueKind::time) && Temporal::parseTime(s.text).has_value();
        case ValueKind::quantity: {
            if (s.kind == ValueKind::quantity) return out.unit = written(s.unit), true;
            out.unit = "'1'";
            if (boolean) return out.text = s.text == "true" ? "1.0" : "0.0", true;
            if (d) return true;
            if (!text) return false;
            // An amount, then perhaps a unit of UCUM in quotes or a word of the calendar.
            const std::size_t stop = std::min(s.text.find_first_not_of("+-.0123456789"), s.text.size());
            std::string_view amount = s.text.substr(0, stop), unit = s.text.substr(stop);
            while (!unit.empty() && (unit[0] == ' ' || unit[0] == '\t')) unit.remove_prefix(1);
            if (amount.starts_with('+')) amount.remove_prefix(1);
            const bool quoted = unit.size() > 2 && unit.front() == '\'' && unit.find('\'', 1) == unit.size() - 1;
            if (!Decimal::parse(amount) || (!quoted && (unit.starts_with('\'') || !calendarUnit(unit)))) return false;
            out.text = amount;
            out.unit = unit;
            return true;
        }
        case ValueKind::type:
        case ValueKind::parts:
        case ValueKind::node: break;
    }
    return false;
}

std::string_view Evaluator::written(std::string_view unit) {
    if (unit.empty() || unit.front() == '\'' || calendarUnit(unit)) return unit;
    return arena_.keep("'" + std::string(unit) + "'");
}

/// toQuantity(unit): a plain number takes the unit, another amount is converted.
bool Evaluator::toUnit(Value& v, std::string_view unit) {
    if (bareUnit(v.unit) == "1") return v.unit = written(arena_.keep(unit)), true;
    auto amount = Decimal::parse(v.text, true);
    auto made = amount ? convertedUnit(*amount, v.unit, unit) : std::nullopt;
    if (!made) return false;
    v.text = arena_.keep(made->text());
    v.unit = written(arena_.keep(unit));
    return true;
}

bool Evaluator::conversion(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    std::optional<std::string_view> extra;  // the unit, or the format of a date
    Collection from;
    if (n.count > 0 && !textArgument(n, 0, f, extra, from)) return false;
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    constexpr ValueKind kinds[] = {ValueKind::boolean, ValueKind::integer,  ValueKind::decimal, ValueKind::string,
                                   ValueKind::date,    ValueKind::dateTime, ValueKind::time,    ValueKind::quantity};
    const bool wide = n.fn == Fn::to_long || n.fn == Fn::can_long;
    const bool asks = n.fn == Fn::can_long || (n.fn >= Fn::can_boolean && !wide);
    const Fn first = asks ? Fn::can_boolean : Fn::to_boolean;
    const ValueKind to = wide ? ValueKind::longInteger : kinds[static_cast<int>(n.fn) - static_cast<int>(first)];
    Value v;
    bool ok = false;
    const Scalar s = exact(focus[0]);
    if (extra && (to == ValueKind::date || to == ValueKind::dateTime) && s.kind == ValueKind::string && !s.object) {
        auto iso = parseByFormat(s.text, *extra);
        ok = iso.has_value();
        if (ok) v = made(to, to == ValueKind::date ? iso->substr(0, iso->find('T')) : *iso);
    } else {
        ok = convert(to, focus[0], v);
        if (ok && extra && to == ValueKind::quantity) ok = toUnit(v, *extra);
    }
    if (asks) give(out, Value::ofBoolean(ok), focus);
    else if (ok) {
        v.copied = focus[0].isCopy() && v.text == focus[0].str(tree_);
        give(out, v, focus);
    }
    return true;
}

}  // namespace porta::fhirpath
