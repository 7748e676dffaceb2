#include "formats/charset.h"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <cstring>
#include <memory>
#include <vector>

namespace porta::formats {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080u;
/// Eight bytes at once, in whatever order.
std::uint64_t eight(const char* at) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    return word;
}

}  // namespace

bool isAscii(std::string_view bytes) {
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8)
        if (eight(bytes.data() + i) & kHighBits) return false;
    for (; i < bytes.size(); ++i)
        if (static_cast<unsigned char>(bytes[i]) >= 0x80) return false;
    return true;
}

std::size_t invalidUtf8(std::string_view b) {
    for (std::size_t i = 0; i < b.size();) {
        auto at = [&](std::size_t k) { return k < b.size() ? static_cast<unsigned char>(b[k]) : 0u; };
        while (i + 8 <= b.size() && !(eight(b.data() + i) & kHighBits)) i += 8;
        if (i == b.size()) break;
        unsigned lead = at(i);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        std::size_t n = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        unsigned second = at(i + 1);
        bool good = lead >= 0xC2 && lead <= 0xF4 && i + n < b.size();
        if (lead == 0xE0) good = good && second >= 0xA0;
        if (lead == 0xED) good = good && second < 0xA0;
        if (lead == 0xF0) good = good && second >= 0x90;
        if (lead == 0xF4) good = good && second < 0x90;
        for (std::size_t k = 1; good && k <= n; ++k) good = (at(i + k) & 0xC0) == 0x80;
        if (!good) return i;
        i += n + 1;
    }
    return std::string_view::npos;
}

std::string narrowed(std::string_view bytes, bool big) {
    std::string out;
    out.reserve((bytes.size() + 1) / 2);
    for (std::size_t at = 0; at < bytes.size(); at += 2) {
        bool half = at + 1 == bytes.size();
        char high = half ? '\x80' : bytes[big ? at : at + 1], low = half ? '\x80' : bytes[big ? at + 1 : at];
        out += high == 0 && static_cast<unsigned char>(low) < 0x80 ? low : '\x80';
    }
    return out;
}

Result<Charset> Charset::named(std::string_view name) {
    Charset c;
    UErrorCode status = U_ZERO_ERROR;
    std::string text(name);
    if (ucnv_compareNames(text.c_str(), "utf-8") == 0) return c;
    UConverter* converter = ucnv_open(text.c_str(), &status);
    if (U_FAILURE(status))
        return fail(Errc::misconfigured, "unknown character set; a name such as utf-8 or windows-1252 is expected",
                    "charset.name");
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    c.utf8_ = false;
    c.converter_ = converter;
    return c;
}

Charset::Charset(Charset&& other) noexcept : utf8_(other.utf8_), converter_(other.converter_) {
    other.converter_ = nullptr;
}

Charset::~Charset() {
    if (converter_) ucnv_close(static_cast<UConverter*>(converter_));
}

Charset::Wide Charset::wide() const {
    if (utf8_) return Wide::no;
    switch (ucnv_getType(static_cast<UConverter*>(converter_))) {
        case UCNV_UTF16: return Wide::marked;
        case UCNV_UTF16_BigEndian: return Wide::big;
        case UCNV_UTF16_LittleEndian: return Wide::little;
        default: return Wide::no;
    }
}

bool Charset::splitsAt(char ascii) const {
    if (utf8_) return true;
    auto alone = decode(std::string_view(&ascii, 1));
    if (!alone || *alone != std::string_view(&ascii, 1)) return false;
    for (int lead = 0x80; lead <= 0xFF; ++lead) {
        const char pair[] = {static_cast<char>(lead), ascii};
        auto both = decode(std::string_view(pair, 2));
        if (both && (both->size() < 2 || both->back() != ascii)) return false;
    }
    // Escape sequences (ISO 2022, UTF-7) change what the bytes after them mean.
    UConverterType type = ucnv_getType(static_cast<UConverter*>(converter_));
    return type != UCNV_ISO_2022 && type != UCNV_HZ && type != UCNV_UTF7 && type != UCNV_IMAP_MAILBOX &&
           type != UCNV_SCSU && type != UCNV_BOCU1;
}

Result<std::string> Charset::decode(std::string_view bytes) const {
    if (utf8_) {
        std::size_t bad = invalidUtf8(bytes);
        if (bad != std::string_view::npos)
            return fail(Errc::malformed, "a byte is not UTF-8; check the declared encoding", "charset", bad, 1);
        return std::string(bytes);
    }
    auto* converter = static_cast<UConverter*>(converter_);
    ucnv_resetToUnicode(converter);
    icu::UnicodeString all;
    UChar buffer[256];
    const char *in = bytes.data(), *end = in + bytes.size();
    UErrorCode status;
    do {
        UChar* to = buffer;
        status = U_ZERO_ERROR;
        ucnv_toUnicode(converter, &to, buffer + 256, &in, end, nullptr, true, &status);
        if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR)
            return fail(Errc::malformed, "a byte is not defined in the declared encoding", "charset",
                        static_cast<std::uint64_t>(in - bytes.data() - 1), 1);
        // windows-1252 leaves five bytes without a character; ICU maps them to C1 controls, which no text of a source means.
        for (const UChar* c = buffer; c != to; ++c)
            if (*c >= 0x80 && *c < 0xA0)
                return fail(Errc::malformed, "a byte is not defined in the declared encoding", "charset", 0, 1);
        all.append(buffer, static_cast<std::int32_t>(to - buffer));
    } while (status == U_BUFFER_OVERFLOW_ERROR);
    // At the end, because a character of two units may lie across two buffers.
    std::string out;
    all.toUTF8String(out);
    return out;
}

Result<const Charset*> sharedCharset(const std::string& name) {
    static thread_local std::vector<std::pair<std::string, std::unique_ptr<Charset>>> known;
    for (const auto& [n, c] : known)
        if (n == name) return c.get();
    auto made = Charset::named(name);
    if (!made) return made.error();
    known.emplace_back(name, std::make_unique<Charset>(std::move(*made)));
    return known.back().second.get();
}

}  // namespace porta::formats
