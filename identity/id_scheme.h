#pragma once
/// Inside of national_id: what one scheme's reader hands to checkId, and the helpers that the schemes share.
#include <string>
#include <string_view>

#include "identity/national_id.h"

namespace porta::identity::scheme {

/// What a number says. Zero = it does not say so. `year` counts only with `century_known`, else `year % 100` does.
struct Reading {
    IdState state = IdState::malformed;
    bool has_year = false, century_known = false;
    int year = 0, month = 0, day = 0;
    std::string sex = {};
};

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
inline int digit(char c) { return c - '0'; }
bool digits(std::string_view text, std::size_t length);
/// The number formed by text[from, from+size); all must be digits.
long long number(std::string_view text, std::size_t from, std::size_t size);
int weighted(std::string_view text, std::string_view weights);  ///< sum of digit * weight digit
bool realDate(int year, int month, int day);
/// A two-digit year: a real date in 1900+yy or in 2000+yy.
bool realInSomeCentury(int yy, int month, int day);
inline Reading bad(IdState state) { return Reading{state, false, false, 0, 0, 0, {}}; }

Reading itCf(std::string_view v);
Reading esDni(std::string_view v);
Reading esNie(std::string_view v);
Reading frNir(std::string_view v);
Reading ptNif(std::string_view v);
Reading beNiss(std::string_view v);
Reading beBis(std::string_view v);
Reading nlBsn(std::string_view v);
Reading deIdnr(std::string_view v);
Reading deRvnr(std::string_view v);
Reading gbNhs(std::string_view v);
Reading plPesel(std::string_view v);
Reading roCnp(std::string_view v);

}  // namespace porta::identity::scheme
