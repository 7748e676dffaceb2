#pragma once
/// Rows of the store as values: what is encrypted in them, under which key and nonce (docs/formats/store.md).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "mapping/engine/program.h"
#include "pipeline/messages.h"
#include "pipeline/store.h"
#include "schemas/operation.h"

namespace porta::pipeline {

/// What the nonce of a box starts with; one key serves the boxes of one raw record or object. `poison` is the detail of a
/// record that killed its process: other text than mapping gave, so another nonce.
enum class Box : std::uint8_t { object_meta = 'M', raw_bytes = 'R', operations = 'O', detail = 'Q', poison = 'P' };

/// Nonce = kind, generation number: equal nonces mean equal plaintext.
std::string seal(const Key& key, Box kind, int generation, std::string_view plain);
Result<std::string> open(const Key& key, Box kind, int generation, std::string_view box);
/// The same under a random nonce that stands before the box: for what may differ under one key and kind.
std::string sealRandom(const Key& key, std::string_view plain);
Result<std::string> openRandom(const Key& key, std::string_view box);

struct ObjectMeta {
    std::string path, sha256, object_time, context;
    std::vector<std::string> layers;
};
std::string pack(const std::vector<std::string>& parts);
Result<std::vector<std::string>> unpack(std::string_view bytes);
std::string encodeMeta(const ObjectMeta& meta);
Result<ObjectMeta> decodeMeta(std::string_view bytes);
std::string encodeError(const Error& error);
Error decodeError(std::string_view bytes);

enum class RawState : std::int64_t { published = 1, skipped = 2, quarantined = 3 };
std::string_view name(RawState state);
enum class ObjectState : std::int64_t { open = 0, closed = 1, duplicate = 2, voided = 3 };

struct RawRow {
    std::int64_t id = 0, object = 0, position = 0, start = 0, length = 0;
    RawState state = RawState::published;
    std::string reason;
    int generation = 0;
    std::int64_t attempts = 1, received_at = 0;
    std::string payload, detail;  ///< boxes
};
inline constexpr const char* kRawColumns =
    "id, object, position, start, length, state, reason, generation, attempts, received_at, payload, detail";
RawRow rawRow(const Row& row);

struct ObjectRow {
    std::int64_t no = 0, instant = 0, duplicate_of = 0, first_raw = 0, n = 0, appended = 0, done = 0, received_at = 0;
    std::string source;
    std::int64_t identity = 0, path = 0;
    ObjectState state = ObjectState::open;
    int generation = 0;
    bool has_instant = false;
    std::string meta;
};
inline constexpr const char* kObjectColumns =
    "no, source, identity, path, instant, duplicate_of, first_raw, n, appended, done, state, generation, received_at, "
    "meta";
ObjectRow objectRow(const Row& row);

/// What of an object never changes once it is registered, with its opened description.
struct KnownObject {
    ObjectRow row;  ///< its counts and state are those of the moment it was read: do not decide by them
    ObjectMeta meta;
};
/// Reads objects by number and keeps the newest few. Throws Failure. Threads: that of its store.
class Objects {
public:
    Objects(Store& store, Keys& keys) : store_(store), keys_(keys) {}
    const KnownObject& at(std::int64_t no);

private:
    Store& store_;
    Keys& keys_;
    std::map<std::int64_t, KnownObject> known_;
};

/// The stored operations of a raw record. Errors: not_found (no key), internal.
Result<std::vector<schemas::Operation>> openOperations(Keys& keys, std::int64_t raw, int generation,
                                                       std::string_view box);
/// Every row of `operation` in the order of numbers, without its operations opened. The callback may ask the store.
void eachOperation(Store& store, const std::function<void(RecordMessage&)>& record);

/// What stands hashed in table `token`.
std::string nameToken(std::string_view name);
std::string birthToken(std::string_view date);
std::string idToken(std::string_view type_and_value);

}  // namespace porta::pipeline
