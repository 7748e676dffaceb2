#include "synth/codice_fiscale.h"

namespace porta::synth {

namespace {

bool isVowel(char c) { return c == 'A' || c == 'E' || c == 'I' || c == 'O' || c == 'U'; }

void letters(const std::string& name, std::string& consonants, std::string& vowels) {
    for (char c : name) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (c < 'A' || c > 'Z') continue;
        (isVowel(c) ? vowels : consonants) += c;
    }
}

std::string two(int n) { return std::string(1, static_cast<char>('0' + n / 10)) + static_cast<char>('0' + n % 10); }

}  // namespace

std::string codiceFiscale(const std::string& family, const std::string& given, int year, int month, int day, bool male,
                          const std::string& place) {
    std::string c, v, code;
    letters(family, c, v);
    code = (c + v + "XXX").substr(0, 3);
    c.clear();
    v.clear();
    letters(given, c, v);
    if (c.size() >= 4) c = std::string{c[0], c[2], c[3]};
    code += (c + v + "XXX").substr(0, 3);
    code += two(year % 100);
    code += "ABCDEHLMPRST"[month - 1];
    code += two(male ? day : day + 40);
    code += place;
    static const int odd[36] = {1,  0,  5, 7, 9,  13, 15, 17, 19, 21, 1,  0,  5,  7,  9,  13, 15, 17,
                                19, 21, 2, 4, 18, 20, 11, 3,  6,  8,  12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    for (std::size_t i = 0; i < 15; ++i) {
        int index = code[i] <= '9' ? code[i] - '0' : code[i] - 'A' + 10;
        sum += i % 2 == 0 ? odd[index] : (code[i] <= '9' ? code[i] - '0' : code[i] - 'A');
    }
    return code + static_cast<char>('A' + sum % 26);
}

}  // namespace porta::synth
