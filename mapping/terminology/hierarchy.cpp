#include "mapping/terminology/hierarchy.h"

#include <algorithm>

namespace porta::mapping {

namespace {

const std::vector<Hierarchy>& all() {
    static const std::vector<Hierarchy> kAll = {
        {"isco-08",
         1,
         {
#include "mapping/terminology/data/isco_08.inc"
         }},
        {"nace-2",
         2,
         {
#include "mapping/terminology/data/nace_2.inc"
         }},
        {"nace-2.1",
         2,
         {
#include "mapping/terminology/data/nace_2_1.inc"
         }},
        {"icd-10",
         3,
         {
#include "mapping/terminology/data/icd_10.inc"
         }},
    };
    return kAll;
}

bool sign(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.'; }

}  // namespace

const Hierarchy* Hierarchy::named(std::string_view name) {
    for (const Hierarchy& h : all())
        if (h.name() == name) return &h;
    return nullptr;
}

std::vector<std::string> Hierarchy::names() {
    std::vector<std::string> names;
    for (const Hierarchy& h : all()) names.emplace_back(h.name());
    return names;
}

std::string Hierarchy::parent(std::string_view code) const {
    if (code.empty() || code.size() > 20 || !std::all_of(code.begin(), code.end(), sign)) return {};
    if (code.size() > stem_) {
        // The last sign less, and no point at the end: `62.01`, `62.0`, `62`.
        std::string_view above = code.substr(0, code.size() - 1);
        if (above.back() == '.') above.remove_suffix(1);
        return std::string(above);
    }
    // Chapters of ICD-10 have numbers that look like categories: `XIX`.
    if (stem_ > 1 && !title(code).empty()) return {};
    for (const Group& g : groups_)
        if (code.size() == g.first.size() && g.first <= code && code <= g.last && g.code != code)
            return std::string(g.code);
    return {};
}

std::string_view Hierarchy::title(std::string_view code) const {
    for (const Group& g : groups_)
        if (g.code == code) return g.title;
    return {};
}

}  // namespace porta::mapping
