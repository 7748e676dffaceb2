#pragma once
/// Codes that a table has no row of their own for, in what was published all the same: by its `otherwise`, by the row of a
/// group above them, kept as they are, or without their field (`partial: allow`). Other records wait in quarantine.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/engine/program.h"

namespace porta::mapping {

struct StandIn {
    std::string table, code;
    std::string_view taken;  ///< `otherwise`, `group`, `kept`, `left out`
};

/// Those of one record, by the first mapping that takes it; none where it is not published.
std::vector<StandIn> standIns(const std::vector<std::shared_ptr<const Program>>& programs,
                              const formats::Settings& format, const Input& input, formats::NodeTree& tree);

}  // namespace porta::mapping
