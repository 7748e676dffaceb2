#pragma once
/// A ViewDefinition as it is run: selections with compiled expressions. Private to this folder.
#include <optional>

#include "fhirpath/viewdef/view_definition.h"

namespace porta::fhirpath {

struct ColumnPlan {
    ViewColumn column;
    Expression path;
    bool only_index = false;  ///< reads %rowIndex and nothing of the data
};

struct Selection {
    enum class Each { here, for_each, for_each_or_null, repeat };
    Each each = Each::here;
    std::vector<Expression> paths = {};  ///< of forEach or forEachOrNull one, of repeat several
    std::vector<ColumnPlan> columns = {};
    std::vector<Selection> selects = {};
    std::vector<Selection> unions = {};
    std::size_t width = 0;  ///< columns, those of `selects` and those of one of `unions`
};

struct ViewDefinition::Impl {
    std::string name, resource;
    std::vector<std::pair<std::string, Value>> constants = {};
    Arena texts = {};  ///< of the constants
    std::vector<Expression> where = {};
    Selection root = {};
    std::vector<ViewColumn> columns = {};
};

}  // namespace porta::fhirpath
