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
    struct Title {
        std::string_view code, title;
    };
    /// `isco-08`, `nace-2`, `nace-2.1`, `icd-10`; null for another name. Owner: the process.
    static const Hierarchy* named(std::string_view name);
    static std::vector<std::string> names();

    std::string_view name() const { return name_; }
    /// The group right above, or "" at the top and for what is no code of it.
    std::string parent(std::string_view code) const;
    /// The title of a group or code that the table names, or "".
    std::string_view title(std::string_view code) const;
    /// Those that it names, groups first.
    std::vector<Title> titles() const;
    /// It names every code of the classification.
    bool complete() const { return !below_.empty(); }
    /// By its form the code may stand below a group that the table names; of a complete table: it is one that it names.
    bool possible(std::string_view code) const;
    const std::vector<std::string_view>& urls() const { return urls_; }  ///< that code systems are named by elsewhere

    /// How its codes look: up to `longest` signs, behind the first digits and points only.
    struct Form {
        std::size_t longest;
        bool digits;
    };
    Hierarchy(std::string_view name, std::vector<std::string_view> urls, std::size_t listed, std::size_t stem,
              Form form, std::vector<Group> groups, std::vector<Title> below = {})
        : name_(name),
          urls_(std::move(urls)),
          listed_(listed),
          stem_(stem),
          form_(form),
          groups_(std::move(groups)),
          below_(std::move(below)) {}

private:
    std::string_view name_;
    std::vector<std::string_view> urls_;
    std::size_t listed_;  ///< codes up to this length are all in the table
    std::size_t stem_;    ///< codes of this length stand right below the table's groups
    Form form_;
    std::vector<Group> groups_;
    std::vector<Title> below_;  ///< sorted; all codes below the groups, or none

    std::string_view groupTitle(std::string_view code) const;
};

}  // namespace porta::mapping
