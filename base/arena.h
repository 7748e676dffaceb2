#pragma once
/// Memory for what lives as long as one raw record: texts that were decoded or computed, small arrays. `clear` forgets
/// all of it and keeps the memory, so that the next record asks the system for nothing.
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace porta {

/// Owner: what it gives lives until `clear`; moving the arena does not move it. Threads: one at a time.
class Arena {
public:
    void clear() { block_ = used_ = 0; }
    /// A copy of the text.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        char* at = bytes(text.size(), 1);
        std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }
    /// Room for `n` values, not yet written.
    template <class T>
    T* make(std::size_t n) {
        static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
        return reinterpret_cast<T*>(bytes(n * sizeof(T), alignof(T)));
    }

private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
    };
    std::vector<Block> blocks_;
    std::size_t block_ = 0, used_ = 0;

    char* bytes(std::size_t size, std::size_t align) {
        std::size_t at = (used_ + align - 1) / align * align;
        if (block_ >= blocks_.size() || blocks_[block_].size < at + size) {
            next(size);
            at = 0;
        }
        used_ = at + size;
        return blocks_[block_].bytes.get() + at;
    }
    void next(std::size_t size);
};

}  // namespace porta
