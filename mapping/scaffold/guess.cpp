#include "mapping/scaffold/guess.h"

#include <algorithm>
#include <set>

#include "mapping/scaffold/forms.h"
#include "mapping/scaffold/words.h"

namespace porta::mapping {

namespace {

const std::set<std::string> kDates = {"birth_date", "death_date", "start", "end", "last_contact", "updated"};
const std::set<std::string> kOfPerson = {"family2",      "particle",   "family",     "given", "name",       "full_name",
                                         "birth_family", "birth_date", "death_date", "sex",   "citizenship"};
const std::set<std::string> kWords = {"family", "given",    "name", "full_name", "birth_family",
                                      "worker", "employer", "city", "street",    "mother_birth_family"};
/// Taken only where the name is the word itself: `codice`, `numero` and `stato` stand in many names.
const std::set<std::string> kExact = {"row_id", "name", "country", "prefix", "reason", "need"};

bool isId(const std::string& role) { return role.rfind("id:", 0) == 0; }

/// Whether the values can be of the role.
bool holds(const std::string& role, const Field& f, const Guess& g, std::size_t records) {
    const bool date = g.dates.count(&f) > 0;
    if (kDates.count(role)) return date;
    if (f.values.empty()) return true;
    if (date) return false;
    if (kWords.count(role)) return share(f.values, isNumber) < 0.3;
    if (role == "sex")
        return f.distinct <= 12 &&
               share(f.values, [&](const std::string& v) { return !sexOf(v, f.values).empty(); }) > 0.9;
    if (role == "email") return share(f.values, [](const std::string& v) { return v.find('@') != v.npos; }) > 0.5;
    if (role == "phone" || role == "worker_phone")
        return share(f.values, [](const std::string& v) {
                   return std::count_if(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; }) >= 5;
               }) > 0.6;
    if (role == "post_code") return share(f.values, [](const std::string& v) { return v.size() <= 10; }) > 0.9;
    if (isId(role)) return share(f.values, [](const std::string& v) { return v.size() >= 5; }) > 0.8;
    if (role == "person_id" || role == "row_id")
        return f.filled > 0 && f.distinct * (role == "row_id" ? 1 : 20) >= f.filled &&
               share(f.values, [](const std::string& v) { return v.find(' ') == v.npos || v.size() <= 20; }) > 0.9 &&
               records > 0;
    return true;
}

struct Candidate {
    int score;
    std::string role;
    const Field* field;
};

struct Guesser {
    const Sample& sample;
    Guess& g;

    bool used(const Field& f) const {
        return std::any_of(g.roles.begin(), g.roles.end(), [&](const auto& r) { return r.second == &f; });
    }
    void give(const std::string& role, const Field* f) {
        if (f && !g.field(role) && !used(*f)) g.roles[role] = f;
    }

    void byNames() {
        std::vector<Candidate> all;
        for (const Field& f : sample.fields) {
            const std::vector<std::string> words = wordsOf(f.label);
            const bool other = matches(words, "other") > 0, worker = matches(words, "worker") > 0;
            for (const std::string& role : rolesWith("")) {
                if (role.rfind("register:", 0) == 0 || role == "other") continue;
                int score = matches(words, role);
                // In a nested record the last word says most: `address city`.
                if (score < 1000 && words.size() > 1)
                    score = std::max(score, matches(wordsOf(f.label.substr(f.label.rfind(' ') + 1)), role) - 50);
                if (score < 200 || (kExact.count(role) && score < 900)) continue;
                if (other && score < 1000 &&
                    (kOfPerson.count(role) || isId(role) || role == "phone" || role == "email"))
                    continue;
                if (worker && (kOfPerson.count(role) || role == "phone" || role == "email")) continue;
                if (holds(role, f, g, sample.records)) all.push_back({score, role, &f});
            }
            if (worker && holds("phone", f, g, sample.records) && matches(words, "phone") > 0)
                all.push_back({950, "worker_phone", &f});
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
        for (const Candidate& c : all) give(c.role, c.field);
    }

    /// `name`, `nom`, `nome`: the part that is not there under a name of its own, or the whole.
    void name() {
        const Field* f = g.field("name");
        if (!f) return;
        g.roles.erase("name");
        if (g.field("family") && !g.field("given")) g.roles["given"] = f;
        else if (g.field("given") && !g.field("family")) g.roles["family"] = f;
        else if (!g.field("family") && !g.field("full_name")) g.roles["full_name"] = f;
    }

    static bool nameLike(const std::string& v) {
        if (v.size() < 2 || v.size() > 40) return false;
        return std::all_of(v.begin(), v.end(), [](char c) {
            return !(c >= '0' && c <= '9') && c != '@' && c != '_' && c != '/' && c != ':' && c != '(';
        });
    }

    void byValues() {
        for (const Field& f : sample.fields) {
            if (used(f) || f.values.empty() || sample.described) continue;
            const bool date = g.dates.count(&f) > 0;
            if (!date && share(f.values, [](const std::string& v) { return v.find('@') != v.npos; }) > 0.8)
                give("email", &f);
            auto dialled = [](const std::string& v) {
                const auto digits = std::count_if(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; });
                return (v[0] == '+' || v[0] == '0') && digits >= 9 && digits <= 14 && v.find_first_of(",:") == v.npos;
            };
            if (!date && !sample.format.header && share(f.values, dialled) > 0.9) give("phone", &f);
            if (std::string scheme = identifierScheme(f.values); !scheme.empty()) give("id:" + scheme, &f);
            const bool letters = f.distinct >= 2 && f.distinct <= 6 && f.filled * 2 > sample.records;
            if (!date && letters && wordsOf(f.label).size() <= 1 && knownSexes(f)) give("sex", &f);
        }
        if (!g.field("birth_date")) {
            // The dates that lie farthest back, if far enough.
            const Field* oldest = nullptr;
            int least = 9999, latest = 0;
            for (const auto& [f, pattern] : g.dates) {
                std::vector<int> years;
                for (const std::string& v : f->values) years.push_back(yearOf(v, pattern));
                std::sort(years.begin(), years.end());
                const int median = years[years.size() / 2];
                latest = std::max(latest, years.back());
                if (used(*f) || median >= least) continue;
                least = median;
                oldest = f;
            }
            if (oldest && latest - least >= 8 && !sample.described) give("birth_date", oldest);
        }
        if (!g.field("family") && !g.field("full_name") && !g.field("given") && !sample.format.header) names();
    }
    bool knownSexes(const Field& f) const {
        return std::all_of(f.values.begin(), f.values.end(), [&](const std::string& v) {
            const std::string word = folded(v);
            return !word.empty() && !(word[0] >= '0' && word[0] <= '9') && !sexOf(v, f.values).empty();
        });
    }
    /// Without column names: two neighbours of words, many different; given names repeat more than surnames.
    void names() {
        for (std::size_t i = 0; i + 1 < sample.fields.size(); ++i) {
            const Field &a = sample.fields[i], &b = sample.fields[i + 1];
            auto is = [&](const Field& f) {
                return !used(f) && !g.dates.count(&f) && f.distinct * 50 > f.filled && f.distinct > 4 &&
                       f.filled * 10 > sample.records * 9 && share(f.values, nameLike) > 0.95;
            };
            if (!is(a) || !is(b)) continue;
            const bool swapped = a.distinct * 3 < b.distinct * 2;
            give("family", swapped ? &b : &a);
            give("given", swapped ? &a : &b);
            return;
        }
    }

    void entity(const std::string& name) {
        const std::vector<std::string> file = wordsOf(name);
        int best = 0;
        for (const std::string& role : rolesWith("register:")) {
            int score = matches(file, role);
            for (const Field& f : sample.fields) score = std::max(score, matches(wordsOf(f.label), role) - 600);
            if (score <= best) continue;
            best = score;
            g.entity = role.substr(9);
        }
        if (best >= 300) return;
        if (g.field("employer") && (g.field("occupation") || g.field("start"))) g.entity = "employment";
        else if (g.field("placement_kind") || (g.field("provider") && g.field("legal_status"))) g.entity = "placement";
        else g.entity = "involvement";
    }

    bool complete(const Field* f) const { return f && (sample.described || f->filled * 1000 >= sample.records * 999); }
    bool unique(const Field* f) const {
        return complete(f) && (sample.described || f->distinct * 1000 >= f->filled * 999);
    }

    void keys() {
        std::vector<const Field*> ids{g.field("person_id")};
        for (const auto& [role, f] : g.roles)
            if (isId(role)) ids.push_back(f);
        const Field* row = g.field("row_id");
        // Any other that names the row; those that name the person only where nothing else does.
        std::vector<const Field*> others;
        for (const Field& f : sample.fields)
            if (std::find(ids.begin(), ids.end(), &f) == ids.end()) others.push_back(&f);
        others.insert(others.end(), ids.begin(), ids.end());
        for (const Field* candidate : others) {
            if (unique(row)) break;
            if (!candidate) continue;
            const Field& f = *candidate;
            // A unique number is a key where its name says so, or where nothing else can name the person.
            const std::vector<std::string> words = wordsOf(f.label);
            const bool people = g.field("birth_date") && (g.field("family") || g.field("full_name"));
            const bool said = matches(words, "row_id") > 0 || matches(words, "person_id") > 0;
            if (people && sample.format.header && !said) continue;
            const bool amount = share(f.values, [](const std::string& v) {
                                    return isNumber(v) && v.find_first_of(".,") != v.npos;
                                }) > 0.1;
            const bool name = g.field("family") == &f || g.field("given") == &f || g.field("full_name") == &f;
            const bool contact = g.field("phone") == &f || g.field("email") == &f || g.field("street") == &f;
            if (unique(&f) && !amount && !g.dates.count(&f) && !name && !contact && sample.records > 3 &&
                !sample.described)
                row = &f;
        }
        for (const Field* f : ids)
            if (g.person_key.empty() && complete(f)) g.person_key = {f};
        if (g.person_key.empty() && unique(row)) g.person_key = {row};
        if (g.person_key.empty()) {
            g.keys_complete = false;
            for (const Field* f : ids)
                if (g.person_key.empty() && f && f->filled * 2 > sample.records) g.person_key = {f};
            for (const char* role : {"family", "given", "full_name", "birth_date"})
                if (const Field* f = g.field(role)) g.person_key.push_back(f);
            if (g.person_key.empty() && row) g.person_key = {row};
            for (const Field& f : sample.fields)
                if (g.person_key.size() < 3 && g.person_key.empty() == false && complete(&f) &&
                    g.person_key.front() != &f && !row)
                    g.person_key.push_back(&f);
            if (g.person_key.empty())
                for (const Field& f : sample.fields)
                    if (g.person_key.size() < 4 && (complete(&f) || sample.fields.size() < 4))
                        g.person_key.push_back(&f);
            if (g.person_key.empty() && !sample.fields.empty()) g.person_key = {&sample.fields.front()};
        }
        if (unique(row)) {
            g.row_key = {row};
            return;
        }
        g.row_key = g.person_key;
        for (const char* role : {"row_id", "start", "end"})
            if (const Field* f = g.field(role);
                f && std::find(g.row_key.begin(), g.row_key.end(), f) == g.row_key.end())
                g.row_key.push_back(f);
    }
};

}  // namespace

bool Guess::uses(const Field& field) const {
    auto in = [&](const std::vector<const Field*>& key) {
        return std::find(key.begin(), key.end(), &field) != key.end();
    };
    if (in(person_key) || in(row_key)) return true;
    return std::any_of(roles.begin(), roles.end(), [&](const auto& r) { return r.second == &field; });
}

std::string sexOf(const std::string& word, const std::vector<std::string>& all) {
    static const std::map<std::string, std::string> kSexes = {
        {"male", "male"},          {"maschio", "male"},     {"maschile", "male"},   {"uomo", "male"},
        {"homme", "male"},         {"masculin", "male"},    {"hombre", "male"},     {"varon", "male"},
        {"masculino", "male"},     {"mann", "male"},        {"mannlich", "male"},   {"maennlich", "male"},
        {"man", "male"},           {"mannelijk", "male"},   {"homem", "male"},      {"mand", "male"},
        {"mies", "male"},          {"mezczyzna", "male"},   {"muz", "male"},        {"1", "male"},
        {"herr", "male"},          {"mr", "male"},          {"female", "female"},   {"f", "female"},
        {"femmina", "female"},     {"femminile", "female"}, {"donna", "female"},    {"femme", "female"},
        {"feminin", "female"},     {"mujer", "female"},     {"hembra", "female"},   {"femenino", "female"},
        {"frau", "female"},        {"weiblich", "female"},  {"w", "female"},        {"vrouw", "female"},
        {"vrouwelijk", "female"},  {"v", "female"},         {"mulher", "female"},   {"feminino", "female"},
        {"kvinde", "female"},      {"kvinne", "female"},    {"kvinna", "female"},   {"k", "female"},
        {"nainen", "female"},      {"n", "female"},         {"kobieta", "female"},  {"zena", "female"},
        {"2", "female"},           {"other", "other"},      {"altro", "other"},     {"autre", "other"},
        {"otro", "other"},         {"divers", "other"},     {"x", "other"},         {"anders", "other"},
        {"outro", "other"},        {"o", "other"},          {"3", "other"},         {"unknown", "unknown"},
        {"u", "unknown"},          {"0", "unknown"},        {"9", "unknown"},       {"nd", "unknown"},
        {"unbekannt", "unknown"},  {"onbekend", "unknown"}, {"inconnu", "unknown"}, {"desconocido", "unknown"},
        {"sconosciuto", "unknown"}};
    const std::string key = folded(word);
    auto stands = [&](const char* other) {
        return std::any_of(all.begin(), all.end(), [&](const std::string& v) { return folded(v) == other; });
    };
    // Hombre and mujer, homme and femme, heren; muz and zena, mies and nainen; divers.
    if (key == "h") return "male";
    if (key == "m") return stands("h") ? "female" : "male";
    if (key == "d") return stands("w") ? "other" : stands("u") ? "female" : "";
    if (key == "z") return stands("m") ? "female" : "";
    auto found = kSexes.find(key);
    return found == kSexes.end() ? "" : found->second;
}

Guess guess(const Sample& sample, const std::string& name) {
    Guess g;
    for (const Field& f : sample.fields)
        if (std::string pattern = datePattern(f.values); !pattern.empty()) g.dates[&f] = pattern;
    int latest = 0;
    for (const auto& [f, pattern] : g.dates)
        for (const std::string& v : f->values)
            if (pattern.find("yyyy") != pattern.npos || pattern == "iso") latest = std::max(latest, yearOf(v, pattern));
    if (latest >= 2000 && latest < 2100) g.latest_year = latest;
    Guesser guesser{sample, g};
    guesser.byNames();
    guesser.name();
    guesser.byValues();
    guesser.entity(name);
    // A date that nothing else claims is when it began; another one, when it ended.
    for (const Field& f : sample.fields)
        if (g.dates.count(&f) && !g.field("start") && !sample.described) guesser.give("start", &f);
    guesser.keys();
    return g;
}

}  // namespace porta::mapping
