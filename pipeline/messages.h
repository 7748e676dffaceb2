#pragma once
/// What travels between stages: a raw record as connect sealed it, and what map made of it (docs/formats/messages.md).
/// Embedded they are handed over as they are; scaled out they are the values of `porta.raw.<source>` and `porta.records`.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/operation.h"

namespace porta::pipeline {

struct RawMessage {
    std::int64_t raw = 0;  ///< 0: marks an object without raw records
    std::int64_t object = 0, position = 0, start = 0, length = 0, received_at = 0;
    std::int64_t attempts = 1;  ///< 2 and more: a replay
    int generation = 0;         ///< that it is to be mapped with
    std::string payload;        ///< box of the raw bytes; empty: in table `large`
    std::string_view plain;     ///< the raw bytes, where connect and map share a process; not sent
};
std::string encode(const RawMessage& message);
/// Errors: internal.
Result<RawMessage> decodeRaw(std::string_view bytes);

/// One raw record's outcome as resolve needs it. One message for each raw record, also for those without operations, so
/// that resolve knows when an object is complete.
struct RecordMessage {
    std::int64_t raw = 0, object = 0, attempts = 1;
    int generation = 0;
    bool key_unreadable = false;                   ///< a row of a full feed whose key could not be read
    std::string box;                               ///< the sealed operations, empty when there are none
    std::vector<schemas::Operation> operations{};  ///< opened; not sent
};
std::string encode(const RecordMessage& message);
/// Without `operations`. Errors: internal.
Result<RecordMessage> decodeRecord(std::string_view bytes);

}  // namespace porta::pipeline
