// Operators between two collections: logic, membership, union, arithmetic (chapters 6.3 to 6.8).
#include <algorithm>

#include "fhirpath/quantity.h"
#include "fhirpath/ucum.h"

namespace porta::fhirpath {

/// A date or a time plus or minus an amount of the calendar (6.7).
bool Evaluator::dateArithmetic(const AstNode& n, Op op, const Scalar& a, const Scalar& b, Value& result) {
    auto t = isDated(a) ? Temporal::parseDate(a.text) : Temporal::parseTime(a.text);
    auto amount = Decimal::parse(b.text, true);
    if (!t || !amount) return true;
    std::string_view unit = bareUnit(b.unit);
    if (!b.unit.empty() && b.unit.front() == '\'' && (unit == "a" || unit == "mo"))
        return raise(n, "a calendar unit expected");
    std::int64_t count = amount->whole().value_or(0);
    if ((unit == "second" || unit == "s") && !amount->isWhole()) {
        auto ms = multiply(*amount, Decimal::of(1000));
        count = ms ? ms->whole().value_or(0) : 0;
        unit = "ms";
    }
    auto moved = addAmount(*t, op == Op::add ? count : -count, unit);
    if (!moved) return raise(n, "the unit cannot be added to a date");
    result = made(a.kind, moved->text());
    return true;
}

/// Quantities: sums in the unit of the left, products and quotients with the unit that UCUM makes (6.6).
bool Evaluator::quantityArithmetic(const AstNode& n, Op op, const Scalar& a, const Scalar& b, Value& result) {
    auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
    if (!x || !y) return raise(n, "numbers expected");
    const bool plain_a = a.kind != ValueKind::quantity, plain_b = b.kind != ValueKind::quantity;
    std::optional<Decimal> r;
    std::string_view unit = plain_a ? b.unit : a.unit;
    switch (op) {
        case Op::add:
        case Op::subtract: {
            // A number alone is one of the unit 1 (2.0, implicit conversion of numbers to quantities).
            const std::string_view u = plain_a ? "1" : bareUnit(a.unit), v = plain_b ? "1" : bareUnit(b.unit);
            // Years and months of the calendar are approximate: to add them to others is asked for by toQuantity().
            const bool approximate = u == "year" || u == "month" || v == "year" || v == "month";
            if (u != v) y = approximate ? std::nullopt : convertedUnit(*y, v, u);
            if (!y) return true;
            r = add(*x, op == Op::add ? *y : y->negated());
            break;
        }
        case Op::multiply:
        case Op::divide: {
            if (op == Op::divide && y->coefficient == 0) return true;
            r = op == Op::multiply ? multiply(*x, *y) : divide(*x, *y);
            if (plain_b || (plain_a && op == Op::multiply)) break;
            const std::string_view u = plain_a ? std::string_view("1") : bareUnit(a.unit), v = bareUnit(b.unit);
            if (op == Op::divide && u == v) {
                unit = "'1'";
                break;
            }
            if ((calendarUnit(u) && v != "1") || (calendarUnit(v) && u != "1")) return true;
            auto joined = ucumProduct(u, v, op == Op::divide);
            if (!joined) return true;
            unit = arena_.keep("'" + *joined + "'");
            break;
        }
        default: return raise(n, "quantities have no div and no mod");
    }
    if (!r) return true;
    result = made(ValueKind::quantity, r->text());
    result.unit = written(unit);
    return true;
}

bool Evaluator::arithmetic(const AstNode& n, Op op, const Collection& ca, const Collection& cb, Collection& out) {
    if (!single(n, ca) || !single(n, cb)) return false;
    if (ca.empty() || cb.empty()) return true;
    Scalar a = scalar(ca[0]), b = scalar(cb[0]);
    sharpen(ca[0], a);
    sharpen(cb[0], b);
    if (op == Op::add && a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object) {
        give(out, made(ValueKind::string, std::string(a.text).append(b.text)), ca, cb);
        return true;
    }
    if (a.loose && b.kind == ValueKind::quantity && Temporal::parseDate(a.text)) {
        a.loose = false;
        a.kind = a.text.find('T') == std::string_view::npos ? ValueKind::date : ValueKind::dateTime;
    }
    Value v;
    if ((isDated(a) || a.kind == ValueKind::time) && b.kind == ValueKind::quantity &&
        (op == Op::add || op == Op::subtract)) {
        if (!dateArithmetic(n, op, a, b, v)) return false;
        if (!v.isNode()) give(out, v, ca, cb);
        return true;
    }
    auto number = [](const Scalar& s) { return isNumber(s) || s.kind == ValueKind::quantity || s.loose; };
    if (!number(a) || !number(b)) return raise(n, "numbers expected");
    if (a.kind == ValueKind::quantity || b.kind == ValueKind::quantity) {
        if (!quantityArithmetic(n, op, a, b, v)) return false;
        if (!v.isNode()) give(out, v, ca, cb);
        return true;
    }
    auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
    if (!x || !y) return raise(n, "numbers expected");
    std::optional<Decimal> r;
    switch (op) {
        case Op::add: r = add(*x, *y); break;
        case Op::subtract: r = add(*x, y->negated()); break;
        case Op::multiply: r = multiply(*x, *y); break;
        default:
            if (y->coefficient == 0) return true;
            r = divide(*x, *y);
            if (r && op != Op::divide) {
                Decimal q = r->truncated();
                if (op == Op::div) r = q;
                else if (auto p = multiply(q, *y)) r = add(*x, p->negated());
            }
    }
    auto whole = [](const Scalar& s) { return s.kind == ValueKind::integer || s.kind == ValueKind::longInteger; };
    const bool integer = op != Op::divide && ((whole(a) && whole(b)) || op == Op::div);
    if (!r || (integer && !r->whole())) return true;  // overflow gives nothing (6.6)
    const bool wide = a.kind == ValueKind::longInteger || b.kind == ValueKind::longInteger;
    give(out,
         made(!integer ? ValueKind::decimal
              : wide   ? ValueKind::longInteger
                       : ValueKind::integer,
              r->text()),
         ca, cb);
    return true;
}

/// An operand's values: constants and variables where they stand, others in `room`. Null: refused.
const Collection* Evaluator::operand(std::uint32_t id, const Frame& f, Collection& room) {
    const AstNode& n = ast_.nodes[id];
    if (n.constant != kNone) return &ast_.constants[n.constant].values;
    if (n.op == Op::variable && defined_.empty())
        if (const Collection* known = vars_.find(n.text, n.place)) return known;
    return inner(id, f, room) ? &room : nullptr;
}

/// `in` and `contains`: the one item among the values of the other side.
bool Evaluator::member(const AstNode& n, std::uint32_t right, const Collection& a, const Collection& b,
                       std::optional<bool>& out) {
    const Collection &item = n.op == Op::in ? a : b, &set = n.op == Op::in ? b : a;
    if (!single(n, item)) return false;
    if (item.empty()) return true;
    const std::uint32_t constant = ast_.nodes[n.op == Op::in ? right : n.focus].constant;
    const bool strings = constant != kNone && ast_.constants[constant].strings;
    out = strings ? oneOf(ast_.constants[constant], item[0]) : holds(set, item[0]);
    return true;
}

bool Evaluator::binary(const AstNode& n, const Frame& f, Collection& out) {
    Collection left_room, right_room;
    const Collection* left = operand(n.focus, f, left_room);
    if (left == nullptr) return false;
    const bool logic = n.op == Op::logic_and || n.op == Op::logic_or || n.op == Op::logic_xor || n.op == Op::implies;
    std::optional<bool> p, q;
    if (logic) {
        if (!boolean(n, *left, p)) return false;
        // The right side is left alone when the left decides.
        if (decides(n.op, p)) {
            give(out, Value::ofBoolean(n.op != Op::logic_and), *left);
            return true;
        }
    }
    const std::uint32_t right_id = ast_.arg(n, 0);
    const Collection* right = operand(right_id, f, right_room);
    if (right == nullptr) return false;
    const Collection &a = *left, &b = *right;
    auto answer = [&](bool yes) {
        give(out, Value::ofBoolean(yes), a, b);
        return true;
    };
    switch (n.op) {
        case Op::logic_and:
        case Op::logic_or:
        case Op::logic_xor:
        case Op::implies:
            if (!boolean(n, b, q)) return false;
            q = joined(n.op, p, q);
            return q ? answer(*q) : true;
        case Op::equal:
        case Op::not_equal: {
            if (a.empty() || b.empty()) return true;
            Tri t = sameAll(a, b);
            return t == Tri::unknown ? true : answer((t == Tri::yes) == (n.op == Op::equal));
        }
        case Op::equivalent: return answer(alikeAll(a, b));
        case Op::not_equivalent: return answer(!alikeAll(a, b));
        case Op::less:
        case Op::less_equal:
        case Op::greater:
        case Op::greater_equal: {
            if (!single(n, a) || !single(n, b)) return false;
            if (a.empty() || b.empty()) return true;
            std::optional<int> c;
            if (!order(n, a[0], b[0], c)) return false;
            if (!c) return true;
            return answer(n.op == Op::less         ? *c < 0
                          : n.op == Op::less_equal ? *c <= 0
                          : n.op == Op::greater    ? *c > 0
                                                   : *c >= 0);
        }
        case Op::in:
        case Op::contains: {
            if (!member(n, right_id, a, b, q)) return false;
            return q ? answer(*q) : true;
        }
        case Op::unite: {
            Collection both = a;
            both.append(b.begin(), b.end());
            distinct(both, out);
            return true;
        }
        case Op::concat: {
            if (!single(n, a) || !single(n, b)) return false;
            std::string_view sides[2];
            for (const Collection* c : {&a, &b}) {
                if (c->empty()) continue;
                Scalar s = scalar((*c)[0]);
                if (!isText(s, (*c)[0])) return raise(n, "& joins strings; toString() makes one");
                sides[c == &b] = s.text;
            }
            char* text = arena_.make<char>(sides[0].size() + sides[1].size());
            steps_ += (sides[0].size() + sides[1].size()) >> 6;  // as `made` counts
            std::copy(sides[1].begin(), sides[1].end(), std::copy(sides[0].begin(), sides[0].end(), text));
            const std::string_view whole(text, sides[0].size() + sides[1].size());
            give(out, Value::ofString(whole), a, b);
            return true;
        }
        default: return arithmetic(n, n.op, a, b, out);
    }
}

}  // namespace porta::fhirpath
