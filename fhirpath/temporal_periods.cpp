// Periods between two moments, and texts by format codes.
#include <algorithm>

#include "fhirpath/temporal.h"

namespace porta::fhirpath {
namespace {

constexpr std::int64_t kDay = 86400000000LL;

std::int64_t floorDiv(std::int64_t a, std::int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }

struct Unit {
    std::string_view name;
    Temporal::Precision needs;
    std::int64_t micros;  ///< 0: counted in months
};
constexpr Unit kUnits[] = {{"year", Temporal::year, 0},
                           {"month", Temporal::month, 0},
                           {"week", Temporal::day, 7 * kDay},
                           {"day", Temporal::day, kDay},
                           {"hour", Temporal::hour, 3600000000LL},
                           {"minute", Temporal::minute, 60000000LL},
                           {"second", Temporal::second, 1000000},
                           {"millisecond", Temporal::second, 1000}};

/// Reads `least` to `most` digits at `at`.
bool digits(std::string_view s, std::size_t& at, std::size_t least, std::size_t most, int& out) {
    std::size_t n = 0;
    for (out = 0; n < most && at < s.size() && s[at] >= '0' && s[at] <= '9'; ++n, ++at) out = out * 10 + (s[at] - '0');
    return n >= least;
}

}  // namespace

std::int64_t localMicros(const Temporal& t) {
    Temporal local = t;
    local.offset_minutes.reset();
    return instantMicros(local);
}

std::optional<std::int64_t> periodsBetween(const Temporal& a, const Temporal& b, std::string_view name,
                                           bool difference) {
    if (name.size() > 3 && name.ends_with('s')) name.remove_suffix(1);
    const Unit* unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == name; });
    if (unit == std::end(kUnits) || a.is_time != b.is_time || (a.is_time && unit->needs < Temporal::hour))
        return std::nullopt;
    if (a.precision < unit->needs || b.precision < unit->needs) return std::nullopt;
    // Offsets count for what is finer than a day.
    const bool offsets = unit->needs >= Temporal::hour && a.offset_minutes && b.offset_minutes;
    const std::int64_t from = offsets ? instantMicros(a) : localMicros(a),
                       to = offsets ? instantMicros(b) : localMicros(b);
    if (unit->micros == 0) {
        std::int64_t months = (b.y - a.y) * 12LL + (b.mo - a.mo);
        if (difference) return unit->needs == Temporal::year ? b.y - a.y : months;
        // Not yet a whole month when the day and the clock have not come as far.
        const std::int64_t x = localMicros(a) - daysFromCivil(a.y, a.mo, 1) * kDay,
                           y = localMicros(b) - daysFromCivil(b.y, b.mo, 1) * kDay;
        if (months > 0 && y < x) --months;
        if (months < 0 && y > x) ++months;
        return unit->needs == Temporal::year ? months / 12 : months;
    }
    if (!difference) return (to - from) / unit->micros;
    // 1970-01-01 was a Thursday; weeks begin on Sunday.
    const std::int64_t shift = unit->name == "week" ? 4 * kDay : 0;
    return floorDiv(to + shift, unit->micros) - floorDiv(from + shift, unit->micros);
}

std::optional<std::string> parseByFormat(std::string_view s, std::string_view format) {
    Temporal t;
    bool year = false, month = false, day = false, half = false, pm = false;
    std::size_t at = 0;
    for (std::size_t i = 0; i < format.size();) {
        const char code = format[i];
        std::size_t run = i;
        while (run < format.size() && format[run] == code) ++run;
        const std::size_t n = run - i;
        const std::size_t least = n >= 2 ? 2 : 1;
        int value = 0;
        bool ok = true;
        auto reaches = [&](Temporal::Precision p) { t.precision = std::max(t.precision, p); };
        switch (code) {
            case 'y':
                ok = digits(s, at, n == 4 ? 4 : 2, n == 4 ? 4 : 2, value) && (n == 2 || n == 4);
                t.y = n == 2 ? value + (value < 50 ? 2000 : 1900) : value;
                year = true;
                break;
            case 'M':
                ok = n <= 2 && digits(s, at, least, 2, t.mo);
                month = true;
                break;
            case 'd':
                ok = n <= 2 && digits(s, at, least, 2, t.d);
                day = true;
                break;
            case 'H':
                ok = n <= 2 && digits(s, at, least, 2, t.h) && t.h < 24;
                reaches(Temporal::hour);
                break;
            case 'h':
                ok = n <= 2 && digits(s, at, least, 2, t.h) && t.h >= 1 && t.h <= 12;
                half = true;
                reaches(Temporal::hour);
                break;
            case 'm':
                ok = n <= 2 && digits(s, at, least, 2, t.mi) && t.mi < 60;
                reaches(Temporal::minute);
                break;
            case 's':
                ok = n <= 2 && digits(s, at, least, 2, value) && value < 60;
                t.micros += value * 1000000LL;
                reaches(Temporal::second);
                break;
            case 'S': {
                const std::size_t first = at;
                ok = n <= 6 && digits(s, at, n, n, value);
                for (std::size_t k = at - first; k < 6; ++k) value *= 10;
                t.micros += value;
                t.fraction_digits = static_cast<int>(n);
                break;
            }
            case 'a': {
                const char c = at < s.size() ? static_cast<char>(s[at] | 0x20) : ' ';
                ok = c == 'a' || c == 'p';
                pm = c == 'p';
                ++at;
                if (at < s.size() && (s[at] | 0x20) == 'm') ++at;
                break;
            }
            case 'Z': {
                if (at < s.size() && s[at] == 'Z') {
                    ++at;
                    t.offset_minutes = 0;
                    break;
                }
                const char sign = at < s.size() ? s[at++] : ' ';
                int hours = 0, minutes = 0;
                ok = (sign == '+' || sign == '-') && digits(s, at, 2, 2, hours);
                if (ok && at < s.size() && s[at] == ':') ++at;
                ok = ok && digits(s, at, 2, 2, minutes) && hours <= 14 && minutes < 60;
                t.offset_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
                break;
            }
            default: ok = s.substr(at, n) == format.substr(i, n); at += n;
        }
        if (!ok) return std::nullopt;
        i = run;
    }
    if (at != s.size() || !year || (day && !month)) return std::nullopt;
    if (half) t.h = t.h % 12 + (pm ? 12 : 0);
    if (t.precision >= Temporal::hour) {
        if (!day) return std::nullopt;
        t.has_t = true;
    } else {
        t.precision = day ? Temporal::day : month ? Temporal::month : Temporal::year;
    }
    const std::string text = t.text();
    return Temporal::parseDate(text) ? std::optional(text) : std::nullopt;
}

}  // namespace porta::fhirpath
