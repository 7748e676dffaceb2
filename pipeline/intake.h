#pragma once
/// The scaled-out door for objects: registers them, appends their raw records, and says when they are durable. The
/// connect role pulls through it, HTTP and the desk push through it. Embedded the Gateway does the same.
#include <memory>
#include <string>

#include "config/settings.h"
#include "pipeline/connect.h"
#include "pipeline/sources.h"
#include "pipeline/store.h"
#include "pipeline/world.h"

namespace porta::pipeline {

/// Threads: one caller at a time.
class Intake {
public:
    /// `settings` must outlive it. Errors: unavailable, misconfigured.
    static Result<std::unique_ptr<Intake>> open(const config::Settings& settings, World world);
    /// Durable on return. Shape: raw records appended, 0 for what is known.
    /// Errors: not_found (no such source), malformed, exhausted, unavailable.
    Result<std::int64_t> deliver(const std::string& source, const std::string& path, std::string bytes, bool pulled);
    const Sources& sources() const { return sources_; }
    Store& store() { return *world_.store; }
    Keys& keys() { return *world_.keys; }
    /// Sends messages that are sealed already, those too large for the log by way of the store.
    Result<void> append(const std::string& source, std::vector<RawMessage> messages);

private:
    Intake() = default;
    Result<std::int64_t> send(const std::string& source, const Delivery& delivery);
    World world_;
    Sources sources_;
    std::unique_ptr<Connect> connect_;
};

}  // namespace porta::pipeline
