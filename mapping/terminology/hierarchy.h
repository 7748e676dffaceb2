#pragma once
/// Classifications whose groups stand above their codes: what a code belongs to. A code map with a `hierarchy` takes, for a
/// code without a row, the row of its nearest group.
///
///     const Hierarchy* isco = Hierarchy::named("isco-08");
///     isco->parent("2221");  // "222", then "22", then "2", then ""
/// Source: data/README.md.
#include <string>
#include <string_view>
#include <vector>

namespace porta::mapping {

class Hierarchy {
public:
    struct Group {
        std::string_view first, last, code, title;
    };
    /// `isco-08`, `nace-2`, `nace-2.1`, `icd-10`; null for another name. Owner: the process.
    static const Hierarchy* named(std::string_view name);
    static std::vector<std::string> names();

    std::string_view name() const { return name_; }
    /// The group right above, or "" at the top and for what is no code of it.
    std::string parent(std::string_view code) const;
    /// The title of a group that the table names, or "".
    std::string_view title(std::string_view code) const;

    Hierarchy(std::string_view name, std::size_t stem, std::vector<Group> groups)
        : name_(name), stem_(stem), groups_(std::move(groups)) {}

private:
    std::string_view name_;
    std::size_t stem_;  ///< codes of this length stand right below the table's groups
    std::vector<Group> groups_;
};

}  // namespace porta::mapping
