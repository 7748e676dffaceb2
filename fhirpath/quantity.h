#pragma once
/// Quantities: units of UCUM and the calendar's words, and when two amounts can be compared. Private to this folder.
/// Source: FHIRPath 2.0, 4.1.8 (quantities), 6.1 and 6.2 (equality, comparison); 3.0 ballot, "Unit Conversions".
#include <optional>
#include <string_view>
#include <utility>

#include "fhirpath/decimal.h"
#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

/// Without quotes; a calendar word in the singular.
std::string_view bareUnit(std::string_view unit);
bool calendarUnit(std::string_view unit);
/// Both amounts in one unit, or none when they cannot be compared. Calendar years and months are no fixed time: only
/// equivalence (`alike`) holds them against `a` and `mo`. For equivalence the coarser unit is the common one.
std::optional<std::pair<Decimal, Decimal>> commensurable(const Scalar& a, const Scalar& b, bool alike = false);
bool comparableUnits(std::string_view a, std::string_view b);
/// An amount in another unit, as toQuantity(unit) converts.
std::optional<Decimal> convertedUnit(const Decimal& value, std::string_view from, std::string_view to);

}  // namespace porta::fhirpath
