#pragma once
/// One schedule: the roles of pipeline/roles.h and a sender as actors of one thread, stepped in an order that the seed gives,
/// under the faults that it gives, until nothing is left to do.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/settings.h"
#include "pipeline/metrics.h"
#include "pipeline/roles.h"
#include "pipeline/simulation/history.h"
#include "pipeline/simulation/world.h"

namespace porta::pipeline::simulation {

/// What runs are made of and does not change between them.
struct Prepared {
    config::Settings settings;
    Sources sources;  ///< compiled
};

/// Where the pulled objects lie and what the senders still hold.
struct Feeds {
    const History* history = nullptr;
    std::vector<std::size_t> hidden;   ///< not there yet; the next one to come is the last
    std::vector<std::size_t> there;    ///< to be pulled
    std::vector<std::size_t> to_push;  ///< in the order in which they are sent
    std::set<std::size_t> acknowledged;
    void release();
};

class Schedule {
public:
    /// `town` is cleared. The arguments must outlive it.
    Schedule(const Prepared& prepared, Town& town, const History& history);
    /// Everything in the order of the history, one of each role, nothing fails. Shape: nothing, or why it did not end.
    std::optional<std::string> undisturbed();
    /// Shape: nothing, or why it did not come to rest, or what broke on the way.
    std::optional<std::string> disturbed(std::uint64_t seed, Faults faults);
    const Feeds& feeds() const { return feeds_; }

private:
    struct Actor {
        std::string name, role;
        std::unique_ptr<Role> process;
        bool running = false;
    };
    bool step(Actor& actor);
    Result<std::unique_ptr<Role>> start(const Actor& actor);
    void stepOthers(const std::string& standing, int steps);
    std::optional<std::string> settle(int most);
    void look();

    const Prepared& prepared_;
    Town& town_;
    Feeds feeds_;
    Metrics metrics_;
    std::vector<Actor> actors_;
    std::string broken_;
    std::string last_error_;
    std::uint64_t seed_ = 0;
    std::int64_t turn_ = 0;  ///< of the schedule itself; steps taken while somebody stands still are not counted
    int within_ = 0;         ///< steps taken within this turn
    int depth_ = 0;
};

}  // namespace porta::pipeline::simulation
