#pragma once
/// The five interfaces of a simulated world. All actors share one SQLite in memory for each of the three stores, and the
/// topics; each has handles of its own, through which faults reach it. One thread: a transaction is never open while another
/// actor runs, so transactions are serial.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pipeline/simulation/dice.h"
#include "pipeline/simulation/faults.h"
#include "pipeline/store.h"
#include "pipeline/world.h"

namespace porta::pipeline::simulation {

/// Thrown through an actor whose process died; no stage catches it.
struct Crash {};

/// Topics of three partitions; what was appended stays.
struct Topics {
    static constexpr std::int32_t kPartitions = 3;
    using Place = std::pair<std::string, std::int32_t>;
    std::map<std::string, std::map<std::int32_t, std::vector<Message>>> topics;
    std::map<std::string, std::map<Place, std::size_t>> committed;  ///< by group
    std::map<Place, std::int64_t> slow;                             ///< until this step of the schedule
    std::map<std::string, std::vector<int>> members;                ///< by group: who shares, in the order of joining
    std::map<std::string, std::int64_t> sharing;                    ///< by group: how often partitions were shared out
    std::int64_t appends_of_views = 0;
};

/// Who holds resolve's lease. Zero: nobody, or it ran out.
struct LeaseRow {
    std::int64_t epoch = 0;
    int holder = 0;
};

/// What all actors share.
struct Town {
    std::unique_ptr<Store> data, keys, decisions;
    Topics log;
    LeaseRow lease;
    Dice dice{0};
    Faults faults = Faults::none();
    std::int64_t step = 0;   ///< steps so far; the clock follows them
    std::int64_t place = 0;  ///< of the step at hand and the call of it, for faults
    int open_transactions = 0, full_until = 0, calls = 0;
    int instances = 0;  ///< processes started so far
    /// Lets other actors go on while this one stands still.
    std::function<void(const std::string& actor, int steps)> others;

    /// Opens the stores. Errors: unavailable.
    static Result<std::unique_ptr<Town>> open();
    /// Everything as on the first day.
    void clear();
    /// Throws Crash, or Failure where the call is refused; lets others go on where the actor is to stand still.
    /// Shape: a fault that the call itself has to act out (lost, torn, again).
    std::optional<Fault> meet(Call call, const std::string& actor);
};

/// The world of one process of an actor. `key_file`: of the key store. Errors: unavailable, misconfigured.
Result<World> openWorld(Town& town, const std::string& actor, const std::string& key_file);

/// The topics as they are, without faults.
std::unique_ptr<Log> plainLog(Town& town);

}  // namespace porta::pipeline::simulation
