#include "fhirpath/quantity.h"

#include "fhirpath/ucum.h"

namespace porta::fhirpath {
namespace {

/// A calendar word, its definite duration in UCUM, and what it is in days where that is no definite one.
struct Word {
    std::string_view calendar, ucum;
    int days = 0, months = 0;
};
constexpr Word kWords[] = {{"year", "a", 365, 12}, {"month", "mo", 30, 1}, {"week", "wk"},  {"day", "d"},
                           {"hour", "h"},          {"minute", "min"},      {"second", "s"}, {"millisecond", "ms"}};

const Word* word(std::string_view unit) {
    for (const Word& w : kWords)
        if (w.calendar == unit) return &w;
    return nullptr;
}

/// A unit as a factor; a calendar year or month as its days, but definite when `alike`.
std::optional<UcumUnit> factor(std::string_view unit, bool alike) {
    const Word* w = word(unit);
    if (w == nullptr) return ucumUnit(unit);
    if (w->days == 0 || alike) return ucumUnit(w->ucum);
    auto day = ucumUnit("d");
    day->numerator *= w->days;
    return day;
}

bool indefinite(std::string_view unit) {
    const Word* w = word(unit);
    return w != nullptr && w->days > 0;
}

/// a > b.
bool coarser(const UcumUnit& a, const UcumUnit& b) {
    auto one = ucumConvert(Decimal{1, 0}, a, b);
    return one && compare(*one, Decimal{1, 0}).value_or(0) > 0;
}

}  // namespace

std::string_view bareUnit(std::string_view u) {
    if (u.size() >= 2 && u.front() == '\'') u = u.substr(1, u.size() - 2);
    if (u.size() > 3 && u.back() == 's' && word(u.substr(0, u.size() - 1)) != nullptr) u.remove_suffix(1);
    return u;
}

bool calendarUnit(std::string_view unit) { return word(bareUnit(unit)) != nullptr; }

std::optional<std::pair<Decimal, Decimal>> commensurable(const Scalar& a, const Scalar& b, bool alike) {
    auto x = Decimal::parse(a.text, true), y = Decimal::parse(b.text, true);
    if (!x || !y) return std::nullopt;
    const std::string_view u = bareUnit(a.unit), v = bareUnit(b.unit);
    if (u == v) return std::make_pair(*x, *y);
    const Word *p = word(u), *q = word(v);
    if (p != nullptr && q != nullptr && p->months > 0 && q->months > 0) {  // years and months
        auto m = multiply(*x, Decimal::of(p->months)), k = multiply(*y, Decimal::of(q->months));
        if (alike && m && k) m = divide(*m, Decimal::of(12)), k = divide(*k, Decimal::of(12));
        return m && k ? std::optional(std::make_pair(*m, *k)) : std::nullopt;
    }
    const bool mixed = (p == nullptr) != (q == nullptr);
    if (mixed && !alike && (indefinite(u) || indefinite(v))) return std::nullopt;
    auto f = factor(u, mixed), g = factor(v, mixed);
    if (!f || !g) return std::nullopt;
    if (coarser(*f, *g)) {
        auto k = ucumConvert(*y, *g, *f);
        return k ? std::optional(std::make_pair(*x, *k)) : std::nullopt;
    }
    auto m = ucumConvert(*x, *f, *g);
    return m ? std::optional(std::make_pair(*m, *y)) : std::nullopt;
}

bool comparableUnits(std::string_view a, std::string_view b) {
    return commensurable(Scalar{ValueKind::quantity, false, false, "1", a},
                         Scalar{ValueKind::quantity, false, false, "1", b})
        .has_value();
}

std::optional<Decimal> convertedUnit(const Decimal& value, std::string_view from, std::string_view to) {
    const std::string_view u = bareUnit(from), v = bareUnit(to);
    if (u == v) return value;
    const Word *p = word(u), *q = word(v);
    // Between the calendar and UCUM: within the source's own system first, then its unit becomes the other's.
    for (const Word& w : kWords) {
        if (p != nullptr && q == nullptr && w.ucum == v) return convertedUnit(value, u, w.calendar);
        if (p == nullptr && q != nullptr && w.calendar == v) return convertedUnit(value, u, w.ucum);
    }
    if (p != nullptr && q != nullptr && p->months > 0 && q->months > 0) {
        auto months = multiply(value, Decimal::of(p->months));
        return months ? divide(*months, Decimal::of(q->months)) : months;
    }
    auto f = factor(u, false), g = factor(v, false);
    auto made = f && g ? ucumConvert(value, *f, *g) : std::nullopt;
    return made ? std::optional(made->trimmed()) : made;
}

}  // namespace porta::fhirpath
