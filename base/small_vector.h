#pragma once
/// A vector whose first N items stand inside of it: results of expressions hold one or two. For plain values only; what the
/// standard library has for this (C++26's inplace_vector) cannot grow.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

namespace porta {

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
    ~SmallVector() {
        if (data_ != inside()) ::operator delete(data_);
    }

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

    T* inside() { return reinterpret_cast<T*>(room_inside_); }
    void grow(std::size_t least) {
        const std::size_t room = std::max(least, room_ * 2);
        T* wider = static_cast<T*>(::operator new(room * sizeof(T)));
        std::memcpy(static_cast<void*>(wider), data_, size_ * sizeof(T));
        if (data_ != inside()) ::operator delete(data_);
        data_ = wider;
        room_ = room;
    }
    void take(SmallVector& other) noexcept {
        if (other.data_ == other.inside()) {
            size_ = other.size_;
            std::memcpy(static_cast<void*>(data_), other.data_, other.size_ * sizeof(T));
        } else {
            if (data_ != inside()) ::operator delete(data_);
            data_ = std::exchange(other.data_, other.inside());
            size_ = other.size_;
            room_ = std::exchange(other.room_, N);
        }
        other.size_ = 0;
    }
};

}  // namespace porta
