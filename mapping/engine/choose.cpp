// Which row of a code map a code takes.
#include <algorithm>

#include "mapping/engine/compiled.h"

namespace porta::mapping {

namespace {

/// Dates of different precision: `2020` holds every day of that year.
bool within(const Row& row, std::string_view day) {
    if (day.empty()) return row.to.empty();
    auto before = [](std::string_view a, std::string_view b) {
        const std::size_t common = std::min(a.size(), b.size());
        return a.substr(0, common) < b.substr(0, common);
    };
    day = day.substr(0, 10);
    return (row.from.empty() || !before(day, row.from)) && (row.to.empty() || !before(row.to, day));
}

int rank(const Row& row) {
    static constexpr std::string_view kBest[] = {"equal", "narrower", "wider", "inexact"};
    return static_cast<int>(std::find(std::begin(kBest), std::end(kBest), row.equivalence) - std::begin(kBest));
}

Choice exact(const Table& table, std::string_view code, std::string_view day) {
    if (auto found = table.rows.find(code); found != table.rows.end()) return {&found->second};
    auto several = table.several.find(code);
    Choice best;
    if (several == table.several.end()) return best;
    for (const Row& row : several->second) {
        if (!within(row, day)) continue;
        if (!best.row || rank(row) < rank(*best.row)) best = {&row};
        else if (rank(row) == rank(*best.row)) best.ambiguous = true;
    }
    return best;
}

}  // namespace

Choice choose(const Table& table, std::string_view code, std::string_view day) {
    Choice choice = exact(table, code, day);
    if (choice.row) return choice;
    if (table.hierarchy)
        for (std::string above = table.hierarchy->parent(code); !above.empty(); above = table.hierarchy->parent(above))
            if (choice = exact(table, above, day); choice.row) {
                choice.of_group = true;
                return choice;
            }
    if (table.otherwise) choice.row = &*table.otherwise;
    return choice;
}

}  // namespace porta::mapping
