#pragma once
/// A vector whose first N items stand inside of it: results of expressions hold one or two. For plain values only; what the
/// standard library has for this (C++26's inplace_vector) cannot grow.
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace porta {

namespace detail {

/// Memory that vectors of this thread have let go, by size, for those that outgrow theirs next: a thread that works on one
/// record after the other asks the system for it once.
class Blocks {
public:
    /// At least `bytes`, of which there are `bytes` then.
    static void* take(std::size_t& bytes) {
        bytes = std::bit_ceil(std::max(bytes, kLeast));
        Blocks& my = mine;
        const std::size_t k = level(bytes);
        if (k >= kLevels || ended || my.free_[k] == nullptr) return ::operator new(bytes);
        Free* block = my.free_[k];
        my.free_[k] = block->next;
        --my.kept_[k];
        ASAN_UNPOISON_MEMORY_REGION(block, bytes);
        return block;
    }
    static void give(void* at, std::size_t bytes) {
        Blocks& my = mine;
        const std::size_t k = level(bytes);
        if (k >= kLevels || ended || my.kept_[k] == kMost) return ::operator delete(at);
        my.free_[k] = new (at) Free{my.free_[k]};
        ++my.kept_[k];
        // So that the sanitizer still sees whoever goes on with a block that was let go.
        ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(at) + sizeof(Free), bytes - sizeof(Free));
    }
    ~Blocks() {
        ended = true;  // vectors that live longer go to the system
        for (Free* block : free_)
            while (block != nullptr) {
                Free* next = block->next;
                ::operator delete(block);
                block = next;
            }
    }

private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t kLeast = 64, kLevels = 12, kMost = 32;  ///< 64 bytes to 128 KiB
    static std::size_t level(std::size_t bytes) { return static_cast<std::size_t>(std::countr_zero(bytes / kLeast)); }

    Free* free_[kLevels] = {};
    std::size_t kept_[kLevels] = {};
    static thread_local Blocks mine;
    static thread_local bool ended;
};
inline thread_local Blocks Blocks::mine;
inline thread_local bool Blocks::ended = false;

}  // namespace detail

template <class T, std::size_t N>
class SmallVector {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    using value_type = T;
    SmallVector() noexcept : data_(inside()) {}
    SmallVector(std::initializer_list<T> items) : SmallVector() { append(items.begin(), items.end()); }
    SmallVector(const SmallVector& other) : SmallVector() { append(other.begin(), other.end()); }
    SmallVector(SmallVector&& other) noexcept : SmallVector() { take(other); }
    SmallVector& operator=(const SmallVector& other) {
        if (this != &other) {
            size_ = 0;
            append(other.begin(), other.end());
        }
        return *this;
    }
    SmallVector& operator=(SmallVector&& other) noexcept {
        if (this != &other) take(other);
        return *this;
    }
    ~SmallVector() { release(); }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T& front() { return data_[0]; }
    const T& front() const { return data_[0]; }
    T& back() { return data_[size_ - 1]; }
    const T& back() const { return data_[size_ - 1]; }

    void clear() { size_ = 0; }
    /// Drops what stands behind the first `size` items.
    void shrink(std::size_t size) { size_ = std::min(size_, size); }
    void push_back(const T& item) {
        if (size_ == room_) {
            const T copy = item;  // it may stand in here
            grow(size_ + 1);
            new (data_ + size_) T(copy);
        } else {
            new (data_ + size_) T(item);
        }
        ++size_;
    }
    /// Items of another vector.
    void append(const T* first, const T* last) {
        const std::size_t n = static_cast<std::size_t>(last - first);
        if (n == 0) return;
        if (size_ + n > room_) grow(size_ + n);
        if (n == 1) new (data_ + size_) T(*first);  // the most frequent case, without a call
        else std::memcpy(static_cast<void*>(data_ + size_), first, n * sizeof(T));
        size_ += n;
    }

private:
    alignas(T) std::byte room_inside_[N * sizeof(T)];
    T* data_;
    std::size_t size_ = 0, room_ = N;
    std::size_t bytes_ = 0;  ///< of what is not inside

    T* inside() { return reinterpret_cast<T*>(room_inside_); }
    void grow(std::size_t least) {
        std::size_t bytes = std::max(least, room_ * 2) * sizeof(T);
        T* wider = static_cast<T*>(detail::Blocks::take(bytes));
        std::memcpy(static_cast<void*>(wider), data_, size_ * sizeof(T));
        release();
        data_ = wider;
        bytes_ = bytes;
        room_ = bytes / sizeof(T);
    }
    void release() {
        if (data_ != inside()) detail::Blocks::give(data_, bytes_);
    }
    void take(SmallVector& other) noexcept {
        if (other.data_ == other.inside()) {
            size_ = other.size_;
            std::memcpy(static_cast<void*>(data_), other.data_, other.size_ * sizeof(T));
        } else {
            release();
            data_ = std::exchange(other.data_, other.inside());
            bytes_ = other.bytes_;
            size_ = other.size_;
            room_ = std::exchange(other.room_, N);
        }
        other.size_ = 0;
    }
};

}  // namespace porta
