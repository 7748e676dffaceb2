#include "base/date_time.h"

#include <unicode/basictz.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace porta {

namespace {

int daysIn(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

Error malformedDate() {
    return fail(Errc::malformed, "a date or time of the expected form and a real day is expected", "date.form");
}

bool valid(const PartialDateTime& d) {
    if (d.year < 1 || d.year > 9999 || d.month < 0 || d.month > 12) return false;
    if (d.day && (!d.month || d.day > daysIn(d.year, d.month))) return false;
    if (d.hour > 24 || d.minute > 59 || d.second > 60) return false;
    if (d.hour == 24 && (d.minute > 0 || d.second > 0)) return false;
    return true;
}

struct Scanner {
    std::string_view rest;
    /// Exactly `n` digits, or -1.
    int digits(std::size_t n) {
        if (rest.size() < n) return -1;
        int value = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (rest[i] < '0' || rest[i] > '9') return -1;
            value = value * 10 + (rest[i] - '0');
        }
        rest.remove_prefix(n);
        return value;
    }
    bool take(char c) {
        if (rest.empty() || rest[0] != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    bool fraction(int& micros) {
        std::size_t n = 0;
        int value = 0;
        while (n < rest.size() && rest[n] >= '0' && rest[n] <= '9') {
            if (n < 6) value = value * 10 + (rest[n] - '0');
            ++n;
        }
        if (!n) return false;
        for (std::size_t i = n; i < 6; ++i) value *= 10;
        rest.remove_prefix(n);
        micros = value;
        return true;
    }
};

/// Days since 1970-01-01 of a civil date (proleptic Gregorian).
std::int64_t daysSinceEpoch(int y, int m, int d) {
    std::int64_t year = m <= 2 ? y - 1 : y;
    std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    std::int64_t yoe = year - era * 400;
    std::int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/// Writes so many digits; behind them.
char* padded(char* at, int value, int width) {
    auto rest = static_cast<unsigned>(value);
    for (int i = width; i-- > 0; rest /= 10) at[i] = static_cast<char>('0' + rest % 10);
    return at + width;
}

constexpr std::int64_t kDay = 86400000;

/// A zone's offsets, remembered by local day where no change is near: ICU searches its tables at each question.
class Zone {
public:
    explicit Zone(std::unique_ptr<icu::BasicTimeZone> rules) : rules_(std::move(rules)), days_(kDays) {}

    /// Milliseconds east of UTC at a local time; an ambiguous one is the earlier.
    Result<std::int64_t> offset(std::int64_t local_millis) {
        const std::int64_t day = local_millis / kDay - (local_millis % kDay < 0);
        Day& known = days_[static_cast<std::size_t>(day) % kDays];
        if (known.day == day && known.quiet) return known.offset;
        std::int32_t raw = 0, dst = 0;
        UErrorCode status = U_ZERO_ERROR;
        rules_->getOffsetFromLocal(static_cast<UDate>(local_millis), UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, raw,
                                   dst, status);
        if (U_FAILURE(status)) return fail(Errc::internal, "the time zone has no answer for this time", "time_zone");
        const std::int64_t found = std::int64_t{raw} + dst;
        if (known.day != day) known = {day, quiet(day), found};
        return found;
    }

private:
    struct Day {
        std::int64_t day = INT64_MIN;
        bool quiet = false;
        std::int64_t offset = 0;
    };
    static constexpr std::size_t kDays = 1024;
    std::unique_ptr<icu::BasicTimeZone> rules_;
    std::vector<Day> days_;

    /// No change of the offset from a day before this one to a day after it.
    bool quiet(std::int64_t day) const {
        icu::TimeZoneTransition next;
        const auto from = static_cast<UDate>((day - 1) * kDay), to = static_cast<UDate>((day + 2) * kDay);
        return !rules_->getNextTransition(from, true, next) || next.getTime() > to;
    }
};

Result<std::int64_t> zoneOffset(std::string_view zone, std::int64_t local_millis) {
    static thread_local std::map<std::string, Zone, std::less<>> zones;
    static thread_local std::pair<std::string_view, Zone*> last;
    if (last.second && last.first == zone) return last.second->offset(local_millis);
    auto it = zones.find(zone);
    if (it == zones.end()) {
        std::unique_ptr<icu::TimeZone> made(
            icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(std::string(zone))));
        auto* basic = *made == icu::TimeZone::getUnknown() ? nullptr : dynamic_cast<icu::BasicTimeZone*>(made.get());
        if (!basic)
            return fail(Errc::misconfigured,
                        "unknown time zone `" + std::string(zone) + "`; an IANA name such as Europe/Rome is expected",
                        "time_zone");
        made.release();
        it = zones.emplace(std::string(zone), Zone(std::unique_ptr<icu::BasicTimeZone>(basic))).first;
    }
    last = {it->first, &it->second};
    return it->second.offset(local_millis);
}

}  // namespace

Result<PartialDateTime> parseIso(std::string_view text) {
    Scanner s{text};
    PartialDateTime d;
    if ((d.year = s.digits(4)) < 0) return malformedDate();
    if (s.take('-')) {
        if ((d.month = s.digits(2)) < 1) return malformedDate();
        if (s.take('-')) {
            if ((d.day = s.digits(2)) < 1) return malformedDate();
            if (s.take('T') || s.take(' ')) {
                if ((d.hour = s.digits(2)) < 0) return malformedDate();
                if (s.take(':')) {
                    if ((d.minute = s.digits(2)) < 0) return malformedDate();
                    if (s.take(':')) {
                        if ((d.second = s.digits(2)) < 0) return malformedDate();
                        if (s.take('.') && !s.fraction(d.micros)) return malformedDate();
                    }
                }
                if (s.take('Z')) d.offset_minutes = 0;
                else if (!s.rest.empty() && (s.rest[0] == '+' || s.rest[0] == '-')) {
                    int sign = s.rest[0] == '-' ? -1 : 1;
                    s.rest.remove_prefix(1);
                    int h = s.digits(2);
                    s.take(':');
                    int m = s.rest.empty() ? 0 : s.digits(2);
                    if (h < 0 || h > 14 || m < 0 || m > 59) return malformedDate();
                    d.offset_minutes = sign * (h * 60 + m);
                }
            }
        }
    }
    if (!s.rest.empty() || !valid(d)) return malformedDate();
    return d;
}

Result<PartialDateTime> parseHl7(std::string_view text) {
    Scanner s{text};
    PartialDateTime d;
    auto more = [&] { return !s.rest.empty() && s.rest[0] >= '0' && s.rest[0] <= '9'; };
    if ((d.year = s.digits(4)) < 0) return malformedDate();
    if (more() && (d.month = s.digits(2)) < 1) return malformedDate();
    if (more() && (d.day = s.digits(2)) < 1) return malformedDate();
    if (more() && (d.hour = s.digits(2)) < 0) return malformedDate();
    if (more() && (d.minute = s.digits(2)) < 0) return malformedDate();
    if (more() && (d.second = s.digits(2)) < 0) return malformedDate();
    if (s.take('.') && !s.fraction(d.micros)) return malformedDate();
    if (!s.rest.empty() && (s.rest[0] == '+' || s.rest[0] == '-')) {
        int sign = s.rest[0] == '-' ? -1 : 1;
        s.rest.remove_prefix(1);
        int h = s.digits(2), m = s.digits(2);
        if (h < 0 || h > 14 || m < 0 || m > 59) return malformedDate();
        d.offset_minutes = sign * (h * 60 + m);
    }
    if (!s.rest.empty() || !valid(d)) return malformedDate();
    return d;
}

Result<PartialDateTime> parsePattern(std::string_view text, std::string_view pattern) {
    Scanner s{text};
    PartialDateTime d;
    while (!pattern.empty()) {
        std::size_t n = 1;
        while (n < pattern.size() && pattern[n] == pattern[0]) ++n;
        char c = pattern[0];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter) n = 1;
        pattern.remove_prefix(n);
        if (!letter) {
            if (!s.take(c)) return malformedDate();
            continue;
        }
        int value = s.digits(n);
        if (value < 0) return malformedDate();
        switch (c) {
            case 'y': d.year = value; break;
            case 'M': d.month = value; break;
            case 'd': d.day = value; break;
            case 'H': d.hour = value; break;
            case 'm': d.minute = value; break;
            case 's': d.second = value; break;
            default:
                return fail(Errc::misconfigured, "a date pattern is made of yyyy MM dd HH mm ss and separators",
                            "date.pattern");
        }
    }
    if (!s.rest.empty() || !valid(d)) return malformedDate();
    return d;
}

void appendIso(std::string& out, const PartialDateTime& d) {
    char text[48];
    char* at = d.year > 9999 ? std::to_chars(text, std::end(text), d.year).ptr : padded(text, d.year, 4);
    auto part = [&at](char before, int value) {
        *at = before;
        at = padded(at + 1, value, 2);
    };
    if (d.month) part('-', d.month);
    if (d.month && d.day) {
        part('-', d.day);
        if (d.hour >= 0) {
            part('T', d.hour);
            part(':', std::max(d.minute, 0));
            part(':', std::max(d.second, 0));
            if (d.micros > 0) {
                *at = '.';
                at = padded(at + 1, d.micros, 6);
                while (at[-1] == '0') --at;
            }
            const int offset = d.offset_minutes.value_or(0), size = offset < 0 ? -offset : offset;
            if (offset != 0) {
                part(offset < 0 ? '-' : '+', size / 60);
                part(':', size % 60);
            } else if (d.offset_minutes) {
                *at++ = 'Z';
            }
        }
    }
    out.append(text, at);
}

std::string toIso(const PartialDateTime& d) {
    std::string out;
    if (d.hour >= 0) out.reserve(32);
    appendIso(out, d);
    return out;
}

Result<std::int64_t> firstInstant(const PartialDateTime& d, std::string_view zone) {
    std::int64_t seconds = daysSinceEpoch(d.year, d.month ? d.month : 1, d.day ? d.day : 1) * 86400;
    if (d.hour > 0) seconds += d.hour * 3600;
    if (d.minute > 0) seconds += d.minute * 60;
    if (d.second > 0) seconds += d.second;
    std::int64_t micros = d.micros > 0 ? d.micros : 0;
    if (d.offset_minutes) seconds -= *d.offset_minutes * 60;
    else if (!zone.empty() && zone != "UTC") {
        auto offset = zoneOffset(zone, seconds * 1000);
        if (!offset) return offset.error();
        seconds -= *offset / 1000;
    }
    return seconds * 1000000 + micros;
}

std::string isoInstant(std::int64_t micros_since_epoch) {
    std::int64_t seconds = micros_since_epoch / 1000000, micros = micros_since_epoch % 1000000;
    if (micros < 0) {
        micros += 1000000;
        --seconds;
    }
    std::int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        --days;
    }
    std::int64_t z = days + 719468;
    std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    std::int64_t doe = z - era * 146097;
    std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    std::int64_t mp = (5 * doy + 2) / 153;
    PartialDateTime d;
    d.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    d.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    d.year = static_cast<int>(yoe + era * 400 + (d.month <= 2));
    d.hour = static_cast<int>(rest / 3600);
    d.minute = static_cast<int>(rest / 60 % 60);
    d.second = static_cast<int>(rest % 60);
    d.micros = static_cast<int>(micros);
    d.offset_minutes = 0;
    return toIso(d);
}

}  // namespace porta
