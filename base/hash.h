#pragma once
/// SHA-256 and keyed 8-byte hashes (OpenSSL EVP). Everything that names a person in an index is a keyed hash.
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace porta {

using Sha256 = std::array<std::uint8_t, 32>;

/// FIPS 180-4. Threads: any.
Sha256 sha256(std::string_view bytes);
/// Of the pieces that `next` gives, until it gives an empty one.
Sha256 sha256(const std::function<std::string_view()>& next);
std::string hex(const std::uint8_t* bytes, std::size_t size);
std::string hex(const Sha256& digest);

/// First eight bytes (big endian) of HMAC-SHA256 over `text`. Copyable, one thread per instance.
class KeyedHash {
public:
    explicit KeyedHash(std::string_view key32);
    KeyedHash(const KeyedHash& other);
    KeyedHash& operator=(const KeyedHash&) = delete;
    ~KeyedHash();
    std::int64_t operator()(std::string_view text) const;

private:
    struct State;
    State* state_;
};

}  // namespace porta
