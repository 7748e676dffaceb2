#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <cstring>

namespace porta {

namespace {

constexpr std::size_t kTag = 16;

/// A context that knows its cipher: told again with each key, OpenSSL 3 would take it down and build it anew.
struct Cipher {
    EVP_CIPHER* algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new();
    explicit Cipher(bool seals) {
        if (!EVP_CipherInit_ex2(ctx, algorithm, nullptr, nullptr, seals, nullptr)) std::abort();
    }
    ~Cipher() {
        EVP_CIPHER_CTX_free(ctx);
        EVP_CIPHER_free(algorithm);
    }
};

const unsigned char* data(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string sealBox(const Key& key, const Nonce& nonce, std::string_view plain) {
    static thread_local const Cipher c(true);
    std::string box(plain.size() + kTag, '\0');
    int n = 0, last = 0;
    if (!EVP_EncryptInit_ex2(c.ctx, nullptr, key.data(), nonce.data(), nullptr) ||
        !EVP_EncryptUpdate(c.ctx, data(box), &n, data(plain), static_cast<int>(plain.size())) ||
        !EVP_EncryptFinal_ex(c.ctx, data(box) + n, &last) ||
        !EVP_CIPHER_CTX_ctrl(c.ctx, EVP_CTRL_GCM_GET_TAG, kTag, data(box) + plain.size()))
        std::abort();  // an encryption that fails must never leave clear text behind
    return box;
}

Result<std::string> openBox(const Key& key, const Nonce& nonce, std::string_view box) {
    if (box.size() < kTag) return fail(Errc::malformed, "an encrypted value is cut off", "crypto.short");
    static thread_local const Cipher c(false);
    std::string plain(box.size() - kTag, '\0');
    std::string tag(box.substr(plain.size()));
    int n = 0, last = 0;
    if (!EVP_DecryptInit_ex2(c.ctx, nullptr, key.data(), nonce.data(), nullptr) ||
        !EVP_DecryptUpdate(c.ctx, data(plain), &n, data(box), static_cast<int>(plain.size())) ||
        !EVP_CIPHER_CTX_ctrl(c.ctx, EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) ||
        EVP_DecryptFinal_ex(c.ctx, data(plain) + n, &last) <= 0)
        return fail(Errc::malformed, "an encrypted value does not fit its key", "crypto.tag");
    return plain;
}

void randomBytes(std::uint8_t* out, std::size_t size) {
    // One call for many keys: RAND_bytes costs 0.66 us a call and almost nothing a byte.
    static thread_local std::array<std::uint8_t, 4096> pool;
    static thread_local std::size_t used = pool.size();
    if (size > pool.size()) {
        if (RAND_bytes(out, static_cast<int>(size)) != 1) std::abort();
        return;
    }
    if (pool.size() - used < size) {
        if (RAND_bytes(pool.data(), static_cast<int>(pool.size())) != 1) std::abort();
        used = 0;
    }
    std::memcpy(out, pool.data() + used, size);
    std::memset(pool.data() + used, 0, size);
    used += size;
}

Key randomKey() {
    Key key;
    randomBytes(key.data(), key.size());
    return key;
}

Key deriveKey(const Key& key, std::string_view use) {
    // HKDF-SHA256 with an empty salt, one block of output.
    unsigned char zero[32] = {}, prk[32], out[32];
    unsigned int size = 32;
    std::string info(use);
    info += '\x01';
    if (!HMAC(EVP_sha256(), zero, sizeof zero, key.data(), key.size(), prk, &size) ||
        !HMAC(EVP_sha256(), prk, sizeof prk, data(std::string_view(info)), info.size(), out, &size))
        std::abort();
    Key derived;
    std::memcpy(derived.data(), out, derived.size());
    return derived;
}

}  // namespace porta
