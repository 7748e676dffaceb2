#include "fhirpath/decimal.h"

#include <algorithm>

namespace porta::fhirpath {
namespace {

constexpr int kMaxScale = 30;
constexpr int kSeriesScale = 16;  // digits carried by exp, ln and sqrt

__int128 pow10(int n) {
    __int128 p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

std::optional<Decimal> scaledTo(const Decimal& d, int scale) {
    Decimal r = d;
    while (r.scale < scale) {
        if (__builtin_mul_overflow(r.coefficient, static_cast<__int128>(10), &r.coefficient)) return std::nullopt;
        ++r.scale;
    }
    return r;
}

bool align(Decimal& a, Decimal& b) {
    if (a.scale != b.scale) {
        a = a.trimmed();
        b = b.trimmed();
    }
    int scale = std::max(a.scale, b.scale);
    auto x = scaledTo(a, scale), y = scaledTo(b, scale);
    if (!x || !y) return false;
    a = *x;
    b = *y;
    return true;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text, bool exponent) {
    Decimal d;
    std::size_t i = 0;
    bool negative = false;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
    std::size_t digits = 0;
    bool point = false;
    for (; i < text.size(); ++i) {
        char c = text[i];
        if (c == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        ++digits;
        if (__builtin_mul_overflow(d.coefficient, static_cast<__int128>(10), &d.coefficient) ||
            __builtin_add_overflow(d.coefficient, static_cast<__int128>(c - '0'), &d.coefficient))
            return std::nullopt;
        if (point && ++d.scale > kMaxScale) return std::nullopt;
    }
    if (digits == 0 || (point && d.scale == 0)) return std::nullopt;
    if (negative) d.coefficient = -d.coefficient;
    if (i == text.size()) return d;
    if (!exponent || (text[i] != 'e' && text[i] != 'E')) return std::nullopt;
    bool down = false;
    if (++i < text.size() && (text[i] == '-' || text[i] == '+')) down = text[i++] == '-';
    int e = 0;
    if (i == text.size()) return std::nullopt;
    for (; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9' || e > 99) return std::nullopt;
        e = e * 10 + (text[i] - '0');
    }
    if (down) {
        d.scale += e;
        if (d.scale > kMaxScale) return std::nullopt;
        return d;
    }
    int up = std::max(0, e - d.scale);
    d.scale = std::max(0, d.scale - e);
    while (up-- > 0)
        if (__builtin_mul_overflow(d.coefficient, static_cast<__int128>(10), &d.coefficient)) return std::nullopt;
    return d;
}

std::string Decimal::text() const {
    bool negative = coefficient < 0;
    unsigned __int128 n =
        negative ? -static_cast<unsigned __int128>(coefficient) : static_cast<unsigned __int128>(coefficient);
    std::string s;
    int digits = 0;
    do {
        if (digits == scale && digits > 0) s.push_back('.');
        s.push_back(static_cast<char>('0' + static_cast<int>(n % 10)));
        n /= 10;
        ++digits;
    } while (n != 0 || digits <= scale);
    if (negative) s.push_back('-');
    std::reverse(s.begin(), s.end());
    return s;
}

bool Decimal::isWhole() const { return coefficient % pow10(scale) == 0; }

std::optional<std::int64_t> Decimal::whole() const {
    __int128 w = coefficient / pow10(scale);
    if (w > INT64_MAX || w < INT64_MIN) return std::nullopt;
    return static_cast<std::int64_t>(w);
}

Decimal Decimal::trimmed() const {
    Decimal r = *this;
    while (r.scale > 0 && r.coefficient % 10 == 0) {
        r.coefficient /= 10;
        --r.scale;
    }
    return r;
}

std::optional<Decimal> Decimal::rounded(int digits) const {
    if (digits < 0 || digits > kMaxScale) return std::nullopt;
    if (digits >= scale) return scaledTo(*this, digits);
    __int128 p = pow10(scale - digits);
    __int128 q = coefficient / p, rest = coefficient % p;
    if (rest < 0) rest = -rest;
    if (rest >= p - rest) q += coefficient < 0 ? -1 : 1;
    return Decimal{q, digits};
}

Decimal Decimal::truncated() const { return Decimal{coefficient / pow10(scale), 0}; }

Decimal Decimal::floored(int digits) const {
    if (digits >= scale) return *this;
    __int128 p = pow10(scale - digits);
    __int128 q = coefficient / p;
    if (coefficient % p < 0) q -= 1;
    return Decimal{q, digits};
}

std::optional<Decimal> add(const Decimal& a, const Decimal& b) {
    Decimal x = a, y = b, r;
    int scale = std::max(a.scale, b.scale);
    if (!align(x, y) || __builtin_add_overflow(x.coefficient, y.coefficient, &r.coefficient)) return std::nullopt;
    r.scale = x.scale;
    auto padded = scaledTo(r, scale);  // 1.5 + 1.50 keeps two digits
    return padded ? padded : r;
}

std::optional<Decimal> multiply(const Decimal& a, const Decimal& b) {
    Decimal x = a, y = b, r;
    if (a.scale + b.scale > kMaxScale || __builtin_mul_overflow(x.coefficient, y.coefficient, &r.coefficient)) {
        x = a.trimmed();
        y = b.trimmed();
        if (x.scale + y.scale > kMaxScale || __builtin_mul_overflow(x.coefficient, y.coefficient, &r.coefficient)) {
            // Precision beyond 16 digits is given up before the value is.
            auto p = x.rounded(std::min(x.scale, 12)), q = y.rounded(std::min(y.scale, 12));
            if (!p || !q || __builtin_mul_overflow(p->coefficient, q->coefficient, &r.coefficient)) return std::nullopt;
            x = *p;
            y = *q;
        }
    }
    r.scale = x.scale + y.scale;
    return r;
}

std::optional<Decimal> divide(const Decimal& a, const Decimal& b) {
    Decimal y = b.trimmed(), x = a.trimmed();
    if (y.coefficient == 0) return std::nullopt;
    // (xc / 10^xs) / (yc / 10^ys) to kSeriesScale digits, long division digit by digit to avoid overflow.
    bool negative = (x.coefficient < 0) != (y.coefficient < 0);
    __int128 n = x.coefficient < 0 ? -x.coefficient : x.coefficient;
    __int128 d = y.coefficient < 0 ? -y.coefficient : y.coefficient;
    for (int s = y.scale; s < x.scale; ++s)
        if (__builtin_mul_overflow(d, static_cast<__int128>(10), &d)) return std::nullopt;
    for (int s = x.scale; s < y.scale; ++s)
        if (__builtin_mul_overflow(n, static_cast<__int128>(10), &n)) return std::nullopt;
    __int128 q = n / d, rest = n % d;
    int scale = 0;
    while (rest != 0 && scale < kSeriesScale) {
        __int128 next, more;
        if (__builtin_mul_overflow(rest, static_cast<__int128>(10), &more) ||
            __builtin_mul_overflow(q, static_cast<__int128>(10), &next))
            break;
        q = next + more / d;
        rest = more % d;
        ++scale;
    }
    if (rest >= d - rest) ++q;
    return Decimal{negative ? -q : q, scale}.trimmed();
}

std::optional<Decimal> shifted(const Decimal& a, int ten) {
    Decimal r = a;
    for (; ten < 0; ++ten) {
        if (r.scale == kMaxScale) {  // digits beyond the scale are given up
            r.coefficient /= 10;
            if (r.coefficient == 0 && a.coefficient != 0) return std::nullopt;
        } else {
            ++r.scale;
        }
    }
    for (; ten > 0; --ten) {
        if (r.scale > 0) --r.scale;
        else if (__builtin_mul_overflow(r.coefficient, static_cast<__int128>(10), &r.coefficient)) return std::nullopt;
    }
    return r;
}

std::optional<int> compare(const Decimal& a, const Decimal& b) {
    Decimal x = a, y = b;
    if (!align(x, y)) {
        // Alignment overflowed: the signs or the whole parts decide.
        __int128 p = a.coefficient / pow10(a.scale), q = b.coefficient / pow10(b.scale);
        if (p != q) return p < q ? -1 : 1;
        return std::nullopt;
    }
    return x.coefficient < y.coefficient ? -1 : x.coefficient > y.coefficient ? 1 : 0;
}

std::optional<Decimal> squareRoot(const Decimal& a) {
    if (a.coefficient < 0) return std::nullopt;
    if (a.coefficient == 0) return Decimal{};
    Decimal t = a.trimmed();
    int scale = t.scale + t.scale % 2;
    auto s = scaledTo(t, scale);
    if (!s) return std::nullopt;
    __int128 n = s->coefficient;
    while (scale < 2 * kSeriesScale && n < (static_cast<__int128>(1) << 119)) {
        n *= 100;
        scale += 2;
    }
    __int128 r = static_cast<__int128>(1) << 63;  // Newton from above
    for (;;) {
        __int128 next = (r + n / r) / 2;
        if (next >= r) break;
        r = next;
    }
    return Decimal{r, scale / 2}.trimmed();
}

std::optional<Decimal> exponential(const Decimal& a) {
    if (a.coefficient == 0) return Decimal{1, 0};
    auto w = a.whole();
    if (!w || *w > 60 || *w < -60) return std::nullopt;
    auto fraction = add(a, Decimal::of(-*w));
    if (!fraction) return std::nullopt;
    auto f = fraction->rounded(kSeriesScale);
    if (!f) return std::nullopt;
    const __int128 one = pow10(kSeriesScale);
    __int128 term = one, sum = one;
    for (int i = 1; i < 40 && term != 0; ++i) {
        term = term * f->coefficient / one / i;
        sum += term;
    }
    std::optional<Decimal> r = Decimal{sum, kSeriesScale};
    const Decimal e{static_cast<__int128>(27182818284590452LL), 16};
    for (std::int64_t i = 0; r && i < (*w < 0 ? -*w : *w); ++i) {
        r = *w < 0 ? divide(*r, e) : multiply(*r, e);
        if (r && r->scale > kSeriesScale) r = r->rounded(kSeriesScale);
    }
    return r ? std::optional(r->trimmed()) : r;
}

std::optional<Decimal> naturalLog(const Decimal& a) {
    if (a.coefficient <= 0) return std::nullopt;
    const Decimal two{2, 0};
    std::optional<Decimal> x = a.trimmed();
    int halvings = 0;
    while (*compare(*x, Decimal{15, 1}) > 0) {
        x = divide(*x, two);
        if (!x) return x;
        ++halvings;
    }
    while (*compare(*x, Decimal{75, 2}) < 0) {
        x = multiply(*x, two);
        if (!x) return x;
        --halvings;
    }
    // ln x = 2 artanh((x - 1) / (x + 1))
    auto up = add(*x, Decimal{-1, 0}), down = add(*x, Decimal{1, 0});
    auto ratio = up && down ? divide(*up, *down) : std::nullopt;
    auto z = ratio ? ratio->rounded(kSeriesScale) : std::nullopt;
    if (!z) return z;
    const __int128 one = pow10(kSeriesScale);
    __int128 square = z->coefficient * z->coefficient / one, term = z->coefficient, sum = 0;
    for (int i = 1; i < 120 && term != 0; i += 2) {
        sum += term / i;
        term = term * square / one;
    }
    __int128 ln2 = static_cast<__int128>(6931471805599453LL);
    return Decimal{2 * sum + halvings * ln2, kSeriesScale}.rounded(kSeriesScale - 2)->trimmed();
}

std::optional<Decimal> power(const Decimal& a, const Decimal& b) {
    if (b.isWhole()) {
        auto n = b.whole();
        if (!n || *n > 10000 || *n < -10000) return std::nullopt;
        std::optional<Decimal> r = Decimal{1, 0};
        for (std::int64_t i = 0; r && i < (*n < 0 ? -*n : *n); ++i) r = multiply(*r, a);
        if (r && *n < 0) r = divide(Decimal{1, 0}, *r);
        return r;
    }
    if (a.coefficient < 0) return std::nullopt;
    if (a.coefficient == 0) return Decimal{};
    if (*compare(b, Decimal{5, 1}) == 0) return squareRoot(a);
    auto log = naturalLog(a);
    auto product = log ? multiply(*log, b) : std::nullopt;
    auto result = product ? exponential(*product) : std::nullopt;
    return result ? result->rounded(12) : result;
}

}  // namespace porta::fhirpath
