#include "pipeline/simulation/faults.h"

#include <sstream>

#include "pipeline/simulation/dice.h"

namespace porta::pipeline::simulation {

namespace {

constexpr std::size_t kMost = 40;  ///< faults of one schedule; then it has to come to rest

/// What can happen to each call; named several times: more often.
const std::vector<Kind>& kindsOf(Call call, bool may_pause) {
    static const std::vector<Kind> begin{Kind::fail, Kind::crash, Kind::full, Kind::pause, Kind::lapse, Kind::lapse},
        begin_within{Kind::fail, Kind::crash}, statement{Kind::fail, Kind::crash}, commit{Kind::fail, Kind::crash},
        committed{Kind::lost, Kind::crash, Kind::crash, Kind::slow},
        append{Kind::fail, Kind::torn, Kind::torn, Kind::crash, Kind::pause},
        appended{Kind::lost, Kind::crash, Kind::pause, Kind::lapse},
        poll{Kind::fail, Kind::crash, Kind::pause, Kind::lapse, Kind::again, Kind::again, Kind::slow},
        position{Kind::lost, Kind::crash, Kind::crash}, keys{Kind::fail, Kind::crash, Kind::full},
        lease{Kind::fail, Kind::lapse, Kind::crash};
    switch (call) {
        case Call::begin: return may_pause ? begin : begin_within;
        case Call::statement: return statement;
        case Call::commit: return commit;
        case Call::committed: return committed;
        case Call::append: return append;
        case Call::appended: return appended;
        case Call::poll: return poll;
        case Call::position: return position;
        case Call::keys: return keys;
        case Call::lease: return lease;
    }
    return statement;
}

}  // namespace

Result<Kinds> parseKinds(const std::string& text) {
    static const std::map<std::string, Kind> names{
        {"fail", Kind::fail},   {"lost", Kind::lost},   {"torn", Kind::torn},
        {"full", Kind::full},   {"crash", Kind::crash}, {"pause", Kind::pause},
        {"lapse", Kind::lapse}, {"again", Kind::again}, {"slow", Kind::slow}};
    Kinds kinds;
    if (text == "none") return kinds;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        auto found = names.find(word);
        if (found != names.end()) {
            kinds.insert(found->second);
        } else if (word == "all") {
            for (const auto& [name, kind] : names) kinds.insert(kind);
        } else {
            return fail(Errc::misconfigured,
                        "--faults: `" + word +
                            "` is none; known: fail, lost, torn, full, crash, pause, lapse, again, slow, all, none",
                        "sim.faults");
        }
    }
    return kinds;
}

Faults::Faults(std::uint64_t seed, Kinds kinds) : seed_(mix(seed ^ 0x6661756c74ull)), kinds_(std::move(kinds)) {
    static constexpr std::uint64_t rates[] = {0, 15, 40, 40, 80, 120};
    rate_ = rates[seed_ % 6];
}

Faults::Faults(std::vector<Fault> plan) : planned_(true) {
    for (Fault& f : plan) plan_[f.place] = std::move(f);
}

std::optional<Fault> Faults::meet(Call call, std::int64_t place, const std::string& actor, bool may_pause) {
    if (stopped_) return std::nullopt;
    Fault fault;
    if (planned_) {
        auto found = plan_.find(place);
        // What was met at another kind of call no longer fits, once something before it was left out.
        if (found == plan_.end() || found->second.at != call) return std::nullopt;
        fault = found->second;
        if (!may_pause && (fault.kind == Kind::pause || fault.kind == Kind::lapse)) return std::nullopt;
    } else {
        if (met_.size() >= kMost) return std::nullopt;
        const std::uint64_t h = mix(seed_ + static_cast<std::uint64_t>(place));
        // Statements are many: each of them fails seldom.
        if (h % 1000 >= (call == Call::statement ? rate_ / 8 : rate_)) return std::nullopt;
        const std::vector<Kind>& kinds = kindsOf(call, may_pause);
        fault.dice = mix(h);
        fault.kind = kinds[fault.dice % kinds.size()];
        fault.dice /= kinds.size();
        if (!kinds_.count(fault.kind)) return std::nullopt;
    }
    fault.place = place;
    fault.actor = actor;
    fault.at = call;
    met_.push_back(fault);
    return fault;
}

std::string describe(const Fault& f) {
    static const char* const calls[] = {
        "beginning a transaction", "a statement", "a commit",           "having committed", "an append",
        "having appended",         "a poll",      "keeping a position", "making keys",      "asking for the lease"};
    static const char* const kinds[] = {"refused",
                                        "done, the answer lost",
                                        "half done",
                                        "the store is full",
                                        "the process dies",
                                        "it stands still while others go on",
                                        "it stands still while its lease runs out and others go on",
                                        "partitions are shared out anew",
                                        "a partition becomes slow"};
    return "at " + std::to_string(f.place) + ", " + f.actor + " at " + calls[static_cast<int>(f.at)] + ": " +
           kinds[static_cast<int>(f.kind)];
}

}  // namespace porta::pipeline::simulation
