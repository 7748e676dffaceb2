#include "base/arena.h"

#include <algorithm>

namespace porta {

/// Goes to the next block that has room, a new one when there is none.
void Arena::next(std::size_t size) {
    constexpr std::size_t kBlock = 64 * 1024;
    if (block_ < blocks_.size()) ++block_;
    while (block_ < blocks_.size() && blocks_[block_].size < size) ++block_;
    if (block_ == blocks_.size()) {
        const std::size_t room = std::max(kBlock, size);
        blocks_.push_back({std::make_unique<char[]>(room), room});
    }
}

}  // namespace porta
