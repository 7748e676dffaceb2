#include "synth/municipality.h"

#include <algorithm>

#include "synth/city.h"
#include "synth/codice_fiscale.h"

namespace porta::synth {

namespace {

const std::vector<std::string> kMale{"Marco",  "Giuseppe", "Antonio", "Luca",   "Mario",     "Francesco",
                                     "Andrea", "Paolo",    "Nicolò",  "Davide", "Salvatore", "Pietro"};
const std::vector<std::string> kFemale{"Maria",  "Anna",  "Giulia",  "Rosa",   "Lucia", "Elena",
                                       "Chiara", "Sofia", "Niccolà", "Teresa", "Paola", "Sara"};
const std::vector<std::string> kPlaces{"F839", "A509", "B963", "H703", "A783"};

std::string plain(const std::string& text) {
    static const std::pair<const char*, const char*> folded[] = {{"ò", "o"}, {"ì", "i"}, {"à", "a"}};
    std::string out = text;
    for (const auto& [from, to] : folded)
        for (std::size_t at; (at = out.find(from)) != std::string::npos;) out.replace(at, 2, to);
    return out;
}

}  // namespace

Result<void> City::build() {
    people();
    for (Person& p : people_) {
        bool child = p.year >= 2008;
        bool any = false;
        if (has(p, 650, -1) || (p.no % 40 >= 1 && p.no % 40 <= 6)) hospital(p), any = true;
        if (!child && random_.chance(550)) registerRow(p), any = true;
        if (has(p, 400, 8)) clinic(p), any = true;
        if (random_.chance(200)) contact(p), any = true;
        if (child && random_.chance(300)) care(p);
        if (!any) clinic(p);
    }
    registers();
    decisions();
    return write();
}

void City::people() {
    static const char* const syllables[] = {"zor", "vat", "tig", "lian", "quer", "bost", "wex", "juk"};
    for (std::int64_t i = 0; i < wish_.people; ++i) {
        Person p;
        p.no = static_cast<int>(i);
        p.male = random_.chance(500);
        p.family = random_.pick(kFamilies);
        if (i % 25 == 0) {
            std::string unique = "Zx";
            for (std::int64_t k = i / 25, n = 0; n < 3; ++n, k /= 8) unique += syllables[(k + n) % 8];
            unique += padded(i, 1).back() % 2 ? "o" : "i";
            if (std::find(marked_.begin(), marked_.end(), unique) == marked_.end()) marked_.push_back(unique);
            p.family = unique;
        }
        p.given = random_.pick(p.male ? kMale : kFemale);
        p.year = 1930 + random_.below(92);
        p.month = 1 + random_.below(12);
        p.day = 1 + random_.below(28);
        p.code = codiceFiscale(plain(p.family), plain(p.given), p.year, p.month, p.day, p.male, random_.pick(kPlaces));
        people_.push_back(std::move(p));
    }
    // Two people with one code do not exist; a second one moves to another place of birth.
    std::set<std::string> codes;
    for (Person& p : people_)
        for (int place = 0; !codes.insert(p.code).second && place < 400; ++place)
            p.code = codiceFiscale(plain(p.family), plain(p.given), p.year, p.month, p.day, p.male,
                                   "F" + padded(100 + place, 3));
}

void City::truth(const std::string& source, const std::string& id, const Person& p) {
    truth_.push_back({source, "person", id, "P" + padded(p.no, 6)});
}

bool City::has(const Person& p, int per_mille, int slot) { return random_.chance(per_mille) || p.no % 40 == slot; }

Result<void> invent(const Wish& wish) { return City(wish).build(); }

}  // namespace porta::synth
