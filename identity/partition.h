#pragma once
/// Which Person records are one person: a pure function of live records, edges and people's decisions, computed per
/// connected component (DESIGN §6). First tier: equal valid identifier and equal birth date, or, where one is missing,
/// equal given and family name; a contradicting birth date never joins.
#include <cstdint>
#include <string>
#include <vector>

namespace porta::identity {

/// What the matcher knows of one live Person record (an alias class of a source). `key` is the tie-break: the bytes of
/// (source, entity, local id).
struct Features {
    std::string key;  ///< RecordKey::text() of the survivor
    std::vector<std::string>
        identifiers;  ///< `TYPE:VALUE` normalised, valid ones only, none that contradicts the record
    std::vector<std::string> birth_dates;  ///< full dates only, all that the record states; empty = missing
    std::string given, family;             ///< folded for comparison (see fold names)
};

enum class Verdict : std::uint8_t { same, different };
struct Decision {
    std::string a, b;  ///< record key texts, a < b
    Verdict verdict = Verdict::same;
};

/// Shape: one set per person, members sorted, sets sorted by first member. Any order of the arguments gives the same.
/// `same` decisions join first and beat everything but `different`; `different` always wins.
std::vector<std::vector<std::string>> partition(const std::vector<Features>& records,
                                                const std::vector<Decision>& decisions);

/// The tokens by which records can meet: equal token = same component. A record with none stands alone.
std::vector<std::string> tokens(const Features& record);

/// ICU transliteration, case folding, diacritics, spaces and punctuation removed.
std::string foldName(std::string_view name);

}  // namespace porta::identity
