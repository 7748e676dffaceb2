// Parts of dates and times, periods between them, the clock (3.0 ballot, "Extract Date/DateTime/Time components").
#include "base/date_time.h"
#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

std::string clockText(Fn fn, std::int64_t micros) {
    std::string iso = isoInstant(micros / 1000 * 1000);
    return fn == Fn::now ? iso : fn == Fn::today ? iso.substr(0, 10) : iso.substr(11, iso.size() - 12);
}

bool Evaluator::between(const AstNode& n, const Frame& f, const Collection& focus, const Temporal& a, Collection& out) {
    Collection other, from;
    std::optional<std::string_view> unit;
    if (!argument(n, 0, f, other) || !single(n, other) || !textArgument(n, 1, f, unit, from)) return false;
    if (other.empty() || !unit) return true;
    const Scalar s = exact(other[0]);
    auto b = s.kind == ValueKind::time ? Temporal::parseTime(s.text) : Temporal::parseDate(s.text);
    if (!b || b->is_time != a.is_time) return raise(n, "two dates or two times expected");
    if (auto count = periodsBetween(a, *b, *unit, n.fn == Fn::difference))
        give(out, made(ValueKind::integer, std::to_string(*count)), focus, other);
    return true;
}

bool Evaluator::dateFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    if (n.fn == Fn::now || n.fn == Fn::today || n.fn == Fn::time_of_day) {
        if (clock_ == 0)
            clock_ = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
        out.push_back(made(n.fn == Fn::now     ? ValueKind::dateTime
                           : n.fn == Fn::today ? ValueKind::date
                                               : ValueKind::time,
                           clockText(n.fn, clock_)));
        return true;
    }
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    const Scalar s = exact(focus[0]);
    std::optional<Temporal> t;
    if (s.kind == ValueKind::time) t = Temporal::parseTime(s.text);
    else if (isDated(s) || s.loose) t = Temporal::parseDate(s.text);
    const bool interval = n.fn == Fn::duration || n.fn == Fn::difference;
    if (!t) return !interval || raise(n, "a date or a time expected");
    if (interval) return between(n, f, focus, *t, out);
    auto number = [&](Temporal::Precision needs, std::int64_t value) {
        if (t->precision >= needs && (needs >= Temporal::hour || !t->is_time))
            give(out, made(ValueKind::integer, std::to_string(value)), focus);
        return true;
    };
    const std::size_t clock = s.text.find('T');
    switch (n.fn) {
        case Fn::year_of: return number(Temporal::year, t->y);
        case Fn::month_of: return number(Temporal::month, t->mo);
        case Fn::day_of: return number(Temporal::day, t->d);
        case Fn::hour_of: return number(Temporal::hour, t->h);
        case Fn::minute_of: return number(Temporal::minute, t->mi);
        case Fn::second_of: return number(Temporal::second, t->micros / 1000000);
        case Fn::millisecond_of: return t->fraction_digits == 0 || number(Temporal::second, t->micros % 1000000 / 1000);
        case Fn::timezone_offset_of: {
            auto hours = t->offset_minutes ? divide(Decimal::of(*t->offset_minutes), Decimal::of(60)) : std::nullopt;
            if (!hours) return true;
            if (hours->scale == 0) hours = hours->rounded(1);
            give(out, made(ValueKind::decimal, hours->text()), focus);
            return true;
        }
        case Fn::date_of:
            if (!t->is_time) give(out, made(ValueKind::date, s.text.substr(0, clock)), focus);
            return true;
        default: {  // timeOf()
            if (t->is_time || t->precision < Temporal::hour) return true;
            const std::string_view time = s.text.substr(clock + 1);
            give(out, made(ValueKind::time, time.substr(0, time.find_first_of("Z+-"))), focus);
            return true;
        }
    }
}

}  // namespace porta::fhirpath
