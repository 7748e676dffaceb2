#include "fhirpath/ucum.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace porta::fhirpath {
namespace {

struct Row {
    std::string_view code;
    bool metric, special;
    std::string_view numerator, denominator;
    int ten;
    std::array<int, 7> dimension;
};
constexpr Row kUnits[] = {
#include "fhirpath/models/ucum.inc"
};

struct Prefix {
    std::string_view code;
    int ten;
    int binary = 0;  ///< power of two
};
constexpr Prefix kPrefixes[] = {{"Y", 24},  {"Z", 21},  {"E", 18},     {"P", 15},     {"T", 12},     {"G", 9},
                                {"M", 6},   {"k", 3},   {"h", 2},      {"da", 1},     {"d", -1},     {"c", -2},
                                {"m", -3},  {"u", -6},  {"n", -9},     {"p", -12},    {"f", -15},    {"a", -18},
                                {"z", -21}, {"y", -24}, {"Ki", 0, 10}, {"Mi", 0, 20}, {"Gi", 0, 30}, {"Ti", 0, 40}};

constexpr std::size_t kLongest = 200;
constexpr int kMaxNesting = 20, kMaxExponent = 30, kMaxTen = 400;

bool digit(char c) { return c >= '0' && c <= '9'; }

__int128 number(std::string_view digits) {
    __int128 n = 0;
    for (char c : digits) n = n * 10 + (c - '0');
    return n;
}

__int128 divisor(__int128 a, __int128 b) {
    while (b != 0) a = std::exchange(b, a % b);
    return a;
}

/// a := a * b of two fractions.
bool times(UcumUnit& a, __int128 numerator, __int128 denominator, int ten) {
    const __int128 p = divisor(a.numerator, denominator), q = divisor(numerator, a.denominator);
    if (__builtin_mul_overflow(a.numerator / p, numerator / q, &a.numerator)) return false;
    if (__builtin_mul_overflow(a.denominator / q, denominator / p, &a.denominator)) return false;
    a.ten += ten;
    while (a.numerator % 10 == 0) a.numerator /= 10, ++a.ten;
    while (a.denominator % 10 == 0) a.denominator /= 10, --a.ten;
    return a.ten < kMaxTen && a.ten > -kMaxTen;
}

bool multiply(UcumUnit& a, const UcumUnit& b, int exponent) {
    if (exponent > kMaxExponent || exponent < -kMaxExponent) return false;
    for (std::size_t i = 0; i < a.dimension.size(); ++i) a.dimension[i] += b.dimension[i] * exponent;
    for (int i = 0; i < (exponent < 0 ? -exponent : exponent); ++i)
        if (!(exponent > 0 ? times(a, b.numerator, b.denominator, b.ten)
                           : times(a, b.denominator, b.numerator, -b.ten)))
            return false;
    return true;
}

const Row* row(std::string_view code) {
    const Row* found = std::lower_bound(std::begin(kUnits), std::end(kUnits), code,
                                        [](const Row& r, std::string_view wanted) { return r.code < wanted; });
    return found != std::end(kUnits) && found->code == code ? found : nullptr;
}

/// One unit, perhaps with a prefix.
std::optional<UcumUnit> atom(std::string_view code) {
    const Row* found = row(code);
    const Prefix* with = nullptr;
    for (const Prefix& p : kPrefixes) {
        if (found != nullptr) break;
        if (!code.starts_with(p.code)) continue;
        const Row* rest = row(code.substr(p.code.size()));
        if (rest == nullptr || !rest->metric) continue;
        found = rest;
        with = &p;
    }
    if (found == nullptr || found->special) return std::nullopt;
    UcumUnit unit{number(found->numerator), number(found->denominator), found->ten, found->dimension};
    if (with != nullptr && !times(unit, static_cast<__int128>(1) << with->binary, 1, with->ten)) return std::nullopt;
    return unit;
}

struct Part {
    std::string_view code;
    int exponent = 1;
};

/// `s-2` is s to the power -2; a unit's own digits (`10*`, `[in_i'H2O]`) stay with it.
Part withExponent(std::string_view text) {
    if (row(text) != nullptr) return {text};
    std::size_t at = text.size();
    while (at > 0 && digit(text[at - 1])) --at;
    if (at == text.size() || text.size() - at > 3) return {text};
    int exponent = static_cast<int>(number(text.substr(at)));
    if (at > 0 && (text[at - 1] == '-' || text[at - 1] == '+')) {
        --at;
        if (text[at] == '-') exponent = -exponent;
    }
    return at == 0 ? Part{text} : Part{text.substr(0, at), exponent};
}

/// Reads `term = component {("." | "/") component}`.
class Reader {
public:
    explicit Reader(std::string_view text) : s_(text) {}

    std::optional<UcumUnit> whole() {
        auto unit = term(0);
        return at_ == s_.size() ? unit : std::nullopt;
    }
    /// The parts in order, when there are no parentheses and no numbers; annotations are left out.
    bool parts(std::vector<Part>& out) {
        int sign = 1;
        if (take('/')) sign = -1;
        for (;;) {
            std::string_view text = simple();
            annotation();
            if (!text.empty() && text != "1") {
                if (std::all_of(text.begin(), text.end(), digit) || peek() == '(') return false;
                Part part = withExponent(text);
                part.exponent *= sign;
                out.push_back(part);
            }
            if (at_ == s_.size()) return true;
            sign = s_[at_] == '/' ? -1 : 1;
            if (s_[at_] != '/' && s_[at_] != '.') return false;
            ++at_;
        }
    }

private:
    char peek() const { return at_ < s_.size() ? s_[at_] : '\0'; }
    bool take(char c) { return peek() == c && (++at_, true); }
    void annotation() {
        if (peek() != '{') return;
        const std::size_t close = s_.find('}', at_);
        if (close != std::string_view::npos) at_ = close + 1;
    }
    /// Up to the next operator, parenthesis or annotation outside of brackets.
    std::string_view simple() {
        const std::size_t from = at_;
        for (int depth = 0; at_ < s_.size(); ++at_) {
            const char c = s_[at_];
            depth += (c == '[') - (c == ']');
            if (depth == 0 && (c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '}')) break;
        }
        return s_.substr(from, at_ - from);
    }
    std::optional<UcumUnit> component(int depth) {
        if (take('(')) {
            auto inner = term(depth + 1);
            if (!take(')')) return std::nullopt;
            return inner;
        }
        const bool noted = peek() == '{';
        const std::string_view text = simple();
        annotation();
        if (text.empty()) return noted ? std::optional(UcumUnit{}) : std::nullopt;
        UcumUnit unit;
        if (std::all_of(text.begin(), text.end(), digit)) {
            if (text.size() > 28 || number(text) == 0 || !times(unit, number(text), 1, 0)) return std::nullopt;
            return unit;
        }
        const Part part = withExponent(text);
        auto one = atom(part.code);
        if (!one || !multiply(unit, *one, part.exponent)) return std::nullopt;
        return unit;
    }
    std::optional<UcumUnit> term(int depth) {
        if (depth > kMaxNesting) return std::nullopt;
        UcumUnit all;
        int sign = take('/') ? -1 : 1;
        for (;;) {
            auto next = component(depth);
            if (!next || !multiply(all, *next, sign)) return std::nullopt;
            if (peek() != '.' && peek() != '/') return all;
            sign = s_[at_++] == '/' ? -1 : 1;
        }
    }

    std::string_view s_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<UcumUnit> ucumUnit(std::string_view code) {
    if (code.empty() || code.size() > kLongest) return std::nullopt;
    return Reader(code).whole();
}

std::optional<Decimal> ucumConvert(const Decimal& value, const UcumUnit& from, const UcumUnit& to) {
    UcumUnit ratio = from;
    if (from.dimension != to.dimension || !times(ratio, to.denominator, to.numerator, -to.ten)) return std::nullopt;
    auto scaled = fhirpath::multiply(value, Decimal{ratio.numerator, 0});
    if (scaled && ratio.denominator != 1) scaled = divide(*scaled, Decimal{ratio.denominator, 0});
    return scaled ? shifted(*scaled, ratio.ten) : std::nullopt;
}

std::optional<std::string> ucumProduct(std::string_view a, std::string_view b, bool divide) {
    std::vector<Part> parts, more;
    if (a.size() + b.size() > kLongest || !Reader(a).parts(parts) || !Reader(b).parts(more)) return std::nullopt;
    for (Part& part : more) {
        if (divide) part.exponent = -part.exponent;
        parts.push_back(part);
    }
    std::vector<Part> joined;
    for (const Part& part : parts) {
        auto same = std::find_if(joined.begin(), joined.end(), [&](const Part& p) { return p.code == part.code; });
        if (same == joined.end()) joined.push_back(part);
        else same->exponent += part.exponent;
    }
    std::string above, below;
    for (const Part& part : joined) {
        if (part.exponent == 0) continue;
        std::string& side = part.exponent > 0 ? above : below;
        side += (part.exponent < 0 ? "/" : above.empty() ? "" : ".") + std::string(part.code);
        const int exponent = part.exponent < 0 ? -part.exponent : part.exponent;
        if (exponent != 1) side += std::to_string(exponent);
    }
    return above.empty() && below.empty() ? "1" : above + below;
}

}  // namespace porta::fhirpath
