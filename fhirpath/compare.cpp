// Equality, equivalence, order (chapters 6.1 and 6.2).
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "fhirpath/quantity.h"

namespace porta::fhirpath {
namespace {

/// Equivalence of strings: case and the kind of white space do not count (6.1.2).
std::string folded(std::string_view s) {
    auto u = icu::UnicodeString::fromUTF8(icu::StringPiece(s.data(), static_cast<int>(s.size())));
    u.foldCase();
    icu::UnicodeString spaces;
    for (int32_t i = 0; i < u.length(); i = u.moveIndex32(i, 1)) {
        const UChar32 c = u.char32At(i);
        spaces.append(u_isUWhiteSpace(c) ? UChar32{' '} : c);
    }
    std::string out;
    spaces.toUTF8String(out);
    return out;
}

bool textAs(const Scalar& loose, const Scalar& other) {  // the text can be read as the other's kind
    if (isNumber(other)) return Decimal::parse(loose.text, true).has_value();
    if (isDated(other)) return Temporal::parseDate(loose.text).has_value();
    if (other.kind == ValueKind::time) return Temporal::parseTime(loose.text).has_value();
    return other.kind == ValueKind::boolean && (loose.text == "true" || loose.text == "false");
}

Tri tri(bool yes) { return yes ? Tri::yes : Tri::no; }

std::optional<Temporal> moment(const Scalar& s) {
    return isDated(s) ? Temporal::parseDate(s.text) : Temporal::parseTime(s.text);
}

bool moments(const Scalar& a, const Scalar& b) {
    return (isDated(a) && isDated(b)) || (a.kind == ValueKind::time && b.kind == ValueKind::time);
}

/// To the places of the one with fewer; zeros at the end do not count.
bool sameRounded(const Decimal& x, const Decimal& y) {
    Decimal p = x.trimmed(), q = y.trimmed();
    int digits = std::min(p.scale, q.scale);
    auto m = p.rounded(digits), k = q.rounded(digits);
    return m && k && compare(*m, *k) == 0;
}

}  // namespace

bool isNumber(const Scalar& s) {
    return s.kind == ValueKind::integer || s.kind == ValueKind::decimal || s.kind == ValueKind::longInteger;
}
bool isDated(const Scalar& s) { return s.kind == ValueKind::date || s.kind == ValueKind::dateTime; }

void adapt(Scalar& a, Scalar& b) {
    auto one = [](Scalar& x, const Scalar& y) {
        if (!x.loose || !textAs(x, y)) return;
        x.loose = false;
        x.kind = y.kind;
    };
    if (a.loose && !b.loose) one(a, b);
    else if (b.loose && !a.loose) one(b, a);
    auto promote = [](const Scalar& x, Scalar& y) {
        if (x.kind != ValueKind::quantity || !isNumber(y)) return;
        y.kind = ValueKind::quantity;
        y.unit = "'1'";
    };
    promote(a, b);
    promote(b, a);
}

/// Complex values: the same children, by name and in order among those of one name, recursively.
bool Evaluator::deepSame(NodeId a, NodeId b, bool alike) const {
    if (a == b) return true;
    spend(1);
    if (overspent() || tree_[a].kind != tree_[b].kind) return false;
    if (tree_[a].first_child == formats::kNoNode && tree_[b].first_child == formats::kNoNode) {
        const Value x = Value::ofNode(a), y = Value::ofNode(b);
        return tree_[a].kind == formats::NodeKind::object || (alike ? this->alike(x, y) : same(x, y) == Tri::yes);
    }
    if (tree_[a].text != tree_[b].text) return false;
    auto next = [&](NodeId from, std::string_view name) {
        while (from != formats::kNoNode && tree_[from].name != name) from = tree_[from].next_sibling;
        return from;
    };
    std::size_t left = 0, right = 0;
    for (NodeId x = tree_[a].first_child; x != formats::kNoNode; x = tree_[x].next_sibling) ++left;
    for (NodeId y = tree_[b].first_child; y != formats::kNoNode; y = tree_[y].next_sibling) ++right;
    if (left != right) return false;
    NodeId y = formats::kNoNode;
    std::string_view name;
    for (NodeId x = tree_[a].first_child; x != formats::kNoNode; x = tree_[x].next_sibling) {
        const bool more = y != formats::kNoNode && tree_[x].name == name;
        name = tree_[x].name;
        y = next(more ? tree_[y].next_sibling : tree_[b].first_child, name);
        if (y == formats::kNoNode || !deepSame(x, y, alike)) return false;
    }
    return true;
}

Tri Evaluator::same(const Value& va, const Value& vb) const {
    Scalar a = scalar(va), b = scalar(vb);
    if (a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object) {
        // Two texts of FHIR may be dates.
        if (a.text == b.text || !a.loose || !b.loose || tree_.dialect() != formats::Dialect::fhir)
            return tri(a.text == b.text);
    }
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) return sameQuantity(a, b);
    if (va.isNode() && vb.isNode() && a.object && b.object) return tri(deepSame(va.node, vb.node, false));
    sharpen(va, a);
    sharpen(vb, b);
    adapt(a, b);
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) return sameQuantity(a, b);
    if (a.object || b.object) return tri(a.kind == ValueKind::parts && b.kind == a.kind && a.text == b.text);
    if (isNumber(a) && isNumber(b)) {
        if (a.text == b.text) return Tri::yes;
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        if (!x || !y) return Tri::no;
        auto c = compare(*x, *y);
        return c ? tri(*c == 0) : Tri::no;
    }
    if (moments(a, b)) {
        if (a.text == b.text) return Tri::yes;
        auto x = moment(a), y = moment(b);
        if (!x || !y) return Tri::no;
        auto c = compare(*x, *y);
        return c ? tri(*c == 0) : Tri::unknown;
    }
    return tri(a.kind == b.kind && a.text == b.text && a.unit == b.unit);
}

Tri Evaluator::sameQuantity(const Scalar& a, const Scalar& b) const {
    auto p = commensurable(a, b);
    if (!p) return Tri::unknown;
    auto c = compare(p->first, p->second);
    return c ? tri(*c == 0) : Tri::no;
}

bool Evaluator::alike(const Value& va, const Value& vb) const {
    Scalar a = scalar(va), b = scalar(vb);
    if (!(a.loose && b.loose)) {
        sharpen(va, a);
        sharpen(vb, b);
    }
    adapt(a, b);
    if (isNumber(a) && isNumber(b)) {
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        return x && y && sameRounded(*x, *y);
    }
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) {
        auto p = commensurable(a, b, true);
        return p && sameRounded(p->first, p->second);
    }
    if (a.kind == ValueKind::string && b.kind == ValueKind::string && !a.object && !b.object)
        return a.text == b.text || folded(a.text) == folded(b.text);
    if (va.isNode() && vb.isNode() && a.object && b.object) return deepSame(va.node, vb.node, true);
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
        for (; i < b.size() && !overspent() && (used[i] || !alike(v, b[i])); ++i) spend(1);
        if (i == b.size() || overspent()) return false;
        used[i] = true;
    }
    return true;
}

bool Evaluator::order(const AstNode& n, const Value& va, const Value& vb, std::optional<int>& out) {
    Scalar a = scalar(va), b = scalar(vb);
    sharpen(va, a);
    sharpen(vb, b);
    adapt(a, b);
    out.reset();
    if (a.kind == ValueKind::quantity && b.kind == ValueKind::quantity) {
        if (auto p = commensurable(a, b)) out = compare(p->first, p->second);
        return true;
    }
    if (a.object || b.object) return raise(n, "an object cannot be ordered");
    if (isNumber(a) && isNumber(b)) {
        auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
        if (!x || !y) return raise(n, "a number is too large");
        out = compare(*x, *y);
        return true;
    }
    if (moments(a, b)) {
        auto x = moment(a), y = moment(b);
        if (!x || !y) return raise(n, "a date is none");
        out = compare(*x, *y);
        return true;
    }
    if (a.kind != ValueKind::string || b.kind != ValueKind::string)
        return raise(n, "different types cannot be ordered");
    int c = a.text.compare(b.text);
    out = c < 0 ? -1 : c > 0 ? 1 : 0;
    return true;
}

/// As `holds` for strings alone: equal to a string is only a string, or a text without a type.
bool Evaluator::oneOf(const Constant& strings, const Value& v) const {
    const Scalar s = scalar(v);
    if (s.object || s.kind != ValueKind::string) return false;
    for (const Value& x : strings.values)
        if (x.text == s.text) return true;
    return false;
}

bool Evaluator::holds(const Collection& c, const Value& v) const {
    for (const Value& x : c) {
        spend(1);
        if (overspent() || same(x, v) == Tri::yes) return true;
    }
    return false;
}

void Evaluator::distinct(const Collection& in, Collection& out) const {
    const std::size_t before = out.size();
    for (const Value& v : in) {
        bool seen = false;
        for (std::size_t i = before; i < out.size() && !seen; ++i) seen = same(out[i], v) == Tri::yes;
        spend(out.size() - before);
        if (overspent()) return;
        if (!seen) out.push_back(v);
    }
}

}  // namespace porta::fhirpath
