#pragma once
/// Scaled out each stage is a role: a loop of steps over Log and Store. The work itself is that of connect.h, map.h,
/// resolve.h and project.h, as embedded. A role that meets a failure is thrown away and opened again from the store.
///
///     auto role = openRole("map", settings, metrics);
///     while (!stop) if (auto did = (*role)->step(); !did) break;
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "pipeline/gateway.h"
#include "pipeline/metrics.h"
#include "pipeline/store.h"
#include "pipeline/world.h"

namespace porta::pipeline {

class Role {
public:
    virtual ~Role() = default;
    /// One round; waits a moment at most when there is nothing to do. True: something was done.
    /// Errors: unavailable (open the role again), misconfigured (opening it again will not help).
    virtual Result<bool> step() = 0;
};

/// `connect`, `map`, `resolve`, `project`. `settings` and `metrics` must outlive the role.
Result<std::unique_ptr<Role>> openRole(const std::string& name, const config::Settings& settings, Metrics& metrics);
/// The same in a world of the caller's: its stores have their tables.
Result<std::unique_ptr<Role>> openRole(const std::string& name, const config::Settings& settings, Metrics& metrics,
                                       World world);

/// Names of topics (DESIGN §2).
std::string rawTopic(const std::string& source);
inline constexpr const char* kRecordsTopic = "porta.records";
inline constexpr const char* kPersonsTopic = "porta.persons";
std::string viewsTopic(const std::string& purpose);

/// Makes the stores' tables and the key file; every role may then open them. Errors: unavailable, misconfigured.
Result<void> prepareStores(const config::Settings& settings);

/// Appends the quarantined raw records again, to be mapped with today's mappings, and waits until the roles have done so;
/// `waiting` is told how many are left. Errors: unavailable, misconfigured.
Result<ReplayCount> replayScaledOut(const config::Settings& settings, const std::string& source,
                                    const std::string& reason, const std::function<void(std::size_t)>& waiting);

}  // namespace porta::pipeline
