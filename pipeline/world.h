#pragma once
/// Opens what the configuration names behind the five interfaces: SQLite files of the state directory, or schemas of
/// PostgreSQL and topics of Kafka.
#include <optional>

#include "config/settings.h"
#include "pipeline/connect.h"
#include "pipeline/decision_log.h"
#include "pipeline/sources.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// The three stores are apart, so that each can be kept and backed up on its own: data, wrapped keys, decision log.
enum class Part { data, keys, decisions };

/// Embedded: the part's file.
std::string partPath(const config::Settings& settings, Part part);
/// Errors: unavailable, misconfigured. `read_only` opens beside the owner.
Result<std::unique_ptr<Store>> openStore(const config::Settings& settings, Part part, bool read_only);
Result<std::unique_ptr<Keys>> openKeys(const config::Settings& settings, bool read_only);
/// The wall clock, or PORTA_CLOCK where the configuration says `testing: true`.
std::unique_ptr<Clock> openClock(const config::Settings& settings);
/// Errors: misconfigured when the configuration has no Kafka.
Result<std::unique_ptr<Log>> openLog(const config::Settings& settings);

/// The five interfaces for one role, and what a caller may have at hand already. Owner: the role.
struct World {
    std::unique_ptr<Clock> clock;
    std::unique_ptr<Store> store;
    std::unique_ptr<Keys> keys;
    std::unique_ptr<Log> log;
    std::unique_ptr<Lease> lease;            ///< of resolve
    std::optional<Sources> sources;          ///< compiled already; else the role compiles them
    std::optional<PullSources> pulled;       ///< what connect pulls from; else what the configuration names
    std::unique_ptr<DecisionLog> decisions;  ///< of project; else it opens one with the first delivery
};
/// Scaled out. Errors: unavailable, misconfigured.
Result<World> openWorld(const config::Settings& settings);

}  // namespace porta::pipeline
