#pragma once
/// Units of UCUM: any expression of the code's grammar (`mm[Hg]`, `kg.m/s2`, `10*3/uL`, `{tablets}/d`) as an exact factor to the
/// base units and their exponents. Units on other than ratio scales (Cel, [degF], [pH]) measure nothing but themselves.
/// Source: The Unified Code for Units of Measure, 2.2; table models/ucum.inc.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhirpath/decimal.h"

namespace porta::fhirpath {

struct UcumUnit {
    __int128 numerator = 1, denominator = 1;  ///< without common divisors
    int ten = 0;                              ///< the factor's power of ten
    std::array<int, 7> dimension = {};        ///< exponents of m, s, g, rad, K, C, cd
};

/// None for what is no unit, or one on a scale of its own.
std::optional<UcumUnit> ucumUnit(std::string_view code);
/// `value` in `from` as the amount in `to`; none when they do not measure the same, or the number does not fit.
std::optional<Decimal> ucumConvert(const Decimal& value, const UcumUnit& from, const UcumUnit& to);
/// The unit of a product or a quotient: `cm` and `cm` give `cm2`, `m` by `s` gives `m/s`; `1` when nothing is left.
/// Units with parentheses or numbers in them are none.
std::optional<std::string> ucumProduct(std::string_view a, std::string_view b, bool divide);

}  // namespace porta::fhirpath
