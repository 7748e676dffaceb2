#include "fhirpath/temporal.h"

#include <algorithm>

namespace porta::fhirpath {
namespace {

bool number(std::string_view text, std::size_t at, int digits, int& out) {
    if (at + static_cast<std::size_t>(digits) > text.size()) return false;
    out = 0;
    for (int i = 0; i < digits; ++i) {
        char c = text[at + static_cast<std::size_t>(i)];
        if (c < '0' || c > '9') return false;
        out = out * 10 + (c - '0');
    }
    return true;
}

/// hh[:mm[:ss[.fff]]] from `at`; returns the end, or npos when it is none.
std::size_t clock(std::string_view s, std::size_t at, Temporal& t) {
    constexpr auto npos = std::string_view::npos;
    if (!number(s, at, 2, t.h) || t.h > 23) return npos;
    at += 2;
    t.precision = Temporal::hour;
    if (at >= s.size() || s[at] != ':') return at;
    if (!number(s, at + 1, 2, t.mi) || t.mi > 59) return npos;
    at += 3;
    t.precision = Temporal::minute;
    if (at >= s.size() || s[at] != ':') return at;
    int sec = 0;
    if (!number(s, at + 1, 2, sec) || sec > 59) return npos;
    at += 3;
    t.precision = Temporal::second;
    t.micros = sec * 1000000LL;
    if (at >= s.size() || s[at] != '.') return at;
    std::int64_t unit = 100000;
    std::size_t start = ++at;
    for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, unit /= 10) t.micros += (s[at] - '0') * unit;
    t.fraction_digits = static_cast<int>(at - start);
    return t.fraction_digits == 0 ? npos : at;
}

void civil(std::int64_t z, int& y, int& m, int& d) {  // days since 1970-01-01, proleptic Gregorian
    z += 719468;
    std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    auto doe = static_cast<unsigned>(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    d = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    m = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    y = static_cast<int>(yoe + era * 400) + (m <= 2);
}

constexpr std::int64_t kDay = 86400000000LL;

std::int64_t instant(const Temporal& t) { return instantMicros(t); }

void pad(std::string& out, std::int64_t n, int width) {
    std::string s = std::to_string(n);
    while (static_cast<int>(s.size()) < width) s.insert(s.begin(), '0');
    out += s;
}

void setInstant(Temporal& t, std::int64_t total) {
    std::int64_t days = total / kDay, rest = total % kDay;
    if (rest < 0) {
        rest += kDay;
        --days;
    }
    if (!t.is_time) civil(days, t.y, t.mo, t.d);
    t.h = static_cast<int>(rest / 3600000000LL);
    t.mi = static_cast<int>(rest / 60000000LL % 60);
    t.micros = rest % 60000000LL;
}

}  // namespace

std::int64_t instantMicros(const Temporal& t) {
    std::int64_t days = t.is_time ? 0 : daysFromCivil(t.y, t.mo, t.d);
    return days * kDay + (t.h * 60LL + t.mi - t.offset_minutes.value_or(0)) * 60000000LL + t.micros;
}

std::int64_t daysFromCivil(int y, int m, int d) {
    y -= m <= 2;
    std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    auto yoe = static_cast<unsigned>(y - era * 400);
    unsigned doy = static_cast<unsigned>((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1);
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

int daysInMonth(int y, int m) {
    if (m == 2) return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 29 : 28;
    return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
}

std::optional<Temporal> Temporal::parseTime(std::string_view s) {
    Temporal t;
    t.is_time = true;
    if (!s.empty() && s[0] == 'T') s.remove_prefix(1);
    if (clock(s, 0, t) != s.size()) return std::nullopt;
    return t;
}

std::optional<Temporal> Temporal::parseDate(std::string_view s) {
    Temporal t;
    if (!number(s, 0, 4, t.y) || t.y == 0) return std::nullopt;
    std::size_t at = 4;
    if (at < s.size() && s[at] == '-') {
        if (!number(s, at + 1, 2, t.mo) || t.mo < 1 || t.mo > 12) return std::nullopt;
        at += 3;
        t.precision = month;
        if (at < s.size() && s[at] == '-') {
            if (!number(s, at + 1, 2, t.d) || t.d < 1 || t.d > daysInMonth(t.y, t.mo)) return std::nullopt;
            at += 3;
            t.precision = day;
        }
    }
    if (at == s.size()) return t;
    if (s[at] != 'T') return std::nullopt;
    t.has_t = true;
    if (++at == s.size()) return t;
    if (t.precision != day) return std::nullopt;
    at = clock(s, at, t);
    if (at == std::string_view::npos) return std::nullopt;
    if (at == s.size()) return t;
    if (s[at] == 'Z' && at + 1 == s.size()) {
        t.offset_minutes = 0;
        return t;
    }
    int oh = 0, om = 0;
    if ((s[at] != '+' && s[at] != '-') || s.size() != at + 6 || s[at + 3] != ':' || !number(s, at + 1, 2, oh) ||
        !number(s, at + 4, 2, om) || oh > 14 || om > 59)
        return std::nullopt;
    t.offset_minutes = (s[at] == '-' ? -1 : 1) * (oh * 60 + om);
    return t;
}

std::string Temporal::text() const {
    std::string out;
    if (!is_time) {
        pad(out, y, 4);
        if (precision >= month) pad(out += '-', mo, 2);
        if (precision >= day) pad(out += '-', d, 2);
        if (has_t) out += 'T';
    }
    if (precision >= hour) pad(out, h, 2);
    if (precision >= minute) pad(out += ':', mi, 2);
    if (precision >= second) {
        pad(out += ':', micros / 1000000, 2);
        if (fraction_digits > 0) {
            std::string f;
            pad(f, micros % 1000000, 6);
            f.resize(static_cast<std::size_t>(std::min(fraction_digits, 6)));
            out += '.' + f;
        }
    }
    if (offset_minutes) {
        int o = *offset_minutes;
        if (o == 0) return out + 'Z';
        out += o < 0 ? '-' : '+';
        o = std::abs(o);
        pad(out, o / 60, 2);
        pad(out += ':', o % 60, 2);
    }
    return out;
}

std::optional<int> compare(const Temporal& a, const Temporal& b) {
    bool clocks = a.precision >= Temporal::hour && b.precision >= Temporal::hour;
    if (clocks && !a.is_time && a.offset_minutes.has_value() != b.offset_minutes.has_value()) {
        // A missing offset can shift the other by at most 14 hours either way.
        std::int64_t x = instant(a), y = instant(b), slack = 14 * 3600000000LL;
        if (x + slack < y) return -1;
        if (y + slack < x) return 1;
        return std::nullopt;
    }
    Temporal x = a, y = b;
    if (clocks && a.offset_minutes && a.offset_minutes != b.offset_minutes) {
        setInstant(x, instant(a));
        setInstant(y, instant(b));
    }
    const std::int64_t xs[] = {x.y, x.mo, x.d, x.h, x.mi, x.micros}, ys[] = {y.y, y.mo, y.d, y.h, y.mi, y.micros};
    for (int p = a.is_time ? Temporal::hour : Temporal::year; p <= Temporal::second; ++p) {
        bool in_a = p <= a.precision, in_b = p <= b.precision;
        if (!in_a && !in_b) return 0;
        if (in_a != in_b) return std::nullopt;
        if (xs[p] != ys[p]) return xs[p] < ys[p] ? -1 : 1;
    }
    return 0;
}

std::optional<Temporal> addAmount(const Temporal& a, std::int64_t n, std::string_view unit) {
    if (unit.size() > 3 && unit.back() == 's') unit.remove_suffix(1);
    Temporal t = a;
    if (n > 100000000000LL || n < -100000000000LL) return std::nullopt;
    auto months = [&](std::int64_t count) -> std::optional<Temporal> {
        if (t.is_time) return std::nullopt;
        std::int64_t total = t.y * 12LL + (t.mo - 1) + count;
        if (t.precision == Temporal::year) total = (t.y + count / 12) * 12LL + t.mo - 1;
        if (total < 12 || total >= 120000) return std::nullopt;
        t.y = static_cast<int>(total / 12);
        t.mo = static_cast<int>(total % 12) + 1;
        t.d = std::min(t.d, daysInMonth(t.y, t.mo));
        return t;
    };
    auto shift = [&](std::int64_t micros, std::int64_t per) -> std::optional<Temporal> {
        std::int64_t total = 0;
        if (__builtin_mul_overflow(micros, per, &total)) return std::nullopt;
        Temporal local = t;
        local.offset_minutes.reset();
        if (__builtin_add_overflow(total, instant(local), &total)) return std::nullopt;
        if (t.is_time) total = (total % kDay + kDay) % kDay;
        else if (total < daysFromCivil(1, 1, 1) * kDay || total >= daysFromCivil(10000, 1, 1) * kDay)
            return std::nullopt;
        setInstant(t, total);
        return t;
    };
    if (unit == "year" || unit == "a") return months(n * 12);
    if (unit == "month" || unit == "mo") return months(n);
    std::int64_t per = 0;
    if (unit == "week" || unit == "wk") per = 7 * kDay;
    else if (unit == "day" || unit == "d") per = kDay;
    else if (unit == "hour" || unit == "h") per = 3600000000LL;
    else if (unit == "minute" || unit == "min") per = 60000000LL;
    else if (unit == "second" || unit == "s") per = 1000000;
    else if (unit == "millisecond" || unit == "ms") per = 1000;
    else return std::nullopt;
    if (t.precision == Temporal::year) {
        std::int64_t days = per >= kDay ? n * (per / kDay) : n / (kDay / per);
        return months(days / 365 * 12);
    }
    if (t.precision == Temporal::month) {
        std::int64_t days = per >= kDay ? n * (per / kDay) : n / (kDay / per);
        return months(days / 30);
    }
    if (t.precision == Temporal::day && per < kDay) return shift(n / (kDay / per), kDay);
    return shift(n, per);
}

std::optional<std::string> boundary(const Temporal& a, bool low, int digits) {
    Temporal t = a;
    if (a.precision < Temporal::month && !a.is_time) t.mo = low ? 1 : 12;
    if (a.precision < Temporal::day && !a.is_time) t.d = low ? 1 : daysInMonth(t.y, t.mo);
    if (a.precision < Temporal::hour) t.h = low ? 0 : 23;
    if (a.precision < Temporal::minute) t.mi = low ? 0 : 59;
    if (a.precision < Temporal::second) t.micros = low ? 0 : 59999000;
    else if (a.fraction_digits == 0 && !low) t.micros += 999000;
    const int date_digits[] = {4, 6, 8, 10, 12, 17}, time_digits[] = {0, 0, 0, 2, 4, 9};
    const int* table = a.is_time ? time_digits : date_digits;
    for (int p = a.is_time ? Temporal::hour : Temporal::year; p <= Temporal::second; ++p) {
        if (table[p] != digits) continue;
        t.precision = static_cast<Temporal::Precision>(p);
        t.has_t = !a.is_time && p >= Temporal::hour;
        t.fraction_digits = p == Temporal::second ? 3 : 0;
        if (p < Temporal::hour) t.offset_minutes.reset();
        else if (!a.is_time && !a.offset_minutes) t.offset_minutes = low ? 14 * 60 : -12 * 60;
        return t.text();
    }
    return std::nullopt;
}

}  // namespace porta::fhirpath
