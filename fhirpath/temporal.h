#pragma once
/// Dates, date-times and times of partial precision as FHIRPath defines them (chapter 4.1.4 to 4.1.6), with three-valued
/// comparison. The text stays the value; this is its parsed form.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace porta::fhirpath {

struct Temporal {
    /// Seconds and their fraction are one precision.
    enum Precision : std::uint8_t { year, month, day, hour, minute, second };
    bool is_time = false;  ///< a time of day without a date
    bool has_t = false;    ///< a DateTime rather than a Date
    Precision precision = year;
    int y = 0, mo = 1, d = 1, h = 0, mi = 0;
    std::int64_t micros = 0;  ///< of the minute: seconds and fraction
    int fraction_digits = 0;
    std::optional<int> offset_minutes;

    /// `2015`, `2015-02-04T14:34:28.123+10:00`, `2015T`, or (time) `14:34:28`.
    static std::optional<Temporal> parseDate(std::string_view text);
    static std::optional<Temporal> parseTime(std::string_view text);
    std::string text() const;
};

enum class Tri : std::uint8_t { no, yes, unknown };

/// Sign of a - b, or none when the precision (or a missing offset) leaves it open. The two are both times or both not.
std::optional<int> compare(const Temporal& a, const Temporal& b);
/// Adds a calendar amount; `unit` is `year month week day hour minute second millisecond` (plural and UCUM forms too).
std::optional<Temporal> addAmount(const Temporal& a, std::int64_t amount, std::string_view unit);
/// The first or last moment that the value can mean, in `digits` of precision (4 year, 6 month, 8 day, 17 millisecond;
/// times 2, 4, 6, 9). None when the digits name no precision.
std::optional<std::string> boundary(const Temporal& a, bool low, int digits);

/// Microseconds since 1970 (of a time: since midnight), with the offset taken away or as the clock showed it.
std::int64_t instantMicros(const Temporal& t);
std::int64_t localMicros(const Temporal& t);
/// Whole periods from a to b (`difference`: boundaries crossed), negative when b is earlier; `unit` as for addAmount. None
/// when one is less precise than the unit, or the unit is none of theirs. Source: FHIRPath 3.0 ballot, duration(), difference().
std::optional<std::int64_t> periodsBetween(const Temporal& a, const Temporal& b, std::string_view unit,
                                           bool difference);
/// Text by a pattern of the ballot's format codes (`dd.MM.yyyy HH:mm`) as ISO text; none when it does not follow.
std::optional<std::string> parseByFormat(std::string_view text, std::string_view format);

std::int64_t daysFromCivil(int y, int m, int d);
int daysInMonth(int y, int m);

}  // namespace porta::fhirpath
