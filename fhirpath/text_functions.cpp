// Strings (chapter 5.6 and 3.0 ballot "Additional String Functions"), and what Porta adds for mappings.
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "base/date_time.h"
#include "fhirpath/encoding.h"
#include "fhirpath/evaluator.h"
#include "fhirpath/regex.h"

namespace porta::fhirpath {
namespace {

constexpr std::size_t kLongest = std::size_t{64} << 20;  ///< of a text that replacing makes

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

/// Byte offset of each character, and the end.
std::vector<std::size_t> characters(std::string_view s) {
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < s.size(); ++i)
        if ((static_cast<unsigned char>(s[i]) & 0xC0) != 0x80) at.push_back(i);
    at.push_back(s.size());
    return at;
}

std::size_t characterCount(std::string_view s) { return characters(s).size() - 1; }

std::string trimmed(std::string_view s) {
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return std::string(s);
}

std::string replaced(std::string_view s, std::string_view from, std::string_view to) {
    std::string out;
    if (from.empty()) {  // around every character
        auto at = characters(s);
        out = to;
        for (std::size_t i = 0; i + 1 < at.size(); ++i) out.append(s.substr(at[i], at[i + 1] - at[i])).append(to);
        return out;
    }
    for (;;) {
        std::size_t hit = s.find(from);
        out += s.substr(0, hit);
        if (hit == std::string_view::npos) return out;
        out += to;
        s.remove_prefix(hit + from.size());
    }
}

}  // namespace

bool Evaluator::regexFunction(const AstNode& n, const Frame& f, std::string_view s, const Collection& from_pattern,
                              const Collection& focus, Collection& out) {
    const std::string_view pattern = from_pattern[0].str(tree_);
    std::shared_ptr<const re2::RE2> regex = n.regex;
    const std::uint32_t at_flags = n.fn == Fn::replace_matches ? 2 : 1;
    std::optional<std::string_view> flags, to;
    Collection from;
    if (!regex) {
        if (n.count > at_flags && !textArgument(n, at_flags, f, flags, from)) return false;
        auto compiled = compileRegex(pattern, flags.value_or(std::string_view()));
        if (!compiled) return raise(n, compiled.error().message);
        regex = std::move(*compiled);
        spend(pattern.size());
    }
    spend(s.size() >> 6);
    if (n.fn != Fn::replace_matches) {
        give(out, Value::ofBoolean(n.fn == Fn::matches ? matchesPart(*regex, s) : matchesWhole(*regex, s)), focus,
             from_pattern);
        return true;
    }
    Collection from_to;
    if (!textArgument(n, 1, f, to, from_to)) return false;
    if ((s.size() + 1) * to->size() > kLongest) return raise(n, "the text would be too long");
    Value v = made(ValueKind::string, pattern.empty() ? std::string(s) : replaceMatches(*regex, s, *to));
    v.copied = v.text == s && focus[0].isCopy();
    give(out, v, focus, from_to);
    return true;
}

bool Evaluator::textFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    std::optional<std::string_view> x, y;
    Collection from_x, from_y;
    std::optional<std::int64_t> start, length;
    if (n.fn == Fn::substring) {
        if (!integerArgument(n, 0, f, start) || (n.count > 1 && !integerArgument(n, 1, f, length))) return false;
    } else {
        if (n.count > 0 && !textArgument(n, 0, f, x, from_x)) return false;
        const bool flags = n.fn == Fn::matches || n.fn == Fn::matches_full;
        if (n.count > 1 && !flags && !textArgument(n, 1, f, y, from_y)) return false;
    }
    if (n.fn == Fn::join) {
        if (focus.empty()) return true;
        std::string text;
        for (std::size_t i = 0; i < focus.size(); ++i) {
            Scalar s = scalar(focus[i]);
            if (!isText(s, focus[i])) return raise(n, "strings expected; toString() makes one");
            if (i > 0) text += x.value_or(std::string_view());
            text += s.text;
        }
        give(out, made(ValueKind::string, text), focus, from_x);
        return true;
    }
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    const Scalar subject = scalar(focus[0]);
    if (!isText(subject, focus[0])) return raise(n, "a string expected; toString() makes one");
    const std::string_view s = subject.text;
    const bool second = n.fn == Fn::replace || n.fn == Fn::replace_matches;
    if ((n.count > 0 && n.fn != Fn::substring && !x) || (second && !y)) return true;
    auto text = [&](std::string_view t) {
        Value v = made(ValueKind::string, t);
        v.copied = v.text == s && focus[0].isCopy();
        give(out, v, focus, from_x);
        return true;
    };
    auto answer = [&](bool yes) {
        give(out, Value::ofBoolean(yes), focus, from_x);
        return true;
    };
    auto number = [&](std::int64_t i) {
        give(out, made(ValueKind::integer, std::to_string(i)), focus, from_x);
        return true;
    };
    switch (n.fn) {
        case Fn::substring: {
            if (!start) return true;
            auto at = characters(s);
            auto size = static_cast<std::int64_t>(at.size()) - 1;
            if (*start < 0 || *start >= size) return true;
            std::int64_t count = length ? std::clamp<std::int64_t>(*length, 0, size - *start) : size - *start;
            std::size_t from = at[static_cast<std::size_t>(*start)], to = at[static_cast<std::size_t>(*start + count)];
            return text(s.substr(from, to - from));
        }
        case Fn::starts_with: return answer(s.substr(0, x->size()) == *x);
        case Fn::ends_with: return answer(s.size() >= x->size() && s.substr(s.size() - x->size()) == *x);
        case Fn::contains: return answer(s.find(*x) != std::string_view::npos);
        case Fn::index_of:
        case Fn::last_index_of: {
            std::size_t hit = n.fn == Fn::index_of ? s.find(*x) : s.rfind(*x);
            return number(hit == std::string_view::npos ? -1
                                                        : static_cast<std::int64_t>(characterCount(s.substr(0, hit))));
        }
        case Fn::upper:
        case Fn::lower: {
            auto u = icu::UnicodeString::fromUTF8(icu::StringPiece(s.data(), static_cast<int>(s.size())));
            if (n.fn == Fn::upper) u.toUpper(icu::Locale::getRoot());
            else u.toLower(icu::Locale::getRoot());
            std::string t;
            u.toUTF8String(t);
            return text(t);
        }
        case Fn::trim: return text(trimmed(s));
        case Fn::normalize_space: {
            std::string t;
            for (char c : trimmed(s))
                if (!blank(c)) t += c;
                else if (t.back() != ' ') t += ' ';
            return text(t);
        }
        case Fn::nfc: {
            UErrorCode status = U_ZERO_ERROR;
            const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
            auto u = icu::UnicodeString::fromUTF8(icu::StringPiece(s.data(), static_cast<int>(s.size())));
            if (U_FAILURE(status)) return raise(n, "no Unicode data");
            u = nfc->normalize(u, status);
            std::string t;
            u.toUTF8String(t);
            return text(t);
        }
        case Fn::split: {
            std::string_view rest = s;
            for (;;) {
                std::size_t hit = x->empty() ? std::string_view::npos : rest.find(*x);
                text(rest.substr(0, hit));
                if (hit == std::string_view::npos) return true;
                rest.remove_prefix(hit + x->size());
            }
        }
        case Fn::to_chars: {
            auto at = characters(s);
            for (std::size_t i = 0; i + 1 < at.size(); ++i) text(s.substr(at[i], at[i + 1] - at[i]));
            return true;
        }
        case Fn::replace:
            if ((s.size() / std::max<std::size_t>(x->size(), 1) + 1) * y->size() > kLongest)
                return raise(n, "the text would be too long");
            return text(replaced(s, *x, *y));
        case Fn::length: return number(static_cast<std::int64_t>(characterCount(s)));
        case Fn::escape:
        case Fn::unescape:
            if (*x != "html" && *x != "json") return true;
            return text(n.fn == Fn::escape ? escaped(s, *x == "html") : unescaped(s, *x == "html"));
        case Fn::encode:
        case Fn::decode: {
            std::optional<std::string> coded = n.fn == Fn::encode ? encoded(s, *x) : decoded(s, *x);
            return !coded || text(*coded);
        }
        case Fn::matches:
        case Fn::matches_full:
        case Fn::replace_matches: return regexFunction(n, f, s, from_x, focus, out);
        case Fn::hl7_date:
        case Fn::pattern: {
            if (s.empty()) return true;
            auto parsed = n.fn == Fn::hl7_date ? parseHl7(s) : parsePattern(s, *x);
            if (!parsed) return raise(n, n.fn == Fn::hl7_date ? "no HL7 date" : "the date does not follow its pattern");
            Value v = made(parsed->hour < 0 ? ValueKind::date : ValueKind::dateTime, toIso(*parsed));
            v.copied = v.text == s && focus[0].isCopy();
            give(out, v, focus);
            return true;
        }
        default: return raise(n, "a function without a body");
    }
}

}  // namespace porta::fhirpath
