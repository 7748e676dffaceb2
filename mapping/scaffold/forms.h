#pragma once
/// Forms of texts in a sample: dates by pattern, numbers, codes, identifiers. Private to mapping/scaffold.
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace porta::mapping {

/// `NULL`, `n/a`, `-`, `0000-00-00`: says that there is nothing.
bool isNothing(std::string_view text);
/// The words of isNothing, as they stand in mappings.
const std::vector<std::string>& nothings();
/// Digits, with a sign, points or commas.
bool isNumber(std::string_view text);
/// The pattern that (almost) all of the values follow: one of `parsePattern`, `iso` for what needs none, `d/M/yyyy` where
/// days and months have one digit or two, a pattern with `yy` for two digits of the year; "" for no date.
std::string datePattern(const std::vector<std::string>& values);
/// The year of a date of that pattern, or 0.
int yearOf(const std::string& value, const std::string& pattern);
/// An expression that makes an ISO date of `path`. `pivot`: two digits of a year above it are of the last century.
std::string dateExpression(const std::string& path, const std::string& pattern, int pivot);
/// A national scheme whose form alone tells it (`IT-CF`, `ES-DNI`), or "".
std::string identifierScheme(const std::vector<std::string>& values);
/// Share of the values for which `is` holds.
template <typename Is>
double share(const std::vector<std::string>& values, Is is) {
    std::size_t n = 0;
    for (const std::string& v : values) n += is(v) ? 1 : 0;
    return values.empty() ? 0 : static_cast<double>(n) / static_cast<double>(values.size());
}

std::string_view nameOf(formats::Kind kind);
/// A column name that the table of words knows in some language.
bool knownName(std::string_view label);

}  // namespace porta::mapping
