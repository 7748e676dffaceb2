#include "mapping/terminology/hierarchy.h"

#include <algorithm>

namespace porta::mapping {

namespace {

const std::vector<Hierarchy>& all() {
    static const std::vector<Hierarchy> kAll = {
        {"isco-08",
         {"urn:oid:2.16.840.1.113883.2.9.6.2.7"},
         2,
         1,
         {4, true},
         {
#include "mapping/terminology/data/isco_08.inc"
         }},
        {"nace-2",
         {"http://data.europa.eu/ux2/nace2/nace2"},
         1,
         2,
         {5, true},
         {
#include "mapping/terminology/data/nace_2.inc"
         }},
        {"nace-2.1",
         {"http://data.europa.eu/ux2/nace2.1/nace2.1"},
         1,
         2,
         {5, true},
         {
#include "mapping/terminology/data/nace_2_1.inc"
         },
         {
#include "mapping/terminology/data/nace_2_1_titles.inc"
         }},
        {"icd-10",
         {"http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3"},
         1,
         3,
         {8, false},
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
    if (stem_ > 1 && !groupTitle(code).empty()) return {};
    for (const Group& g : groups_)
        if (code.size() == g.first.size() && g.first <= code && code <= g.last && g.code != code)
            return std::string(g.code);
    return {};
}

std::string_view Hierarchy::groupTitle(std::string_view code) const {
    for (const Group& g : groups_)
        if (g.code == code) return g.title;
    return {};
}

std::string_view Hierarchy::title(std::string_view code) const {
    auto found = std::lower_bound(below_.begin(), below_.end(), code,
                                  [](const Title& t, std::string_view wanted) { return t.code < wanted; });
    return found != below_.end() && found->code == code ? found->title : groupTitle(code);
}

std::vector<Hierarchy::Title> Hierarchy::titles() const {
    std::vector<Title> all;
    for (const Group& g : groups_)
        if (std::none_of(all.begin(), all.end(), [&](const Title& t) { return t.code == g.code; }))
            all.push_back({g.code, g.title});
    all.insert(all.end(), below_.begin(), below_.end());
    return all;
}

bool Hierarchy::possible(std::string_view code) const {
    if (!title(code).empty()) return true;
    if (complete() || code.size() <= listed_ || code.size() > form_.longest) return false;
    if (form_.digits && code.find_first_not_of("0123456789.", 1) != std::string_view::npos) return false;
    std::string group = parent(code);
    while (!group.empty() && title(group).empty()) group = parent(group);
    return group.size() >= listed_;
}

}  // namespace porta::mapping
