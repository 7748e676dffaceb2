#include "pipeline/records.h"

#include <cstring>

#include "identity/partition.h"

namespace porta::pipeline {

namespace {

Nonce nonceFor(Box kind, int generation) {
    Nonce nonce{};
    nonce[0] = static_cast<std::uint8_t>(kind);
    for (int i = 0; i < 4; ++i) nonce[1 + i] = static_cast<std::uint8_t>(generation >> (24 - 8 * i));
    return nonce;
}

}  // namespace

std::string seal(const Key& key, Box kind, int generation, std::string_view plain) {
    return sealBox(key, nonceFor(kind, generation), plain);
}
Result<std::string> open(const Key& key, Box kind, int generation, std::string_view box) {
    return openBox(key, nonceFor(kind, generation), box);
}

std::string sealRandom(const Key& key, std::string_view plain) {
    Nonce nonce;
    randomBytes(nonce.data(), nonce.size());
    return std::string(reinterpret_cast<const char*>(nonce.data()), nonce.size()) + sealBox(key, nonce, plain);
}

Result<std::string> openRandom(const Key& key, std::string_view box) {
    Nonce nonce;
    if (box.size() < nonce.size()) return fail(Errc::malformed, "a stored value is cut off", "store.value");
    std::memcpy(nonce.data(), box.data(), nonce.size());
    return openBox(key, nonce, box.substr(nonce.size()));
}

std::string pack(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& p : parts) {
        std::uint32_t n = static_cast<std::uint32_t>(p.size());
        for (int i = 0; i < 4; ++i) out += static_cast<char>(n >> (8 * i));
        out += p;
    }
    return out;
}

Result<std::vector<std::string>> unpack(std::string_view bytes) {
    std::vector<std::string> parts;
    while (!bytes.empty()) {
        if (bytes.size() < 4) return fail(Errc::internal, "a stored value is cut off", "store.value");
        std::uint32_t n = 0;
        for (int i = 0; i < 4; ++i) n |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
        if (bytes.size() - 4 < n) return fail(Errc::internal, "a stored value is cut off", "store.value");
        parts.emplace_back(bytes.substr(4, n));
        bytes.remove_prefix(4 + n);
    }
    return parts;
}

std::string encodeMeta(const ObjectMeta& m) {
    std::vector<std::string> parts{m.path, m.sha256, m.object_time, m.context};
    parts.insert(parts.end(), m.layers.begin(), m.layers.end());
    return pack(parts);
}

Result<ObjectMeta> decodeMeta(std::string_view bytes) {
    auto parts = unpack(bytes);
    if (!parts) return parts.error();
    if (parts->size() < 4) return fail(Errc::internal, "an object's description is cut off", "store.value");
    ObjectMeta m{(*parts)[0], (*parts)[1], (*parts)[2], (*parts)[3], {}};
    m.layers.assign(parts->begin() + 4, parts->end());
    return m;
}

std::string encodeError(const Error& e) {
    return pack({std::to_string(static_cast<int>(e.code)), e.message, e.rule, e.path, std::to_string(e.offset),
                 std::to_string(e.length)});
}

Error decodeError(std::string_view bytes) {
    auto parts = unpack(bytes);
    if (!parts || parts->size() != 6) return fail(Errc::internal, "a stored error is cut off", "store.value");
    const auto& p = *parts;
    return Error{static_cast<Errc>(std::strtol(p[0].c_str(), nullptr, 10)),
                 p[1],
                 p[2],
                 p[3],
                 std::strtoull(p[4].c_str(), nullptr, 10),
                 std::strtoull(p[5].c_str(), nullptr, 10)};
}

std::string_view name(RawState state) {
    switch (state) {
        case RawState::published: return "published";
        case RawState::skipped: return "skipped";
        case RawState::quarantined: return "quarantined";
    }
    return "pending";
}

RawRow rawRow(const Row& r) {
    RawRow row;
    row.id = r.integer(0);
    row.object = r.integer(1);
    row.position = r.integer(2);
    row.start = r.integer(3);
    row.length = r.integer(4);
    row.state = static_cast<RawState>(r.integer(5));
    row.reason = r.bytes(6);
    row.generation = static_cast<int>(r.integer(7));
    row.attempts = r.integer(8);
    row.received_at = r.integer(9);
    row.payload = r.bytes(10);
    row.detail = r.bytes(11);
    return row;
}

ObjectRow objectRow(const Row& r) {
    ObjectRow row;
    row.no = r.integer(0);
    row.source = r.bytes(1);
    row.identity = r.integer(2);
    row.path = r.integer(3);
    row.has_instant = !r.isNull(4);
    row.instant = r.integer(4);
    row.duplicate_of = r.integer(5);
    row.first_raw = r.integer(6);
    row.n = r.integer(7);
    row.appended = r.integer(8);
    row.done = r.integer(9);
    row.state = static_cast<ObjectState>(r.integer(10));
    row.generation = static_cast<int>(r.integer(11));
    row.received_at = r.integer(12);
    row.meta = r.bytes(13);
    return row;
}

const KnownObject& Objects::at(std::int64_t no) {
    auto it = known_.find(no);
    if (it != known_.end()) return it->second;
    KnownObject object;
    store_.query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE no = ?1", {no},
                 [&](const Row& r) { object.row = objectRow(r); });
    if (!object.row.no) throw Failure{fail(Errc::not_found, "no such object", "object.missing")};
    auto key = keys_.find(-no);
    if (!key) throw Failure{key.error()};
    auto meta = openRandom(*key, object.row.meta).and_then([](std::string&& plain) { return decodeMeta(plain); });
    if (!meta) throw Failure{meta.error()};
    object.meta = std::move(*meta);
    if (known_.size() > 4096) known_.clear();
    return known_.emplace(no, std::move(object)).first->second;
}

Result<std::vector<schemas::Operation>> openOperations(Keys& keys, std::int64_t raw, int generation,
                                                       std::string_view box) {
    if (box.empty()) return std::vector<schemas::Operation>{};
    auto key = keys.find(raw);
    if (!key) return key.error();
    auto plain = open(*key, Box::operations, generation, box);
    if (!plain)
        return fail(Errc::internal, "the operations of a raw record cannot be opened with its key", "store.operations");
    return schemas::decode(*plain);
}

void eachOperation(Store& store, const std::function<void(RecordMessage&)>& record) {
    for (std::int64_t last = 0;;) {
        std::vector<RecordMessage> step;
        store.query(
            "SELECT raw, object, attempts, generation, unreadable, box FROM operation WHERE raw > ?1 ORDER BY raw "
            "LIMIT "
            "1000",
            {last}, [&](const Row& r) {
                step.push_back({r.integer(0),
                                r.integer(1),
                                r.integer(2),
                                static_cast<int>(r.integer(3)),
                                r.integer(4) != 0,
                                std::string(r.bytes(5)),
                                {}});
            });
        if (step.empty()) return;
        last = step.back().raw;
        for (RecordMessage& one : step) record(one);
    }
}

std::string nameToken(std::string_view name) { return "name " + identity::foldName(name); }
std::string birthToken(std::string_view date) { return "birth " + std::string(date); }
std::string idToken(std::string_view type_and_value) { return "id " + std::string(type_and_value); }

}  // namespace porta::pipeline
