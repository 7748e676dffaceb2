#pragma once
/// What goes wrong in a schedule, and where: a function of the seed, the step and the call of that step, so that the same
/// seed fails in the same places, and leaving something out moves as little else as can be.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace porta::pipeline::simulation {

/// Where an actor meets the world.
enum class Call : std::uint8_t { begin, statement, commit, committed, append, appended, poll, position, keys, lease };

enum class Kind : std::uint8_t {
    fail,   ///< the call is refused and nothing happened
    lost,   ///< it happened, and the answer is lost
    torn,   ///< append: some of it is in the log, some not
    full,   ///< the store has no room, for this call and some that follow
    crash,  ///< the actor is gone with all that it held in memory
    pause,  ///< the actor stands still while others go on
    lapse,  ///< the same, and its lease runs out meanwhile
    again,  ///< poll: partitions are shared out anew, messages come again
    slow,   ///< a partition shows nothing for some time
};

struct Fault {
    std::int64_t place = 0;  ///< step of the schedule and call of that step
    Kind kind = Kind::fail;
    std::uint64_t dice = 0;  ///< for what else the fault needs to choose
    std::string actor;       ///< whom it met, for the report
    Call at = Call::begin;
};
std::string describe(const Fault& fault);

using Kinds = std::set<Kind>;
/// Shape: `all`, `none`, or names of Kind with commas between them. Errors: misconfigured, naming the word that is none.
Result<Kinds> parseKinds(const std::string& text);

class Faults {
public:
    /// Those of the seed that are of these kinds, at the places where they are when all are.
    Faults(std::uint64_t seed, Kinds kinds);
    /// Only these, at their places.
    explicit Faults(std::vector<Fault> plan);
    static Faults none() { return Faults(std::vector<Fault>{}); }

    /// The fault that a call meets at this place. `may_pause`: not inside a transaction.
    std::optional<Fault> meet(Call call, std::int64_t place, const std::string& actor, bool may_pause);
    /// From now on nothing goes wrong.
    void stop() { stopped_ = true; }
    const std::vector<Fault>& met() const { return met_; }

private:
    std::uint64_t seed_ = 0;
    Kinds kinds_;
    std::map<std::int64_t, Fault> plan_;
    bool planned_ = false, stopped_ = false;
    std::uint64_t rate_ = 0;  ///< in a thousand calls
    std::vector<Fault> met_;
};

}  // namespace porta::pipeline::simulation
