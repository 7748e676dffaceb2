#include "base/compression.h"

#include <zstd.h>

#include <memory>
#include <new>

namespace porta {

namespace {

constexpr std::size_t kMaxBytes = 1u << 30;
/// Shorter texts are only searched for what stands twice: a code of their own for their letters takes 3 us more, and saves
/// 40 of 245 bytes of an HL7 v2 message.
constexpr std::size_t kShort = 512;
constexpr int kFastest = -1, kFast = 1;

struct Free {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
    void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

}  // namespace

std::string compress(std::string_view bytes) {
    // A context is some hundred kilobytes, which cost more to set up than a short record to compress.
    static thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const int level = bytes.size() < kShort ? kFastest : kFast;
    const std::size_t n = ZSTD_compressCCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size(), level);
    if (ZSTD_isError(n)) throw std::bad_alloc();  // the room is enough for any input
    out.resize(n);
    return out;
}

Result<std::string> decompress(std::string_view bytes) {
    static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
    const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size > kMaxBytes) return fail(Errc::internal, "a stored payload does not say its size", "store.zstd");
    std::string out(size, '\0');
    const std::size_t n = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(n) || n != size) return fail(Errc::internal, "a stored payload cannot be opened", "store.zstd");
    return out;
}

}  // namespace porta
