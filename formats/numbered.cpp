#include "formats/numbered.h"

#include <string>
#include <vector>

namespace porta::formats {

const NumberedNames& numberedNames() {
    static const auto texts = [] {
        std::vector<std::string> all;
        for (char letter : {'f', 'c', 's'})
            for (std::size_t i = 0; i < kNumbered; ++i) all.push_back(letter + std::to_string(i));
        return all;
    }();
    static const std::vector<Name> names(texts.begin(), texts.end());
    static const NumberedNames all{names.data(), names.data() + kNumbered, names.data() + 2 * kNumbered};
    return all;
}

}  // namespace porta::formats
