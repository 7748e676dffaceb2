/// Belgium, the Netherlands, Germany, England.
#include <array>

#include "identity/id_scheme.h"

namespace porta::identity::scheme {
namespace {

/// NISS: arrêté royal of 3 April 1984, art. 1-4; BIS: arrêté royal of 8 February 1991 (month + 20: sex unknown, + 40: known).
/// For births from 2000 the check runs over "2" and the nine digits: the checksum itself says the century.
Reading belgian(std::string_view v, bool bis) {
    if (!digits(v, 11)) return bad(IdState::malformed);
    int month = static_cast<int>(number(v, 2, 2));
    const int yy = static_cast<int>(number(v, 0, 2)), day = static_cast<int>(number(v, 4, 2));
    bool sex_known = true;
    if (bis) {
        if (month < 20 || month > 52 || (month > 32 && month < 40)) return bad(IdState::malformed);
        sex_known = month >= 40;
        month -= sex_known ? 40 : 20;
    }
    if (month > 12) return bad(IdState::malformed);
    const long long body = number(v, 0, 9), check = number(v, 9, 2);
    int year = 0;
    if (97 - body % 97 == check) year = 1900 + yy;
    else if (97 - (2000000000LL + body) % 97 == check) year = 2000 + yy;
    else return bad(IdState::checksum);
    // Month or day 00: not known at registration. The year is then kept for the register's counters only.
    const bool whole = month != 0 && day != 0;
    if (whole ? !realDate(year, month, day) : day > 31) return bad(IdState::malformed);
    Reading out{IdState::valid, whole, whole, year, whole ? month : 0, whole ? day : 0, {}};
    if (sex_known) out.sex = number(v, 6, 3) % 2 == 1 ? "male" : "female";
    return out;
}

}  // namespace

Reading beNiss(std::string_view v) { return belgian(v, false); }
Reading beBis(std::string_view v) { return belgian(v, true); }

/// BSN: Besluit burgerservicenummer, "elfproef": weights 9…2, -1, mod 11.
Reading nlBsn(std::string_view v) {
    if (!digits(v, 9)) return bad(IdState::malformed);
    return bad((weighted(v, "98765432") - digit(v[8])) % 11 == 0 ? IdState::valid : IdState::checksum);
}

/// IdNr: § 139b AO and § 1 StIdV; ISO 7064 MOD 11,10. Of the first ten digits exactly one occurs twice or three times
/// (three times, but never side by side, since 2016), the others at most once.
Reading deIdnr(std::string_view v) {
    if (!digits(v, 11) || v[0] == '0') return bad(IdState::malformed);
    std::array<int, 10> count{};
    for (char c : v.substr(0, 10)) ++count[static_cast<std::size_t>(digit(c))];
    int repeated = 0, most = 0;
    for (int n : count) {
        repeated += n > 1 ? 1 : 0;
        most = n > most ? n : most;
    }
    if (repeated != 1 || most > 3) return bad(IdState::malformed);
    for (std::size_t i = 0; most == 3 && i + 2 < 10; ++i)
        if (v[i] == v[i + 1] && v[i] == v[i + 2]) return bad(IdState::malformed);
    int product = 10;
    for (char c : v.substr(0, 10)) {
        const int sum = (digit(c) + product) % 10;
        product = (sum == 0 ? 10 : sum) * 2 % 11;
    }
    return bad((11 - product) % 10 == digit(v[10]) ? IdState::valid : IdState::checksum);
}

/// RVNR: § 147 SGB VI, VKVV §§ 2-4: area, DDMMYY, initial, serial (00-49 male, 50-99 female), check digit.
/// The initial counts as two digits (A = 01); weights 2 1 2 5 7 1 2 1 2 1 2 1 over digit sums, mod 10.
Reading deRvnr(std::string_view v) {
    if (v.size() != 12 || !digits(v.substr(0, 8), 8) || !isUpper(v[8]) || !digits(v.substr(9), 3))
        return bad(IdState::malformed);
    int day = static_cast<int>(number(v, 2, 2));
    const int month = static_cast<int>(number(v, 4, 2)), yy = static_cast<int>(number(v, 6, 2));
    // Day 00 and month 00: unknown.
    const bool whole = day != 0 && month != 0;
    if (whole ? !realInSomeCentury(yy, month, day) : (day > 31 || month > 12)) return bad(IdState::malformed);
    std::string plain(v.substr(0, 8));
    const int letter = v[8] - 'A' + 1;
    plain += static_cast<char>('0' + letter / 10);
    plain += static_cast<char>('0' + letter % 10);
    plain += v.substr(9, 2);
    constexpr std::string_view kWeights = "212571212121";
    int sum = 0;
    for (std::size_t i = 0; i < kWeights.size(); ++i) {
        const int product = digit(plain[i]) * digit(kWeights[i]);
        sum += product / 10 + product % 10;
    }
    if (sum % 10 != digit(v[11])) return bad(IdState::checksum);
    return {
        IdState::valid, whole, false, yy, whole ? month : 0, whole ? day : 0, number(v, 9, 2) < 50 ? "male" : "female"};
}

/// NHS number: NHS Data Model and Dictionary, modulus 11 with weights 10…2; a check digit of 10 is not issued.
Reading gbNhs(std::string_view v) {
    if (!digits(v, 10)) return bad(IdState::malformed);
    int sum = 0;
    for (std::size_t i = 0; i < 9; ++i) sum += digit(v[i]) * static_cast<int>(10 - i);
    return bad((11 - sum % 11) % 11 == digit(v[9]) ? IdState::valid : IdState::checksum);
}

}  // namespace porta::identity::scheme
