#include "formats/node.h"

#include <algorithm>
#include <cstring>

namespace porta::formats {

std::string_view NodeTree::keep(std::string_view text) {
    constexpr std::size_t kBlock = 64 * 1024;
    while (block_ < blocks_.size() && sizes_[block_] - used_ < text.size()) {
        ++block_;
        used_ = 0;
    }
    if (block_ == blocks_.size()) {
        sizes_.push_back(std::max(kBlock, text.size()));
        blocks_.push_back(std::make_unique<char[]>(sizes_.back()));
        used_ = 0;
    }
    char* at = blocks_[block_].get() + used_;
    std::memcpy(at, text.data(), text.size());
    used_ += text.size();
    return {at, text.size()};
}

}  // namespace porta::formats
