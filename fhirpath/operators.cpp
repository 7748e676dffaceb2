#include <algorithm>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
namespace {

bool numeric(const Scalar& s) { return s.kind == ValueKind::integer || s.kind == ValueKind::decimal; }
bool dated(const Scalar& s) { return s.kind == ValueKind::date || s.kind == ValueKind::dateTime; }

/// UCUM units that records use, as a factor to a base unit. Calendar years and months are no fixed number of days.
struct Unit {
    std::string_view name, base, factor;
};
constexpr Unit kUnits[] = {
    {"1", "1", "1"},
    {"%", "1", "0.01"},
    {"s", "s", "1"},
    {"ms", "s", "0.001"},
    {"min", "s", "60"},
    {"h", "s", "3600"},
    {"d", "s", "86400"},
    {"wk", "s", "604800"},
    {"second", "s", "1"},
    {"millisecond", "s", "0.001"},
    {"minute", "s", "60"},
    {"hour", "s", "3600"},
    {"day", "s", "86400"},
    {"week", "s", "604800"},
    {"year", "year", "1"},
    {"month", "year", "0"},
    {"a", "s", "31557600"},
    {"mo", "s", "2629800"},
    {"g", "g", "1"},
    {"kg", "g", "1000"},
    {"mg", "g", "0.001"},
    {"ug", "g", "0.000001"},
    {"t", "g", "1000000"},
    {"[lb_av]", "g", "453.59237"},
    {"[oz_av]", "g", "28.349523125"},
    {"m", "m", "1"},
    {"km", "m", "1000"},
    {"dm", "m", "0.1"},
    {"cm", "m", "0.01"},
    {"mm", "m", "0.001"},
    {"[in_i]", "m", "0.0254"},
    {"[ft_i]", "m", "0.3048"},
    {"L", "L", "1"},
    {"l", "L", "1"},
    {"dL", "L", "0.1"},
    {"mL", "L", "0.001"},
};

std::string_view bare(std::string_view u) {
    if (u.size() >= 2 && u.front() == '\'') return u.substr(1, u.size() - 2);
    if (u.size() > 3 && u.back() == 's') u.remove_suffix(1);
    return u;
}

const Unit* unitNamed(std::string_view u) {
    for (const auto& k : kUnits)
        if (k.name == u) return &k;
    return nullptr;
}

int lowerAscii(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/// Equivalence of strings: case and white space do not count (6.1.2).
std::string folded(std::string_view s) {
    std::string out;
    for (char c : s)
        out += c == '\t' || c == '\n' || c == '\r' ? ' ' : static_cast<char>(lowerAscii(static_cast<unsigned char>(c)));
    return out;
}

bool textAs(const Scalar& loose, const Scalar& other) {  // the text can be read as the other's kind
    if (numeric(other)) return Decimal::parse(loose.text, true).has_value();
    if (dated(other)) return Temporal::parseDate(loose.text).has_value();
    if (other.kind == ValueKind::time) return Temporal::parseTime(loose.text).has_value();
    return other.kind == ValueKind::boolean && (loose.text == "true" || loose.text == "false");
}

void adapt(Scalar& a, Scalar& b) {
    auto one = [](Scalar& x, const Scalar& y) {
        if (!x.loose || !textAs(x, y)) return;
        x.loose = false;
        x.kind = y.kind;
    };
    if (a.loose && !b.loose) one(a, b);
    else if (b.loose && !a.loose) one(b, a);
    auto promote = [](Scalar& x, Scalar& y) {
        if (x.kind != ValueKind::quantity || !numeric(y)) return;
        y.kind = ValueKind::quantity;
        y.unit = "'1'";
    };
    promote(a, b);
    promote(b, a);
}

}  // namespace

bool comparableUnits(std::string_view a, std::string_view b) {
    a = bare(a);
    b = bare(b);
    const Unit *x = unitNamed(a), *y = unitNamed(b);
    return a == b || (x != nullptr && y != nullptr && x->base == y->base);
}

std::optional<std::pair<Decimal, Decimal>> commensurable(const Scalar& a, const Scalar& b) {
    auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
    if (!x || !y) return std::nullopt;
    std::string_view u = bare(a.unit), v = bare(b.unit);
    if (u == v) return std::make_pair(*x, *y);
    const Unit *p = unitNamed(u), *q = unitNamed(v);
    if (p == nullptr || q == nullptr || p->base != q->base || p->factor == "0" || q->factor == "0") return std::nullopt;
    auto m = multiply(*x, *Decimal::parse(p->factor)), k = multiply(*y, *Decimal::parse(q->factor));
    if (!m || !k) return std::nullopt;
    return std::make_pair(*m, *k);
}

bool Evaluator::deepSame(NodeId a, NodeId b) const {
    if (a == b) return true;
    if (tree_[a].text != tree_[b].text || tree_[a].kind != tree_[b].kind) return false;
    NodeId x = tree_[a].first_child, y = tree_[b].first_child;
    for (; x != formats::kNoNode && y != formats::kNoNode; x = tree_[x].next_sibling, y = tree_[y].next_sibling)
        if (tree_[x].name != tree_[y].name || !deepSame(x, y)) return false;
    return x == y;
}

Tri Evaluator::same(const Value& va, const Value& vb) const {
    Scalar a = scalar(va), b = scalar(vb);
    auto tri = [](bool yes) { return yes ? Tri::yes : Tri::no; };
    if (a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object)
        return tri(a.text == b.text);
    if (va.isNode() && vb.isNode() && a.object && b.object) return tri(deepSame(va.node, vb.node));
    adapt(a, b);
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) {
        auto p = commensurable(a, b);
        if (!p) {
            if (comparableUnits(a.unit, b.unit)) return Tri::unknown;
            std::string_view u = bare(a.unit), v = bare(b.unit);
            // 1 year and 1 'a' are not the same amount, nor comparable (4.1.8.2).
            bool calendar = u == "year" || v == "year" || u == "month" || v == "month";
            return calendar ? Tri::unknown : Tri::no;
        }
        auto c = compare(p->first, p->second);
        return c ? tri(*c == 0) : Tri::no;
    }
    if (a.object || b.object) return Tri::no;
    if (numeric(a) && numeric(b)) {
        if (a.text == b.text) return Tri::yes;
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        if (!x || !y) return Tri::no;
        auto c = compare(*x, *y);
        return c ? tri(*c == 0) : Tri::no;
    }
    if ((dated(a) && dated(b)) || (a.kind == ValueKind::time && b.kind == ValueKind::time)) {
        if (a.text == b.text) return Tri::yes;
        auto x = dated(a) ? Temporal::parseDate(a.text) : Temporal::parseTime(a.text);
        auto y = dated(b) ? Temporal::parseDate(b.text) : Temporal::parseTime(b.text);
        if (!x || !y) return Tri::no;
        auto c = compare(*x, *y);
        return c ? tri(*c == 0) : Tri::unknown;
    }
    return tri(a.kind == b.kind && a.text == b.text);
}

bool Evaluator::alike(const Value& va, const Value& vb) const {
    Scalar a = scalar(va), b = scalar(vb);
    adapt(a, b);
    auto rounded = [](const Decimal& x, const Decimal& y) {
        Decimal p = x.trimmed(), q = y.trimmed();
        int digits = std::min(p.scale, q.scale);
        auto m = p.rounded(digits), k = q.rounded(digits);
        return m && k && compare(*m, *k) == 0;
    };
    if (numeric(a) && numeric(b)) {
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        return x && y && rounded(*x, *y);
    }
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) {
        auto p = commensurable(a, b);
        return p && rounded(p->first, p->second);
    }
    if (a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object)
        return folded(a.text) == folded(b.text);
    return same(va, vb) == Tri::yes;
}

Tri Evaluator::sameAll(const Collection& a, const Collection& b) const {
    if (a.size() != b.size()) return Tri::no;
    Tri result = Tri::yes;
    for (std::size_t i = 0; i < a.size(); ++i) {
        Tri t = same(a[i], b[i]);
        if (t == Tri::no) return t;
        if (t == Tri::unknown) result = t;
    }
    return result;
}

bool Evaluator::alikeAll(const Collection& a, const Collection& b) const {
    if (a.size() != b.size()) return false;
    std::vector<bool> used(b.size());
    for (const Value& v : a) {
        std::size_t i = 0;
        while (i < b.size() && (used[i] || !alike(v, b[i]))) ++i;
        if (i == b.size()) return false;
        used[i] = true;
    }
    return true;
}

bool Evaluator::order(const AstNode& n, const Value& va, const Value& vb, std::optional<int>& out) {
    Scalar a = scalar(va), b = scalar(vb);
    adapt(a, b);
    out.reset();
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) {
        if (auto p = commensurable(a, b)) out = compare(p->first, p->second);
        return true;
    }
    if (a.object || b.object) return raise(n, "an object cannot be ordered");
    if (numeric(a) && numeric(b)) {
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        if (!x || !y) return raise(n, "a number is too large");
        out = compare(*x, *y);
        return true;
    }
    if ((dated(a) && dated(b)) || (a.kind == ValueKind::time && b.kind == ValueKind::time)) {
        auto x = dated(a) ? Temporal::parseDate(a.text) : Temporal::parseTime(a.text);
        auto y = dated(b) ? Temporal::parseDate(b.text) : Temporal::parseTime(b.text);
        if (!x || !y) return raise(n, "a date is none");
        out = compare(*x, *y);
        return true;
    }
    bool xml_number = a.loose && b.kind == ValueKind::string && Decimal::parse(a.text).has_value() &&
                      tree_.dialect() == formats::Dialect::fhir && !b.loose && !Decimal::parse(b.text);
    if (a.kind != ValueKind::string || b.kind != ValueKind::string || xml_number)
        return raise(n, "different types cannot be ordered");
    int c = a.text.compare(b.text);
    out = c < 0 ? -1 : c > 0 ? 1 : 0;
    return true;
}

/// The same for strings alone: equal to a string is only a string, or a text without a type.
bool Evaluator::oneOf(const Constant& strings, const Value& v) const {
    const Scalar s = scalar(v);
    if (s.object || s.kind != ValueKind::string) return false;
    for (const Value& x : strings.values)
        if (x.text == s.text) return true;
    return false;
}

bool Evaluator::holds(const Collection& c, const Value& v) const {
    for (const Value& x : c)
        if (same(x, v) == Tri::yes) return true;
    return false;
}

void Evaluator::distinct(const Collection& in, Collection& out) const {
    const std::size_t before = out.size();
    for (const Value& v : in) {
        bool seen = false;
        for (std::size_t i = before; i < out.size() && !seen; ++i) seen = same(out[i], v) == Tri::yes;
        if (!seen) out.push_back(v);
    }
}

bool Evaluator::arithmetic(const AstNode& n, const Collection& ca, const Collection& cb, Collection& out) {
    if (!single(n, ca) || !single(n, cb)) return false;
    if (ca.empty() || cb.empty()) return true;
    Scalar a = scalar(ca[0]), b = scalar(cb[0]);
    if (n.op == Op::add && a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object) {
        give(out, made(ValueKind::string, std::string(a.text).append(b.text)), ca, cb);
        return true;
    }
    if (a.loose && b.kind == ValueKind::quantity && Temporal::parseDate(a.text)) {
        a.loose = false;
        a.kind = a.text.find('T') == std::string_view::npos ? ValueKind::date : ValueKind::dateTime;
    }
    if ((dated(a) || a.kind == ValueKind::time) && b.kind == ValueKind::quantity &&
        (n.op == Op::add || n.op == Op::subtract)) {
        auto t = dated(a) ? Temporal::parseDate(a.text) : Temporal::parseTime(a.text);
        auto amount = Decimal::parse(b.text);
        if (!t || !amount) return true;
        std::string_view unit = bare(b.unit);
        if (b.unit.front() == '\'' && (unit == "a" || unit == "mo")) return raise(n, "a calendar unit expected");
        auto whole = amount->whole();
        std::int64_t count = whole.value_or(0);
        if ((unit == "second" || unit == "s") && !amount->isWhole()) {
            auto ms = multiply(*amount, Decimal::of(1000));
            count = ms ? ms->whole().value_or(0) : 0;
            unit = "ms";
        }
        auto moved = addAmount(*t, n.op == Op::add ? count : -count, unit);
        if (!moved) return raise(n, "the unit cannot be added to a date");
        give(out, made(a.kind, moved->text()), ca, cb);
        return true;
    }
    auto number = [](const Scalar& s) { return numeric(s) || s.kind == ValueKind::quantity || s.loose; };
    auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
    if (a.object != (a.kind == ValueKind::quantity && a.object) || !number(a) || !number(b) || !x || !y)
        return raise(n, "numbers expected");
    std::string_view unit;
    if (a.kind == ValueKind::quantity || b.kind == ValueKind::quantity) {
        bool scale = (n.op == Op::multiply && (numeric(a) || numeric(b))) || (n.op == Op::divide && numeric(b));
        unit = a.kind == ValueKind::quantity ? a.unit : b.unit;
        if (!scale) {
            if (n.op != Op::add && n.op != Op::subtract && n.op != Op::divide)
                return raise(n, "units cannot be combined");
            if (bare(a.unit) != bare(b.unit)) return true;
            if (n.op == Op::divide) unit = "'1'";
        }
    }
    std::optional<Decimal> r;
    switch (n.op) {
        case Op::add: r = add(*x, *y); break;
        case Op::subtract: r = add(*x, y->negated()); break;
        case Op::multiply: r = multiply(*x, *y); break;
        default:
            if (y->coefficient == 0) return true;
            r = divide(*x, *y);
            if (r && n.op != Op::divide) {
                Decimal q = r->truncated();
                if (n.op == Op::div) r = q;
                else if (auto p = multiply(q, *y)) r = add(*x, p->negated());
            }
    }
    if (!r) return raise(n, "the result is too large");
    bool whole =
        n.op == Op::div || (n.op != Op::divide && a.kind == ValueKind::integer && b.kind == ValueKind::integer);
    if (whole && !r->whole()) return raise(n, "the result is too large");
    Value v = made(!unit.empty() ? ValueKind::quantity : whole ? ValueKind::integer : ValueKind::decimal, r->text());
    v.unit = unit;
    give(out, v, ca, cb);
    return true;
}

/// An operand's values: constants and variables where they stand, others in `room`. Null: refused.
const Collection* Evaluator::operand(std::uint32_t id, const Frame& f, Collection& room) {
    const AstNode& n = ast_.nodes[id];
    if (n.constant != kNone) return &ast_.constants[n.constant].values;
    if (n.op == Op::variable)
        if (const Collection* known = vars_.find(n.text, n.place)) return known;
    return eval(id, f, room) ? &room : nullptr;
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
            std::string text;
            for (const Collection* c : {&a, &b}) {
                if (c->empty()) continue;
                Scalar s = scalar((*c)[0]);
                if (s.object || (s.kind != ValueKind::string && !(*c)[0].isNode())) return raise(n, "& joins strings");
                text += s.text;
            }
            give(out, made(ValueKind::string, text), a, b);
            return true;
        }
        default: return arithmetic(n, a, b, out);
    }
}

}  // namespace porta::fhirpath
