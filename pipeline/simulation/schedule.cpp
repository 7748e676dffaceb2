#include "pipeline/simulation/schedule.h"

#include <algorithm>

#include "pipeline/intake.h"

namespace porta::pipeline::simulation {

namespace {

/// A directory as connect sees it: what was taken is remembered by this process only.
class Pulled : public connectors::PullSource {
public:
    Pulled(Feeds& feeds, std::string source) : feeds_(feeds), source_(std::move(source)) {}
    Result<std::optional<connectors::Object>> poll() override {
        in_hand_.reset();
        for (std::size_t i : feeds_.there) {
            const Sending& s = (*feeds_.history)[i];
            if (s.source != source_ || taken_.count(i)) continue;
            in_hand_ = i;
            return std::optional<connectors::Object>({s.path, s.bytes()});
        }
        return std::optional<connectors::Object>{};
    }
    Result<void> commit(const connectors::Object&) override {
        taken_.insert(*in_hand_);
        feeds_.acknowledged.insert(*in_hand_);
        return {};
    }
    void refuse(const connectors::Object&) override { taken_.insert(*in_hand_); }

private:
    Feeds& feeds_;
    std::string source_;
    std::set<std::size_t> taken_;
    std::optional<std::size_t> in_hand_;
};

/// Whoever pushes: sends again until told *durable*.
class Sender : public Role {
public:
    Sender(Feeds& feeds, std::unique_ptr<Intake> intake) : feeds_(feeds), intake_(std::move(intake)) {}
    Result<bool> step() override {
        if (feeds_.to_push.empty()) return false;
        const std::size_t i = feeds_.to_push.front();
        const Sending& s = (*feeds_.history)[i];
        auto done = intake_->deliver(s.source, s.path, s.bytes(), false);
        if (!done) return done.error();
        feeds_.acknowledged.insert(i);
        feeds_.to_push.erase(feeds_.to_push.begin());
        return true;
    }

private:
    Feeds& feeds_;
    std::unique_ptr<Intake> intake_;
};

}  // namespace

void Feeds::release() {
    const std::size_t i = hidden.back();
    hidden.pop_back();
    ((*history)[i].pushed ? to_push : there).push_back(i);
}

Schedule::Schedule(const Prepared& prepared, Town& town, const History& history) : prepared_(prepared), town_(town) {
    town_.clear();
    feeds_.history = &history;
    for (std::size_t i = history.size(); i-- > 0;) feeds_.hidden.push_back(i);
}

Result<std::unique_ptr<Role>> Schedule::start(const Actor& actor) {
    auto world = openWorld(town_, actor.name, prepared_.settings.key_file);
    if (!world) return world.error();
    world->sources = prepared_.sources;
    if (actor.role == "connect") {
        world->pulled.emplace();
        for (const auto& s : prepared_.settings.sources)
            (*world->pulled)[s.id] = std::make_unique<Pulled>(feeds_, s.id);
    }
    if (actor.role == "sender") {
        auto intake = Intake::open(prepared_.settings, std::move(*world));
        if (!intake) return intake.error();
        return std::unique_ptr<Role>(std::make_unique<Sender>(feeds_, std::move(*intake)));
    }
    return openRole(actor.role, prepared_.settings, metrics_, std::move(*world));
}

/// One step of one actor; a failure or a crash ends its process, and another is started when it is its turn again.
/// Shape: whether something was done or went wrong.
bool Schedule::step(Actor& actor) {
    ++town_.step;
    // Every step has places and dice of its own, so that what is left out before it moves it little.
    const std::int64_t place = town_.place;
    const Dice dice = town_.dice;
    town_.place = (turn_ * 64 + within_++ % 64) * 1024;
    town_.dice = Dice(seed_ ^ mix(static_cast<std::uint64_t>(town_.place)));
    actor.running = true;
    bool did = true;
    try {
        if (!actor.process) {
            auto started = start(actor);
            if (started) actor.process = std::move(*started);
            else last_error_ = actor.name + ": " + started.error().message;
        }
        if (actor.process) {
            auto done = actor.process->step();
            if (done) did = *done;
            else {
                last_error_ = actor.name + ": " + done.error().message;
                if (done.error().code == Errc::internal || done.error().code == Errc::misconfigured)
                    broken_ = last_error_;
                actor.process.reset();
            }
        }
    } catch (const Crash&) {
        actor.process.reset();
    } catch (const Failure& f) {
        broken_ = actor.name + ": a failure left its role: " + f.error.message;
        actor.process.reset();
    }
    actor.running = false;
    town_.place = place;
    town_.dice = dice;
    look();
    return did;
}

/// What must hold at every moment.
void Schedule::look() {
    if (!broken_.empty()) return;
    town_.data->query("SELECT s.object FROM snapshot s JOIN object o ON o.no = s.object WHERE o.done < o.n LIMIT 1", {},
                      [&](const Row& r) {
                          broken_ = "snapshot: object " + std::to_string(r.integer(0)) +
                                    " was evaluated before all its rows had an outcome";
                      });
    if (!broken_.empty()) return;
    town_.data->query("SELECT no FROM object WHERE done > n LIMIT 1", {}, [&](const Row& r) {
        broken_ = "law 1: object " + std::to_string(r.integer(0)) + " has more outcomes than raw records";
    });
}

void Schedule::stepOthers(const std::string& standing, int steps) {
    if (depth_ >= 2) return;
    ++depth_;
    for (int i = 0; i < steps; ++i) {
        Actor& actor = actors_[static_cast<std::size_t>(town_.dice.below(static_cast<int>(actors_.size())))];
        if (actor.running || actor.name == standing) continue;
        step(actor);
    }
    --depth_;
}

/// Round after round until a whole one finds nothing to do.
std::optional<std::string> Schedule::settle(int most) {
    for (int round = 0, quiet = 0; quiet < 2; ++round) {
        if (!broken_.empty()) return broken_;
        if (round == most) return "liveness: it does not come to rest; the last failure: " + last_error_;
        bool any = false;
        for (Actor& a : actors_) {
            ++turn_;
            within_ = 0;
            any = step(a) || any;
        }
        quiet = any ? 0 : quiet + 1;
    }
    return std::nullopt;
}

std::optional<std::string> Schedule::undisturbed() {
    for (const char* role : {"connect", "sender", "map", "resolve", "project"})
        actors_.push_back({role, role, nullptr});
    while (!feeds_.hidden.empty()) {
        feeds_.release();
        step(actors_[feeds_.to_push.empty() ? 0 : 1]);
    }
    return settle(20);
}

std::optional<std::string> Schedule::disturbed(std::uint64_t seed, Faults faults) {
    seed_ = mix(seed ^ 0x7363686564ull);
    const int span = 30 + static_cast<int>(seed_ % 150);
    // Another order of arrival, but for sources whose order counts. What comes when depends on nothing else that comes.
    std::map<std::size_t, int> comes;
    std::vector<std::size_t> in_order;
    std::vector<int> turns;
    for (std::size_t i : feeds_.hidden) {
        comes[i] = static_cast<int>(mix(seed_ + static_cast<std::uint64_t>((*feeds_.history)[i].no)) %
                                    static_cast<std::uint64_t>(span));
        if ((*feeds_.history)[i].in_order) in_order.insert(in_order.begin(), i), turns.push_back(comes[i]);
    }
    std::sort(turns.begin(), turns.end());
    for (std::size_t i = 0; i < in_order.size(); ++i) comes[in_order[i]] = turns[i];
    std::stable_sort(feeds_.hidden.begin(), feeds_.hidden.end(),
                     [&](std::size_t a, std::size_t b) { return comes[a] != comes[b] ? comes[a] > comes[b] : a > b; });
    for (const auto& [name, role] : std::vector<std::pair<const char*, const char*>>{{"connect", "connect"},
                                                                                     {"sender", "sender"},
                                                                                     {"map-1", "map"},
                                                                                     {"map-2", "map"},
                                                                                     {"resolve-1", "resolve"},
                                                                                     {"resolve-2", "resolve"},
                                                                                     {"project-1", "project"},
                                                                                     {"project-2", "project"}})
        actors_.push_back({name, role, nullptr});
    town_.faults = std::move(faults);
    town_.others = [this](const std::string& standing, int steps) { stepOthers(standing, steps); };
    for (turn_ = 1; turn_ < span + 100; ++turn_) {
        if (!broken_.empty()) return broken_;
        within_ = 0;
        while (!feeds_.hidden.empty() && comes[feeds_.hidden.back()] < turn_) feeds_.release();
        const std::uint64_t who = mix(seed_ ^ (static_cast<std::uint64_t>(turn_) << 32));
        step(actors_[who % actors_.size()]);
    }
    town_.faults.stop();
    town_.log.slow.clear();
    town_.full_until = 0;
    return settle(60);
}

}  // namespace porta::pipeline::simulation
