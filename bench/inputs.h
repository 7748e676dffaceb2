#pragma once
/// The records that `bench/micro.cpp` times, invented, with the answers that they must give.
#include <string>
#include <vector>

#include "formats/format.h"

namespace porta::bench {

struct Sample {
    std::string name;
    std::string bytes;
    std::string context = {};       ///< of a CSV row: its header
    std::string mapping = {};       ///< empty: read only
    formats::Settings format = {};  ///< where there is no mapping
    std::size_t nodes = 0, operations = 0, leaves = 0;
};

/// `root`: the project's folder, where the mappings are.
std::vector<Sample> samples(const std::string& root);

}  // namespace porta::bench
