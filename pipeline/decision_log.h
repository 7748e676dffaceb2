#pragma once
/// The tamper-evident decision log: every read and every refusal is an entry before the answer. Each entry's hash covers the
/// one before it; `verify` names the first broken one. A file of its own with several writers.
#include <functional>
#include <memory>
#include <string>

#include "base/canonical_json.h"
#include "config/settings.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// Makes the log's table where it is missing.
Result<void> makeDecisionTable(Store& store);

class DecisionLog {
public:
    /// Errors: unavailable.
    static Result<std::unique_ptr<DecisionLog>> open(const config::Settings& settings);
    /// In a store of the caller's. Errors: unavailable.
    static Result<std::unique_ptr<DecisionLog>> over(std::unique_ptr<Store> store);
    /// Durable on return. Errors: unavailable: then nothing may be shown.
    Result<void> append(const Json& decision);
    /// In order: number, entry. `person` 0 for all.
    Result<void> each(const std::function<void(std::int64_t, const Json&)>& entry);
    /// Number of entries. Errors: malformed naming the first broken entry.
    Result<std::int64_t> verify();

private:
    std::unique_ptr<Store> store_;
};

}  // namespace porta::pipeline
