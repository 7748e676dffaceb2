#pragma once
/// Dates and instants that keep the precision of their source. No clock and no locale here; time zones by ICU.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace porta {

/// `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a date-time with minutes, seconds or fractions, with or without an offset.
struct PartialDateTime {
    int year = 0, month = 0, day = 0;         ///< 0: not given
    int hour = -1, minute = -1, second = -1;  ///< -1: not given
    int micros = -1;
    std::optional<int> offset_minutes;  ///< Z is 0
};

/// ISO 8601 as FHIR and XML Schema use it. Errors: malformed.
Result<PartialDateTime> parseIso(std::string_view text);
/// HL7 v2 DTM (chapter 2A): YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ].
Result<PartialDateTime> parseHl7(std::string_view text);
/// A pattern of `yyyy MM dd HH mm ss` and literal separators, e.g. `dd/MM/yyyy`.
Result<PartialDateTime> parsePattern(std::string_view text, std::string_view pattern);
/// Canonical ISO text in the precision given.
std::string toIso(const PartialDateTime& value);
/// The same, written behind a text that is already there.
void appendIso(std::string& out, const PartialDateTime& value);
/// Microseconds since 1970 UTC of the first moment that the value can mean. Without an offset the zone (IANA name,
/// empty = UTC) decides.
Result<std::int64_t> firstInstant(const PartialDateTime& value, std::string_view zone = {});
/// `2024-05-01T10:00:00Z` (fraction only when not zero).
std::string isoInstant(std::int64_t micros_since_epoch);

}  // namespace porta
