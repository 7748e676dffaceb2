#pragma once
/// AES-256-GCM and bulk randomness (OpenSSL EVP). A sealed box is ciphertext + 16 bytes tag; the nonce is the caller's and
/// must never repeat under one key with other plaintext.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace porta {

using Key = std::array<std::uint8_t, 32>;
using Nonce = std::array<std::uint8_t, 12>;

std::string sealBox(const Key& key, const Nonce& nonce, std::string_view plain);
/// Errors: malformed when the tag does not match.
Result<std::string> openBox(const Key& key, const Nonce& nonce, std::string_view box);
/// Random bytes, drawn in bulk. Threads: any.
void randomBytes(std::uint8_t* out, std::size_t size);
Key randomKey();
/// HKDF-SHA256 (RFC 5869) of a key for one named use.
Key deriveKey(const Key& key, std::string_view use);

}  // namespace porta
