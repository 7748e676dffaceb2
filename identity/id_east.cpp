/// Poland, Romania.
#include "identity/id_scheme.h"

namespace porta::identity::scheme {

/// PESEL: ustawa o ewidencji ludności (2010), art. 15: the century is in the month (80: 1800, 00: 1900, 20: 2000 …),
/// the tenth digit is odd for men; weights 1 3 7 9.
Reading plPesel(std::string_view v) {
    if (!digits(v, 11)) return bad(IdState::malformed);
    static constexpr int kCentury[] = {1900, 2000, 2100, 2200, 1800};
    const int coded = static_cast<int>(number(v, 2, 2)), month = coded % 20, day = static_cast<int>(number(v, 4, 2));
    const int year = kCentury[coded / 20] + static_cast<int>(number(v, 0, 2));
    if (!realDate(year, month, day)) return bad(IdState::malformed);
    if ((weighted(v, "1379137913") + digit(v[10])) % 10 != 0) return bad(IdState::checksum);
    return {IdState::valid, true, true, year, month, day, digit(v[9]) % 2 == 1 ? "male" : "female"};
}

/// CNP: Legea 105/1996 and HG 1375/2006: first digit = sex and century (1, 2: 1900; 3, 4: 1800; 5, 6: 2000; 7, 8: residents,
/// 9: foreigners, century not said), county 01-52 or 70 (since 2022 not tied to a county); weights 279146358279, mod 11.
Reading roCnp(std::string_view v) {
    if (!digits(v, 13) || v[0] == '0') return bad(IdState::malformed);
    const int first = digit(v[0]), yy = static_cast<int>(number(v, 1, 2));
    const int month = static_cast<int>(number(v, 3, 2)), day = static_cast<int>(number(v, 5, 2));
    const int century = first <= 2 ? 1900 : first <= 4 ? 1800 : first <= 6 ? 2000 : 0;
    if (century != 0 ? !realDate(century + yy, month, day) : !realInSomeCentury(yy, month, day))
        return bad(IdState::malformed);
    const int county = static_cast<int>(number(v, 7, 2));
    if (county == 0 || county == 49 || county == 50 || (county > 52 && county != 70)) return bad(IdState::malformed);
    const int check = weighted(v, "279146358279") % 11;
    if ((check == 10 ? 1 : check) != digit(v[12])) return bad(IdState::checksum);
    Reading out{IdState::valid, true, century != 0, century + yy, month, day, {}};
    if (first != 9) out.sex = first % 2 == 1 ? "male" : "female";
    return out;
}

}  // namespace porta::identity::scheme
