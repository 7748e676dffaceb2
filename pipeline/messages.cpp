#include "pipeline/messages.h"

namespace porta::pipeline {

namespace {

enum Layout : char { kRaw = 1, kRecord = 2 };

void number(std::string& out, std::int64_t n) {
    for (int i = 0; i < 8; ++i) out += static_cast<char>(static_cast<std::uint64_t>(n) >> (8 * i));
}

/// Reads the layout byte and `n` integers; the rest stays in `in`. False when they are not there.
bool header(std::string_view& in, Layout layout, std::int64_t* numbers, std::size_t n) {
    if (in.size() < 1 + 8 * n || in[0] != layout) return false;
    in.remove_prefix(1);
    for (std::size_t k = 0; k < n; ++k) {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(in[i])) << (8 * i);
        numbers[k] = static_cast<std::int64_t>(value);
        in.remove_prefix(8);
    }
    return true;
}

Error broken() { return fail(Errc::internal, "a message of the log is cut off or of another layout", "log.message"); }

}  // namespace

std::string encode(const RawMessage& m) {
    std::string out(1, kRaw);
    out.reserve(65 + m.payload.size());
    for (std::int64_t n :
         {m.raw, m.object, m.position, m.start, m.length, m.received_at, m.attempts, std::int64_t{m.generation}})
        number(out, n);
    out += m.payload;
    return out;
}

Result<RawMessage> decodeRaw(std::string_view bytes) {
    std::int64_t n[8];
    if (!header(bytes, kRaw, n, 8)) return broken();
    return RawMessage{n[0], n[1], n[2], n[3], n[4], n[5], n[6], static_cast<int>(n[7]), std::string(bytes), {}};
}

std::string encode(const RecordMessage& m) {
    std::string out(1, kRecord);
    out.reserve(41 + m.box.size());
    for (std::int64_t n : {m.raw, m.object, m.attempts, std::int64_t{m.generation}, std::int64_t{m.key_unreadable}})
        number(out, n);
    out += m.box;
    return out;
}

Result<RecordMessage> decodeRecord(std::string_view bytes) {
    std::int64_t n[5];
    if (!header(bytes, kRecord, n, 5)) return broken();
    return RecordMessage{n[0], n[1], n[2], static_cast<int>(n[3]), n[4] != 0, std::string(bytes), {}};
}

}  // namespace porta::pipeline
