#pragma once
/// Where a value of a view comes from, by one of the six kinds of law 4. views makes these, lineage follows them.
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "schemas/fold.h"

namespace porta::schemas {

struct ValueOrigin {
    How how = How::absent;
    const Leaf* leaf = nullptr;  ///< the record's own value: its spans, rule and table
    const StoredOperation* operation = nullptr;
    std::string config_key = {};           ///< declared: file#/pointer
    std::vector<std::string> inputs = {};  ///< pointers into the same view, or record keys
};

/// A value of a view with its place and origin.
struct TracedValue {
    std::string pointer;  ///< JSON Pointer (RFC 6901) into the view
    Json value;
    ValueOrigin origin;
};

}  // namespace porta::schemas
