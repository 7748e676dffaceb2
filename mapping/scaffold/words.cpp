// Names of columns: folded, cut into words, and looked up.
#include "mapping/scaffold/words.h"

#include <algorithm>
#include <array>
#include <set>

#include "mapping/scaffold/forms.h"
#include "mapping/scaffold/guess.h"

namespace porta::mapping {

namespace {

struct Row {
    std::string_view role, words;
};
constexpr Row kRows[] = {
#include "mapping/scaffold/words.inc"
};

/// Letters with marks, by their base letters (Unicode: Latin-1 Supplement, Latin Extended-A and what Romanian adds).
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kFolds = {{
    {"a", "àáâãäåāăąÀÁÂÃÄÅĀĂĄ"},
    {"e", "èéêëēĕėęěÈÉÊËĒĔĖĘĚ"},
    {"i", "ìíîïĩīįıÌÍÎÏĨĪĮİ"},
    {"o", "òóôõöøōőÒÓÔÕÖØŌŐ"},
    {"u", "ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ"},
    {"c", "çćĉċčÇĆĈĊČ"},
    {"n", "ñńņňÑŃŅŇ"},
    {"s", "śŝşšșŚŜŞŠȘ"},
    {"z", "źżžŹŻŽ"},
    {"l", "ĺļľłĹĻĽŁ"},
    {"t", "ţťțŢŤȚ"},
    {"y", "ýÿÝ"},
}};

std::string foldedLetter(std::string_view letter) {
    for (const auto& [base, marked] : kFolds)
        if (marked.find(letter) != std::string_view::npos) return std::string(base);
    if (letter == "ß") return "ss";
    if (letter == "æ" || letter == "Æ") return "ae";
    if (letter == "œ" || letter == "Œ") return "oe";
    if (letter == "ď" || letter == "đ" || letter == "Ď") return "d";
    if (letter == "ř" || letter == "Ř") return "r";
    if (letter == "ğ" || letter == "Ğ") return "g";
    return {};
}

bool has(std::string_view words, std::string_view word) {
    for (std::size_t at = 0; (at = words.find(word, at)) != std::string_view::npos; ++at) {
        const bool from = at == 0 || words[at - 1] == ' ';
        const std::size_t end = at + word.size();
        if (from && (end == words.size() || words[end] == ' ')) return true;
    }
    return false;
}

std::vector<std::string> cut(std::string_view label) {
    std::vector<std::string> words;
    std::string word;
    bool lower = false;
    auto end = [&] {
        if (!word.empty()) words.push_back(word);
        word.clear();
        lower = false;
    };
    for (std::size_t i = 0; i < label.size();) {
        const auto c = static_cast<unsigned char>(label[i]);
        const std::size_t size = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        const std::string_view letter = label.substr(i, size);
        i += size;
        if (size == 1) {
            const bool capital = c >= 'A' && c <= 'Z', small = c >= 'a' && c <= 'z', number = c >= '0' && c <= '9';
            if (!capital && !small && !number) {
                end();
                continue;
            }
            if (capital && lower) end();
            word += static_cast<char>(capital ? c + 32 : c);
            lower = small;
            continue;
        }
        const std::string base = foldedLetter(letter);
        if (base.empty()) word += letter;
        else word += base;
        lower = true;
    }
    end();
    return words;
}

}  // namespace

std::string folded(std::string_view text) {
    std::string all;
    for (const std::string& word : cut(text)) all += word;
    return all;
}

std::vector<std::string> wordsOf(std::string_view label) {
    static const std::set<std::string_view> kSmall = {"di",  "de",  "du",  "des", "la",    "le",   "les",   "el",  "il",
                                                      "lo",  "of",  "the", "del", "della", "dell", "dello", "da",  "do",
                                                      "dos", "van", "der", "den", "het",   "een",  "und",   "and", "e",
                                                      "y",   "et",  "en",  "d",   "l",     "am",   "zum",   "zur"};
    std::vector<std::string> words = cut(label);
    words.erase(std::remove_if(words.begin(), words.end(), [](const std::string& w) { return kSmall.count(w) > 0; }),
                words.end());
    return words;
}

int matches(const std::vector<std::string>& words, std::string_view role) {
    std::string joined;
    for (const std::string& w : words) joined += w;
    int best = 0;
    for (const Row& row : kRows) {
        if (row.role != role) continue;
        if (has(row.words, joined)) return 1000;
        // Some of the words, next to each other.
        for (std::size_t from = 0; from < words.size(); ++from) {
            std::string part;
            for (std::size_t to = from; to < words.size(); ++to) {
                part += words[to];
                if (part.size() >= 2 && has(row.words, part)) {
                    // The more of the name is said by it, the better.
                    const int covered = static_cast<int>(100 * part.size() / joined.size());
                    best = std::max(best, 300 + covered * 5);
                }
            }
        }
    }
    if (best > 0 || joined.size() < 6) return best;
    // Compounds: `Geburtsdatum_Kind`, `kundengeburtsdatum`.
    for (const Row& row : kRows) {
        if (row.role != role) continue;
        for (std::size_t at = 0; at < row.words.size();) {
            const std::size_t end = std::min(row.words.find(' ', at), row.words.size());
            const std::string_view word = row.words.substr(at, end - at);
            if (word.size() >= 6 && joined.find(word) != std::string::npos)
                best = std::max(best, 150 + static_cast<int>(100 * word.size() / joined.size()));
            at = end + 1;
        }
    }
    return best;
}

std::vector<std::string> rolesWith(std::string_view prefix) {
    std::vector<std::string> all;
    for (const Row& row : kRows)
        if (row.role.substr(0, prefix.size()) == prefix) all.emplace_back(row.role);
    return all;
}

bool knownName(std::string_view label) {
    const std::vector<std::string> words = wordsOf(label);
    if (words.empty()) return false;
    return std::any_of(std::begin(kRows), std::end(kRows), [&](const Row& row) {
        return row.role.find(':') == std::string_view::npos ? matches(words, row.role) >= 700
                                                            : row.role[0] == 'i' && matches(words, row.role) == 1000;
    });
}

}  // namespace porta::mapping
