#pragma once
/// An operation: what one raw record says about one record of the common schema (DESIGN §5). `map` makes operations,
/// `resolve` and `views` fold them. Values are text; each leaf says where it came from (law 4).
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta::schemas {

enum class Op : std::uint8_t { upsert, patch, merge, delete_, cancel, unmerge, presence };
enum class Order : std::uint8_t { number, instant, arrival };
enum class How : std::uint8_t { copied, translated, computed, constant, declared, absent };
enum class LeafKind : std::uint8_t { text, boolean, integer, null };  ///< null: a patch that deletes the whole field

std::string_view name(Op op);
std::string_view name(Order order);
std::string_view name(How how);

/// A stretch of the raw record that a value was made from.
struct Source {
    std::uint32_t offset = 0;  ///< bytes, in the raw record as `raw show` prints it
    std::uint32_t length = 0;
    std::string decoded = {};  ///< those bytes decoded to UTF-8 (charset, escapes)
};

struct Leaf {
    std::string path;  ///< field and steps below it, by '/': `birth_date`, `names/0/given/1`, `code/system`
    LeafKind kind = LeafKind::text;
    std::string value = {};
    How how = How::copied;
    std::uint32_t rule = 0;            ///< index into Generation::rules of the mapping that made it
    std::vector<Source> sources = {};  ///< at least one for copied and translated
    std::int32_t table_row = -1;       ///< translated: line of the row in the mapping's table; the rule names the table
};

/// Names one record: the source system's id of the thing. `text()` is `source|entity|local_id`.
struct RecordKey {
    std::string source, entity, local_id;
    std::string text() const { return source + "|" + entity + "|" + local_id; }
    friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

/// Place in the source's own order. number and instant: `parts` compare as integers (an instant is microseconds since
/// 1970 UTC of its first moment); arrival: (object number, index), filled in by the pipeline, never by the mapping.
struct Version {
    Order order = Order::instant;
    std::vector<std::int64_t> parts = {};
    std::string text = {};  ///< the value in the source's precision; empty for arrival
    friend std::strong_ordering operator<=>(const Version& a, const Version& b) {
        if (auto c = a.order <=> b.order; c != 0) return c;
        return a.parts <=> b.parts;
    }
    friend bool operator==(const Version& a, const Version& b) { return (a <=> b) == 0; }
};

using Digest = std::array<std::uint8_t, 32>;

struct Operation {
    RecordKey key;
    Op op = Op::upsert;
    Version version;
    std::string cls;                   ///< `class`: what a cancel can name, e.g. `discharge`
    std::string cancels;               ///< cancel: class or `all`
    std::string into;                  ///< merge, unmerge: local id of the survivor (same source and entity)
    std::string valid_from, valid_to;  ///< in the world; partial dates keep their precision
    std::vector<RecordKey> subjects;   ///< Person records that this record is about
    std::vector<RecordKey> mentions;   ///< persons named in passing; never found a person
    std::vector<Leaf> leaves;          ///< fields, in document order
    std::vector<std::string> issues;   ///< `partial: allow`: what could not be mapped, by rule id
    Digest digest{};                   ///< set by `seal`
};

/// Rank of an operation among equal versions (DESIGN §5): upsert 0, patch 1, merge 2, delete, cancel and unmerge 3.
int rank(Op op);

/// Sets `digest`: SHA-256 of the operation in canonical JSON (key, op, version text, class, cancels, into, valid, fields;
/// nothing of raw id, mapping, subjects, encryption or receipt).
void seal(Operation& op);

/// The fields as canonical JSON (RFC 8785), one (name, value) per top-level field, sorted by name. A deleted field is
/// `null`.
std::vector<std::pair<std::string, std::string>> canonicalFields(const Operation& op);

/// The flat binary layout of docs/formats/operations.md: all operations of one raw record.
std::string encode(const std::vector<Operation>& operations);
Result<std::vector<Operation>> decode(std::string_view bytes);

}  // namespace porta::schemas
