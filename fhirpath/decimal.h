#pragma once
/// Exact decimals: a 128-bit coefficient and a scale of 0 to 30 digits. No floating point (DESIGN: none on a decision
/// path). What does not fit is "no value", which FHIRPath turns into the empty collection.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace porta::fhirpath {

struct Decimal {
    __int128 coefficient = 0;
    int scale = 0;

    /// `-?digits[.digits]`, no exponent unless `exponent` (JSON numbers).
    static std::optional<Decimal> parse(std::string_view text, bool exponent = false);
    static Decimal of(std::int64_t value) { return Decimal{value, 0}; }
    std::string text() const;  ///< digits after the point as the scale says
    bool isWhole() const;
    std::optional<std::int64_t> whole() const;  ///< truncated; none outside 64 bits
    Decimal negated() const { return Decimal{-coefficient, scale}; }
    Decimal trimmed() const;  ///< without trailing zeros after the point
    /// Half away from zero; a larger scale pads with zeros if it fits.
    std::optional<Decimal> rounded(int digits) const;
    Decimal truncated() const;
    Decimal floored(int digits = 0) const;
};

std::optional<Decimal> add(const Decimal& a, const Decimal& b);
std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);
std::optional<Decimal> divide(const Decimal& a,
                              const Decimal& b);  ///< 16 digits after the point, trimmed; none for b = 0
/// a times a power of ten.
std::optional<Decimal> shifted(const Decimal& a, int ten);
std::optional<int> compare(const Decimal& a, const Decimal& b);  ///< -1, 0, 1
std::optional<Decimal> squareRoot(const Decimal& a);
std::optional<Decimal> exponential(const Decimal& a);
std::optional<Decimal> naturalLog(const Decimal& a);
std::optional<Decimal> power(const Decimal& a, const Decimal& b);

}  // namespace porta::fhirpath
