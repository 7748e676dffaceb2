#include "identity/national_id.h"

#include <algorithm>
#include <cstdio>

#include "identity/id_scheme.h"

namespace porta::identity {
namespace scheme {

bool digits(std::string_view text, std::size_t length) {
    return text.size() == length && std::all_of(text.begin(), text.end(), isDigit);
}

long long number(std::string_view text, std::size_t from, std::size_t size) {
    long long n = 0;
    for (char c : text.substr(from, size)) n = n * 10 + digit(c);
    return n;
}

int weighted(std::string_view text, std::string_view weights) {
    int sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += digit(text[i]) * digit(weights[i]);
    return sum;
}

bool realDate(int year, int month, int day) {
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool realInSomeCentury(int yy, int month, int day) {
    return realDate(1900 + yy, month, day) || realDate(2000 + yy, month, day);
}

}  // namespace scheme

namespace {

using scheme::Reading;

struct Scheme {
    std::string_view type;
    Reading (*read)(std::string_view);
};
constexpr Scheme kSchemes[] = {
    {"IT-CF", scheme::itCf},       {"ES-DNI", scheme::esDni},   {"ES-NIE", scheme::esNie}, {"FR-NIR", scheme::frNir},
    {"PT-NIF", scheme::ptNif},     {"BE-NISS", scheme::beNiss}, {"BE-BIS", scheme::beBis}, {"NL-BSN", scheme::nlBsn},
    {"DE-IDNR", scheme::deIdnr},   {"DE-RVNR", scheme::deRvnr}, {"GB-NHS", scheme::gbNhs}, {"UK-NHS", scheme::gbNhs},
    {"PL-PESEL", scheme::plPesel}, {"RO-CNP", scheme::roCnp},
};

/// Upper case without the separators that forms print (space, dot, hyphen, slash). Anything else stays, and fails.
std::string normalise(std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == ' ' || c == '.' || c == '-' || c == '/' || c == '\t') continue;
        if (c == '\xC2' && i + 1 < value.size() && value[i + 1] == '\xA0') {  // no-break space
            ++i;
            continue;
        }
        out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

/// What people type when they have no number: one repeated digit (the letters around it do not matter) or only letters X.
bool isPlaceholder(std::string_view v) {
    std::string core;
    for (char c : v)
        if (scheme::isDigit(c)) core += c;
    if (core.size() < 7) return !v.empty() && v.find_first_not_of(v[0]) == std::string_view::npos;
    if (core.size() + 2 < v.size()) return false;  // letters carry the number (IT-CF)
    return core.find_first_not_of(core[0]) == std::string::npos;
}

/// Numbers of forms, manuals and test systems.
bool isTest(std::string_view type, std::string_view v) {
    if (type == "ES-DNI") return v == "12345678Z";
    // NHS Data Model and Dictionary: the range 999 is never issued to a person.
    if (type == "GB-NHS" || type == "UK-NHS") return v.substr(0, 3) == "999";
    return v == "123456789" || v == "1234567890" || v == "12345678901";
}

int part(std::string_view iso, std::size_t from, std::size_t size) {
    if (iso.size() < from + size || !scheme::digits(iso.substr(from, size), size)) return 0;
    return static_cast<int>(scheme::number(iso, from, size));
}

/// Only what both sides state for certain can contradict.
bool contradicts(const Reading& id, std::string_view birth_date, std::string_view sex) {
    if (!id.sex.empty() && (sex == "male" || sex == "female") && sex != id.sex) return true;
    const int year = part(birth_date, 0, 4), month = part(birth_date, 5, 2), day = part(birth_date, 8, 2);
    if (year == 0) return false;
    if (id.has_year && (id.century_known ? id.year != year : id.year % 100 != year % 100)) return true;
    if (id.month != 0 && month != 0 && id.month != month) return true;
    return id.day != 0 && day != 0 && id.day != day;
}

}  // namespace

std::string_view name(IdState state) {
    switch (state) {
        case IdState::valid: return "valid";
        case IdState::malformed: return "malformed";
        case IdState::checksum: return "checksum";
        case IdState::placeholder: return "placeholder";
        case IdState::test: return "test";
        case IdState::contradicts: return "contradicts";
        case IdState::unknown_type: return "unknown-type";
    }
    return "unknown-type";
}

IdCheck checkId(std::string_view type, std::string_view value, std::string_view birth_date, std::string_view sex) {
    IdCheck out{IdState::unknown_type, normalise(value), {}, {}};
    const auto* found =
        std::find_if(std::begin(kSchemes), std::end(kSchemes), [&](const Scheme& s) { return s.type == type; });
    if (found == std::end(kSchemes)) return out;
    if (isPlaceholder(out.normalised)) {
        out.state = IdState::placeholder;
        return out;
    }
    if (isTest(type, out.normalised)) {
        out.state = IdState::test;
        return out;
    }
    const Reading id = found->read(out.normalised);
    out.state = id.state;
    if (id.state != IdState::valid) return out;
    out.sex = id.sex;
    if (id.has_year && id.century_known) {
        char text[16];
        if (id.month != 0 && id.day != 0)
            std::snprintf(text, sizeof text, "%04d-%02d-%02d", id.year % 10000, id.month % 100, id.day % 100);
        else if (id.month != 0) std::snprintf(text, sizeof text, "%04d-%02d", id.year % 10000, id.month % 100);
        else std::snprintf(text, sizeof text, "%04d", id.year % 10000);
        out.birth_date = text;
    }
    if (contradicts(id, birth_date, sex)) out.state = IdState::contradicts;
    return out;
}

}  // namespace porta::identity
