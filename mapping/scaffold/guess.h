#pragma once
/// What the fields of a sample may mean: a role each, by names in many languages and by the forms of their values. All of
/// it is a guess, and written as one.
#include <map>
#include <string>
#include <vector>

#include "mapping/scaffold/sample.h"

namespace porta::mapping {

struct Guess {
    std::map<std::string, const Field*> roles;  ///< `family`, `birth_date`, `id:IT-CF`, …: one field each
    std::map<const Field*, std::string> dates;  ///< fields of dates: their pattern
    std::string entity;                         ///< besides the person: `job_seeking`, `involvement`, …
    std::vector<const Field*> person_key;       ///< together they name the person; never empty
    std::vector<const Field*> row_key;          ///< together they name the row; never empty
    int latest_year = 2030;                     ///< of all dates; births lie before it
    bool keys_complete = true;                  ///< false: in some records a part of the key is missing

    const Field* field(const std::string& role) const {
        auto found = roles.find(role);
        return found == roles.end() ? nullptr : found->second;
    }
    bool uses(const Field& field) const;
};

/// `name`: of the file; it may tell what the register is of.
Guess guess(const Sample& sample, const std::string& name);

/// `female`, `male`, `other`, `unknown`, or "" for a word that says no sex. `all`: the other words of the field, since `M`
/// is a man in Italian and a woman in Spanish.
std::string sexOf(const std::string& word, const std::vector<std::string>& all);

/// Lower case, without accents; words without articles.
std::vector<std::string> wordsOf(std::string_view label);

}  // namespace porta::mapping
