#include "mapping/scaffold/forms.h"

#include <algorithm>
#include <cctype>

#include "base/date_time.h"

namespace porta::mapping {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Letters of `form`: A a capital, 9 a digit, others themselves; * a capital or a digit.
bool fits(std::string_view text, std::string_view form) {
    if (text.size() != form.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
        const bool good = form[i] == 'A'   ? upper(c)
                          : form[i] == '9' ? digit(c)
                          : form[i] == '*' ? upper(c) || digit(c)
                                           : c == form[i];
        if (!good) return false;
    }
    return true;
}

/// `01.02.2020` as `99.99.9999`; only digits and separators.
std::string formOf(std::string_view text) {
    std::string form;
    for (char c : text) {
        if (digit(c)) form += '9';
        else if (c == 'T' || c == ' ' || c == '.' || c == '/' || c == '-' || c == ':' || c == '_') form += c;
        else return {};
    }
    return form;
}

struct Numbers {
    int first = 0, second = 0, third = 0;
    std::size_t digits[3] = {0, 0, 0};
    char separator = 0;
    std::string_view rest;
};

/// Three numbers with one separator, and what follows.
bool threeNumbers(std::string_view text, Numbers& n) {
    int* to[3] = {&n.first, &n.second, &n.third};
    std::size_t at = 0;
    for (int k = 0; k < 3; ++k) {
        int value = 0;
        std::size_t from = at;
        while (at < text.size() && digit(text[at]) && at - from < 5) value = value * 10 + (text[at++] - '0');
        n.digits[k] = at - from;
        if (at == from || at - from > 4) return false;
        *to[k] = value;
        if (k == 2) break;
        if (at >= text.size() || (text[at] != '.' && text[at] != '/' && text[at] != '-')) return false;
        if (k == 0) n.separator = text[at];
        else if (text[at] != n.separator) return false;
        ++at;
    }
    n.rest = text.substr(at);
    return true;
}

std::string timeForm(std::string_view rest, bool* good) {
    const std::string form = formOf(rest);
    *good = true;
    if (form.empty() && rest.empty()) return {};
    if (form == " 99:99") return " HH:mm";
    if (form == " 99:99:99") return " HH:mm:ss";
    if (form == "T99:99:99") return "THH:mm:ss";
    *good = false;
    return {};
}

bool monthDay(int month, int day) { return month >= 1 && month <= 12 && day >= 1 && day <= 31; }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

}  // namespace

const std::vector<std::string>& nothings() {
    static const std::vector<std::string> kAll = {
        "NULL", "null",       "N/A",        "n/a",        "NA",       "n.a.",   "N.D.", "n.d.", "-",  "--",
        "?",    "0000-00-00", "00.00.0000", "00/00/0000", "00000000", "(null)", "None", "nan",  "NaN"};
    return kAll;
}

bool isNothing(std::string_view text) {
    return std::find(nothings().begin(), nothings().end(), text) != nothings().end();
}

bool isNumber(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    bool any = false;
    for (char c : text) {
        if (digit(c)) any = true;
        else if (c != '.' && c != ',' && c != ' ' && c != '\'') return false;
    }
    return any;
}

std::string datePattern(const std::vector<std::string>& values) {
    if (values.empty()) return {};
    std::size_t iso = 0, packed = 0, packed_day_first = 0, parted = 0, year_first = 0, single = 0, short_year = 0,
                month_first = 0, bad = 0;
    bool day_over = false, month_over = false;
    char separator = 0;
    std::string time;
    for (const std::string& v : values) {
        Numbers n;
        if (v.size() == 8 && formOf(v) == "99999999") {
            const int y = std::stoi(v.substr(0, 4)), m = std::stoi(v.substr(4, 2)), d = std::stoi(v.substr(6, 2));
            const int y2 = std::stoi(v.substr(4, 4)), m2 = std::stoi(v.substr(2, 2)), d2 = std::stoi(v.substr(0, 2));
            if (y >= 1850 && y <= 2150 && monthDay(m, d)) ++packed;
            else if (y2 >= 1850 && y2 <= 2150 && monthDay(m2, d2)) ++packed_day_first;
            else ++bad;
            continue;
        }
        if (v.size() >= 10 && v[4] == '-' && parseIso(v)) {
            ++iso;
            continue;
        }
        bool good = threeNumbers(v, n);
        std::string form = good ? timeForm(n.rest, &good) : "";
        if (!good) {
            ++bad;
            continue;
        }
        if (n.digits[0] == 4 && n.first >= 1850 && n.first <= 2150 && monthDay(n.second, n.third)) {
            ++year_first;
        } else if ((n.digits[2] == 4 && n.third >= 1850 && n.third <= 2150) || n.digits[2] == 2) {
            if (!monthDay(n.second, n.first) && !monthDay(n.first, n.second)) {
                ++bad;
                continue;
            }
            day_over = day_over || n.first > 12;
            month_over = month_over || n.second > 12;
            short_year += n.digits[2] == 2;
            month_first += n.second > 12;
            ++parted;
        } else {
            ++bad;
            continue;
        }
        single += n.digits[n.digits[0] == 4 ? 2 : 0] == 1 || n.digits[1] == 1;
        separator = n.separator;
        if (form.size() > time.size()) time = form;
    }
    // A few slips in a column of dates are no reason to take it for something else.
    if (bad * 20 > values.size()) return {};
    const std::size_t most = std::max({iso, packed, packed_day_first, parted, year_first});
    if (most == 0) return {};
    if (most == iso) return "iso";
    if (most == packed) return "yyyyMMdd";
    if (most == packed_day_first) return "ddMMyyyy";
    const std::string s(1, separator);
    if (most == year_first) return (single ? "yyyy" + s + "M" + s + "d" : "yyyy" + s + "MM" + s + "dd") + time;
    const std::string year = short_year == parted ? "yy" : "yyyy";
    const bool american = month_over && !day_over && month_first * 20 > parted;
    const std::string day = single ? "d" : "dd", month = single ? "M" : "MM";
    return (american ? month + s + day : day + s + month) + s + year + time;
}

int yearOf(const std::string& value, const std::string& pattern) {
    if (pattern == "iso" || pattern.rfind("yyyy", 0) == 0) return std::atoi(value.substr(0, 4).c_str());
    if (pattern == "ddMMyyyy") return value.size() == 8 ? std::atoi(value.substr(4).c_str()) : 0;
    const std::size_t last =
        value.find_last_of("./-", value.find(' ') == std::string::npos ? std::string::npos : value.find(' '));
    if (last == std::string::npos) return 0;
    const int year = std::atoi(value.substr(last + 1).c_str());
    return pattern.find("yyyy") != std::string::npos ? year : year + (year > 30 ? 1900 : 2000);
}

std::string dateExpression(const std::string& path, const std::string& pattern, int pivot) {
    if (pattern == "iso") return path;
    std::string value = path, form = pattern;
    const bool single = form.find("MM") == std::string::npos;
    if (single) {
        // One digit or two: two.
        value += ".replaceMatches('\\\\b(\\\\d)\\\\b', '0$1')";
        form = replaced(replaced(form, "M", "MM"), "d", "dd");
    }
    if (form.find("yyyy") == std::string::npos) {
        // Two digits of a year: the century is a guess.
        const int tens = std::clamp(pivot, 0, 98) / 10, ones = std::clamp(pivot, 0, 98) % 10;
        auto above = [](int digit) { return digit == 8 ? std::string("9") : "[" + std::to_string(digit + 1) + "-9]"; };
        const std::string later = tens < 9 ? above(tens) + "\\\\d" : "";
        const std::string same = ones < 9 ? std::to_string(tens) + above(ones) : "";
        const std::string last = "((?:" + later + (later.empty() || same.empty() ? "" : "|") + same + "))";
        const char s = form[2];
        const std::string quoted = s == '.' ? "\\\\." : std::string(1, s);
        const std::string time = form.size() > 8 ? "( .*)?" : "()";
        value += ".replaceMatches('^(\\\\d\\\\d)" + quoted + "(\\\\d\\\\d)" + quoted + last + time + "$', '$1" + s +
                 "$2" + s + "19$3$4')";
        value += ".replaceMatches('^(\\\\d\\\\d)" + quoted + "(\\\\d\\\\d)" + quoted + "(\\\\d\\\\d)" + time +
                 "$', '$1" + s + "$2" + s + "20$3$4')";
        form = replaced(form, "yy", "yyyy");
    }
    return value + ".pattern('" + form + "')";
}

std::string identifierScheme(const std::vector<std::string>& values) {
    struct Form {
        const char* scheme;
        std::vector<std::string_view> forms;
    };
    static const std::vector<Form> kForms = {
        {"IT-CF", {"AAAAAA**A**A***A"}},
        {"ES-DNI", {"99999999A", "A9999999A", "99999999-A"}},
        {"FI-HETU", {"999999-999*", "999999A999*", "999999+999*"}},
    };
    for (const Form& f : kForms)
        if (share(values, [&](const std::string& v) {
                return std::any_of(f.forms.begin(), f.forms.end(),
                                   [&](std::string_view form) { return fits(v, form); });
            }) > 0.9)
            return f.scheme;
    return {};
}

std::string_view nameOf(formats::Kind kind) {
    static constexpr std::pair<formats::Kind, std::string_view> kNames[] = {{formats::Kind::json, "json"},
                                                                            {formats::Kind::ndjson, "ndjson"},
                                                                            {formats::Kind::csv, "csv"},
                                                                            {formats::Kind::hl7v2, "hl7v2"},
                                                                            {formats::Kind::xml, "xml"}};
    for (const auto& [of, name] : kNames)
        if (of == kind) return name;
    return "unknown";
}

}  // namespace porta::mapping
