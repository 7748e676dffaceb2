#include <re2/re2.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <chrono>

#include "base/date_time.h"
#include "fhirpath/evaluator.h"

namespace porta::fhirpath {
namespace {

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

std::string escaped(std::string s, bool html, bool back) {
    const std::pair<std::string_view, std::string_view> of_html[] = {
        {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}};
    const std::pair<std::string_view, std::string_view> of_json[] = {
        {"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\r", "\\r"}, {"\t", "\\t"}};
    const auto* table = html ? of_html : of_json;
    for (int i = 0; i < 5; ++i) {
        const auto& [plain, coded] = table[back ? 4 - i : i];
        s = back ? replaced(s, coded, plain) : replaced(s, plain, coded);
    }
    return s;
}

/// `$1` of FHIRPath's substitution is `\1` of RE2's.
std::string rewrite(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '\\') out += "\\\\";
        else if (s[i] == '$' && i + 1 < s.size() && s[i + 1] >= '0' && s[i + 1] <= '9') out += '\\';
        else out += s[i];
    }
    return out;
}

}  // namespace

std::string clockText(Fn fn) {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    std::string iso = isoInstant(std::chrono::duration_cast<std::chrono::seconds>(now).count() * 1000000LL);
    return fn == Fn::now ? iso : fn == Fn::today ? iso.substr(0, 10) : iso.substr(11, 8);
}

bool Evaluator::textFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    std::optional<std::string_view> x, y;
    Collection from_x, from_y;
    std::optional<std::int64_t> start, length;
    if (n.fn == Fn::substring) {
        if (!integerArgument(n, 0, f, start) || (n.count > 1 && !integerArgument(n, 1, f, length))) return false;
    } else {
        if (n.count > 0 && !textArgument(n, 0, f, x, from_x)) return false;
        if (n.count > 1 && !textArgument(n, 1, f, y, from_y)) return false;
    }
    if (n.fn == Fn::join) {
        if (focus.empty()) return true;
        std::string text;
        for (std::size_t i = 0; i < focus.size(); ++i) {
            Scalar s = scalar(focus[i]);
            if (s.object || (s.kind != ValueKind::string && !focus[i].isNode())) return raise(n, "strings expected");
            if (i > 0) text += x.value_or(std::string_view());
            text += s.text;
        }
        give(out, made(ValueKind::string, text), focus, from_x);
        return true;
    }
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    const Scalar subject = scalar(focus[0]);
    if (subject.object || (subject.kind != ValueKind::string && !focus[0].isNode()))
        return raise(n, "a string expected");
    const std::string_view s = subject.text;
    if ((n.count > 0 && n.fn != Fn::substring && !x) || (n.count > 1 && n.fn != Fn::substring && !y)) return true;
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
        case Fn::replace: return text(replaced(s, *x, *y));
        case Fn::length: return number(static_cast<std::int64_t>(characterCount(s)));
        case Fn::escape:
        case Fn::unescape:
            if (*x != "html" && *x != "json") return true;
            return text(escaped(std::string(s), *x == "html", n.fn == Fn::unescape));
        case Fn::matches:
        case Fn::matches_full:
        case Fn::replace_matches: {
            std::shared_ptr<const RE2> re = n.regex;
            if (!re) {
                RE2::Options options;
                options.set_dot_nl(true);
                options.set_log_errors(false);
                re = std::make_shared<const RE2>(re2::StringPiece(x->data(), x->size()), options);
                if (!re->ok()) return raise(n, "the regular expression is not one RE2 accepts");
            }
            re2::StringPiece piece(s.data(), s.size());
            if (n.fn == Fn::matches) return answer(RE2::PartialMatch(piece, *re));
            if (n.fn == Fn::matches_full) return answer(RE2::FullMatch(piece, *re));
            std::string t(s);
            if (!x->empty()) RE2::GlobalReplace(&t, *re, rewrite(*y));
            return text(t);
        }
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

bool Evaluator::convert(ValueKind to, const Value& value, Value& out) {
    Scalar s = scalar(value);
    if (s.object && s.kind != to) return false;
    const bool number = s.kind == ValueKind::integer || s.kind == ValueKind::decimal;
    const bool text = s.kind == ValueKind::string;
    const bool boolean = s.kind == ValueKind::boolean;
    out = Value::ofText(to, s.text);
    auto d = number || text ? Decimal::parse(s.text, number) : std::nullopt;
    switch (to) {
        case ValueKind::boolean: {
            if (boolean) return true;
            std::string low;
            for (char c : s.text) low += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            bool one = (d && *compare(*d, Decimal::of(1)) == 0), zero = d && d->coefficient == 0;
            if (!number && !text) return false;
            bool yes = one || (text && (low == "true" || low == "t" || low == "yes" || low == "y"));
            bool no = zero || (text && (low == "false" || low == "f" || low == "no" || low == "n"));
            out = Value::ofBoolean(yes);
            return yes || no;
        }
        case ValueKind::integer:
            if (boolean) return out.text = s.text == "true" ? "1" : "0", true;
            if (!d || s.kind == ValueKind::decimal || d->scale > 0 || !d->whole()) return false;
            return out.text = arena_.keep(d->text()), true;
        case ValueKind::decimal:
            if (boolean) return out.text = s.text == "true" ? "1.0" : "0.0", true;
            if (!d) return false;
            return out.text = arena_.keep(d->text()), true;
        case ValueKind::string:
            if (s.kind == ValueKind::quantity) out.text = arena_.keep(std::string(s.text) + " " + std::string(s.unit));
            return true;
        case ValueKind::date:
        case ValueKind::dateTime: {
            if (!text && s.kind != ValueKind::date && s.kind != ValueKind::dateTime) return false;
            auto t = Temporal::parseDate(s.text);
            if (!t) return false;
            if (to == ValueKind::date) {
                if (t->has_t && text) return false;
                out.text = out.text.substr(0, out.text.find('T'));
            }
            return true;
        }
        case ValueKind::time: return (text || s.kind == ValueKind::time) && Temporal::parseTime(s.text).has_value();
        case ValueKind::quantity: {
            if (s.kind == ValueKind::quantity) return out.unit = s.unit, true;
            out.unit = "'1'";
            if (boolean) return out.text = s.text == "true" ? "1.0" : "0.0", true;
            if (d) return true;
            if (!text) return false;
            static const RE2 shape(
                R"(([+-]?\d+(?:\.\d+)?)\s*('[^']+'|(?:year|month|week|day|hour|minute|second|millisecond)s?))");
            re2::StringPiece amount, unit;
            if (!RE2::FullMatch(re2::StringPiece(s.text.data(), s.text.size()), shape, &amount, &unit)) return false;
            out.text = std::string_view(amount.data(), amount.size());
            out.unit = std::string_view(unit.data(), unit.size());
            return true;
        }
        case ValueKind::node: break;
    }
    return false;
}

bool Evaluator::conversion(const AstNode& n, const Collection& focus, Collection& out) {
    if (!single(n, focus)) return false;
    if (focus.empty()) return true;
    constexpr ValueKind kinds[] = {ValueKind::boolean, ValueKind::integer,  ValueKind::decimal, ValueKind::string,
                                   ValueKind::date,    ValueKind::dateTime, ValueKind::time,    ValueKind::quantity};
    const bool asks = n.fn >= Fn::can_boolean;
    Value v;
    bool ok =
        convert(kinds[static_cast<int>(n.fn) - static_cast<int>(asks ? Fn::can_boolean : Fn::to_boolean)], focus[0], v);
    if (asks) give(out, Value::ofBoolean(ok), focus);
    else if (ok) {
        v.copied = focus[0].isCopy() && v.text == focus[0].str(tree_);
        give(out, v, focus);
    }
    return true;
}

}  // namespace porta::fhirpath
