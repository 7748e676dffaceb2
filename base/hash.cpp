#include "base/hash.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace porta {

namespace {

/// Fetching an algorithm anew costs as much as a short digest: once per process is enough.
const EVP_MD* sha256Algorithm() {
    static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return md;
}

struct Context {
    EVP_MD_CTX* ctx = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(ctx); }
};

}  // namespace

Sha256 sha256(std::string_view bytes) {
    static thread_local Context context;
    Sha256 out;
    unsigned int size = 0;
    if (!EVP_DigestInit_ex2(context.ctx, sha256Algorithm(), nullptr) ||
        !EVP_DigestUpdate(context.ctx, bytes.data(), bytes.size()) ||
        !EVP_DigestFinal_ex(context.ctx, out.data(), &size))
        std::abort();  // SHA-256 of memory cannot fail; without it nothing here may go on
    return out;
}

Sha256 sha256(const std::function<std::string_view()>& next) {
    Context context;
    Sha256 out;
    unsigned int size = 0;
    bool good = EVP_DigestInit_ex2(context.ctx, sha256Algorithm(), nullptr);
    for (std::string_view piece; good && !(piece = next()).empty();)
        good = EVP_DigestUpdate(context.ctx, piece.data(), piece.size());
    if (!good || !EVP_DigestFinal_ex(context.ctx, out.data(), &size)) std::abort();
    return out;
}

std::string hex(const std::uint8_t* bytes, std::size_t size) {
    static const char digits[] = "0123456789abcdef";
    std::string out(size * 2, '0');
    for (std::size_t i = 0; i < size; ++i) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return out;
}

std::string hex(const Sha256& digest) { return hex(digest.data(), digest.size()); }

/// The two states of HMAC (RFC 2104) after their key block, copied for each text.
struct KeyedHash::State {
    EVP_MD_CTX* inner = EVP_MD_CTX_new();
    EVP_MD_CTX* outer = EVP_MD_CTX_new();
    EVP_MD_CTX* work = EVP_MD_CTX_new();
    ~State() {
        EVP_MD_CTX_free(inner);
        EVP_MD_CTX_free(outer);
        EVP_MD_CTX_free(work);
    }
};

KeyedHash::KeyedHash(std::string_view key32) : state_(new State) {
    std::array<std::uint8_t, 64> inner, outer;
    for (std::size_t i = 0; i < 64; ++i) {
        std::uint8_t k = i < key32.size() ? static_cast<std::uint8_t>(key32[i]) : 0;
        inner[i] = k ^ 0x36;
        outer[i] = k ^ 0x5c;
    }
    EVP_DigestInit_ex2(state_->inner, sha256Algorithm(), nullptr);
    EVP_DigestUpdate(state_->inner, inner.data(), inner.size());
    EVP_DigestInit_ex2(state_->outer, sha256Algorithm(), nullptr);
    EVP_DigestUpdate(state_->outer, outer.data(), outer.size());
}

KeyedHash::KeyedHash(const KeyedHash& other) : state_(new State) {
    EVP_MD_CTX_copy_ex(state_->inner, other.state_->inner);
    EVP_MD_CTX_copy_ex(state_->outer, other.state_->outer);
}

KeyedHash::~KeyedHash() { delete state_; }

std::int64_t KeyedHash::operator()(std::string_view text) const {
    Sha256 digest;
    unsigned int size = 0;
    EVP_MD_CTX_copy_ex(state_->work, state_->inner);
    EVP_DigestUpdate(state_->work, text.data(), text.size());
    EVP_DigestFinal_ex(state_->work, digest.data(), &size);
    EVP_MD_CTX_copy_ex(state_->work, state_->outer);
    EVP_DigestUpdate(state_->work, digest.data(), digest.size());
    EVP_DigestFinal_ex(state_->work, digest.data(), &size);
    std::uint64_t first = 0;
    for (int i = 0; i < 8; ++i) first = first << 8 | digest[static_cast<std::size_t>(i)];
    return static_cast<std::int64_t>(first);
}

}  // namespace porta
