/// Italy, Spain, France, Portugal.
#include "identity/id_scheme.h"

namespace porta::identity::scheme {
namespace {

constexpr std::string_view kDniLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
constexpr std::string_view kOmocodia = "LMNPQRSTUV";  // digit 0…9 replaced by its letter
constexpr std::string_view kItMonths = "ABCDEHLMPRST";

/// The digit behind an omocodia letter, or -1.
int cfDigit(char c) {
    if (isDigit(c)) return digit(c);
    const auto at = kOmocodia.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

/// Codice fiscale: D.M. 23 December 1976 (n. 13814), art. 2-7; omocodia art. 6; control character annex.
Reading itCf(std::string_view v) {
    if (v.size() != 16) return bad(IdState::malformed);
    constexpr std::string_view kNumeric = "\6\7\11\12\14\15\16";  // positions 6 7 9 10 12 13 14 hold digits
    for (std::size_t i = 0; i < 16; ++i) {
        const bool numeric = kNumeric.find(static_cast<char>(i)) != std::string_view::npos;
        if (numeric ? cfDigit(v[i]) < 0 : !isUpper(v[i])) return bad(IdState::malformed);
    }
    const auto month = kItMonths.find(v[8]);
    if (month == std::string_view::npos) return bad(IdState::malformed);
    const int yy = cfDigit(v[6]) * 10 + cfDigit(v[7]);
    int day = cfDigit(v[9]) * 10 + cfDigit(v[10]);
    const bool female = day > 40;
    if (female) day -= 40;
    if (!realInSomeCentury(yy, static_cast<int>(month) + 1, day)) return bad(IdState::malformed);

    static constexpr int kOdd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                   20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    for (std::size_t i = 0; i < 15; ++i) {
        const int n = isDigit(v[i]) ? digit(v[i]) : v[i] - 'A';
        sum += i % 2 == 0 ? kOdd[n] : n;  // the first character counts as odd
    }
    if (v[15] != 'A' + sum % 26) return bad(IdState::checksum);
    return {IdState::valid, true, false, yy, static_cast<int>(month) + 1, day, female ? "female" : "male"};
}

/// DNI: Real Decreto 1553/2005 and RD 338/1990 (NIF): the letter at number mod 23.
Reading esDni(std::string_view v) {
    if (v.size() != 9 || !digits(v.substr(0, 8), 8) || !isUpper(v[8])) return bad(IdState::malformed);
    const auto at = static_cast<std::size_t>(number(v, 0, 8) % 23);
    return bad(kDniLetters[at] == v[8] ? IdState::valid : IdState::checksum);
}

/// NIE: Orden INT/2058/2008: X, Y, Z stand for a leading 0, 1, 2.
Reading esNie(std::string_view v) {
    if (v.size() != 9 || v[0] < 'X' || v[0] > 'Z' || !digits(v.substr(1, 7), 7) || !isUpper(v[8]))
        return bad(IdState::malformed);
    const auto at = static_cast<std::size_t>(((v[0] - 'X') * 10000000LL + number(v, 1, 7)) % 23);
    return bad(kDniLetters[at] == v[8] ? IdState::valid : IdState::checksum);
}

/// NIR: INSEE, décret 82-103; key = 97 - number mod 97, Corsica 2A counts as 19 and 2B as 18.
Reading frNir(std::string_view v) {
    if (v.size() != 15) return bad(IdState::malformed);
    std::string plain(v);
    if (v[5] == '2' && (v[6] == 'A' || v[6] == 'B')) plain[6] = v[6] == 'A' ? '9' : '8';
    if (plain[6] != v[6]) plain[5] = '1';
    if (!digits(plain, 15)) return bad(IdState::malformed);
    // 1, 2: registered; 3, 4: foreigners being registered; 7, 8: temporary.
    const int first = digit(v[0]);
    if (first == 0 || first == 5 || first == 6 || first == 9) return bad(IdState::malformed);
    const int month = static_cast<int>(number(plain, 3, 2));
    // 20 and 30-42, 50-99 mean: month unknown.
    if (month == 0 || (month > 12 && month < 20) || (month > 20 && month < 30) || (month > 42 && month < 50))
        return bad(IdState::malformed);
    if (97 - number(plain, 0, 13) % 97 != number(plain, 13, 2)) return bad(IdState::checksum);
    Reading out{IdState::valid, true, false, static_cast<int>(number(plain, 1, 2)), month <= 12 ? month : 0, 0, {}};
    out.sex = first % 2 == 1 ? "male" : "female";
    return out;
}

/// NIF: Decreto-Lei 14/2013; weights 9…2, mod 11, 10 and 11 become 0.
Reading ptNif(std::string_view v) {
    if (!digits(v, 9) || v[0] == '0') return bad(IdState::malformed);
    const int check = 11 - weighted(v, "98765432") % 11;
    return bad((check > 9 ? 0 : check) == digit(v[8]) ? IdState::valid : IdState::checksum);
}

}  // namespace porta::identity::scheme
