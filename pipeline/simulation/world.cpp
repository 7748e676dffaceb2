#include "pipeline/simulation/world.h"

#include <algorithm>

#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/keys.h"
#include "pipeline/schema.h"

namespace porta::pipeline::simulation {

namespace {

Error refusedCall() { return fail(Errc::unavailable, "the simulated world refuses this call", "simulation.refused"); }
/// As SQLite and PostgreSQL say it.
Error noRoom() { return fail(Errc::unavailable, "the simulated store is full", "store.full"); }

class HandleOfStore : public Store {
public:
    /// `part`: whether it is the key store, whose begin is the making of keys.
    HandleOfStore(Town& town, Store& store, std::string actor, Call begin)
        : town_(town), store_(store), actor_(std::move(actor)), begin_(begin) {}

    void run(std::string_view sql, const std::vector<Value>& parameters = {}) override {
        if (within_) town_.meet(Call::statement, actor_);
        store_.run(sql, parameters);
    }
    void query(std::string_view sql, const std::vector<Value>& parameters,
               const std::function<void(const Row&)>& row) override {
        store_.query(sql, parameters, row);
    }
    Result<void> transact(const std::function<void()>& work) override { return write(&Store::transact, work); }
    Result<void> exclusive(const std::function<void()>& work) override { return write(&Store::exclusive, work); }
    Result<void> snapshot(const std::function<void()>& work) override {
        Open open(*this);
        return store_.snapshot(work);
    }

private:
    struct Open {
        explicit Open(HandleOfStore& handle) : handle(handle) { ++handle.town_.open_transactions; }
        ~Open() { --handle.town_.open_transactions; }
        Open(const Open&) = delete;
        Open& operator=(const Open&) = delete;
        HandleOfStore& handle;
    };

    Result<void> write(Result<void> (Store::*how)(const std::function<void()>&), const std::function<void()>& work) {
        try {
            town_.meet(begin_, actor_);
            {
                Open open(*this);
                within_ = true;
                auto done = (store_.*how)([&] {
                    work();
                    town_.meet(Call::commit, actor_);
                });
                within_ = false;
                if (!done) return done;
            }
            if (town_.meet(Call::committed, actor_)) return refusedCall();
        } catch (const Failure& f) {
            within_ = false;
            return f.error;
        }
        return {};
    }

    Town& town_;
    Store& store_;
    std::string actor_;
    Call begin_;
    bool within_ = false;
};

class HandleOfLog : public Log {
public:
    HandleOfLog(Town& town, std::string actor, int self) : town_(town), actor_(std::move(actor)), self_(self) {}
    ~HandleOfLog() override {
        for (auto& [group, members] : town_.log.members)
            if (std::erase(members, self_)) ++town_.log.sharing[group];
    }

    Result<void> append(const std::vector<Message>& messages) override {
        std::optional<Fault> fault;
        try {
            fault = town_.meet(Call::append, actor_);
        } catch (const Failure& f) {
            return f.error;
        }
        // Of a torn append each partition has what came first to it.
        std::map<std::int32_t, std::size_t> left;
        if (fault)
            for (std::int32_t p = 0; p < Topics::kPartitions; ++p)
                left[p] = static_cast<std::size_t>(fault->dice >> (8 * p)) % (messages.size() + 1);
        for (const Message& m : messages) {
            const auto p = static_cast<std::int32_t>(static_cast<std::uint64_t>(m.key) % Topics::kPartitions);
            if (fault && left[p]-- == 0) {
                left[p] = 0;
                continue;
            }
            town_.log.topics[m.topic][p].push_back(m);
        }
        if (!messages.empty() && messages[0].topic.rfind("porta.views.", 0) == 0) ++town_.log.appends_of_views;
        if (fault) return refusedCall();
        try {
            if (town_.meet(Call::appended, actor_)) return refusedCall();
        } catch (const Failure& f) {
            return f.error;
        }
        return {};
    }

    Result<std::unique_ptr<LogReader>> share(const std::string& group, const std::vector<std::string>& topics) override;
    Result<std::unique_ptr<LogReader>> read(const std::string& topic,
                                            const std::map<std::int32_t, std::int64_t>& positions) override;

private:
    Town& town_;
    std::string actor_;
    int self_;
};

class HandleOfReader : public LogReader {
public:
    using Positions = std::map<Topics::Place, std::size_t>;
    /// `group` empty: reads everything, from `next`.
    HandleOfReader(Town& town, std::string actor, int self, std::string group, std::vector<std::string> topics,
                   Positions next)
        : town_(town),
          actor_(std::move(actor)),
          self_(self),
          group_(std::move(group)),
          topics_(std::move(topics)),
          next_(std::move(next)) {}

    Result<std::vector<Message>> poll(std::size_t max, int) override {
        try {
            if (town_.meet(Call::poll, actor_)) ++town_.log.sharing[group_];  // Kind::again
        } catch (const Failure& f) {
            return f.error;
        }
        settle();
        std::vector<Topics::Place> places;
        for (const std::string& t : topics_)
            for (std::int32_t p = 0; p < Topics::kPartitions; ++p)
                if (ours(p)) places.emplace_back(t, p);
        // In the undisturbed run everything at once; else some partitions first and not always all that is there.
        if (town_.others) town_.dice.shuffle(places);
        std::size_t most = max;
        if (town_.others && town_.dice.chance(60)) most = static_cast<std::size_t>(1 + town_.dice.below(8));
        std::vector<Message> out;
        for (const Topics::Place& place : places) {
            auto slow = town_.log.slow.find(place);
            if (slow != town_.log.slow.end() && slow->second > town_.step) continue;
            const std::vector<Message>& messages = town_.log.topics[place.first][place.second];
            for (std::size_t& at = next_[place]; at < messages.size() && out.size() < most; ++at) {
                out.push_back(messages[at]);
                out.back().partition = place.second;
                out.back().offset = static_cast<std::int64_t>(at);
            }
        }
        return out;
    }

    Result<void> commit() override {
        try {
            if (town_.meet(Call::position, actor_)) return {};  // it is not waited for
        } catch (const Failure& f) {
            return f.error;
        }
        // Of a member whose partitions were given to others nothing is taken.
        if (sharing_ != town_.log.sharing[group_]) return {};
        for (const auto& [place, at] : next_)
            if (ours(place.second)) town_.log.committed[group_][place] = at;
        return {};
    }

private:
    Town& town_;
    std::string actor_;
    int self_;
    std::string group_;
    std::vector<std::string> topics_;
    Positions next_;
    std::int64_t sharing_ = -1;

    bool ours(std::int32_t partition) const {
        if (group_.empty()) return true;
        const std::vector<int>& members = town_.log.members[group_];
        auto me = std::find(members.begin(), members.end(), self_);
        // Who shares what turns with each sharing out.
        return me != members.end() &&
               (static_cast<std::size_t>(partition) + static_cast<std::size_t>(sharing_)) % members.size() ==
                   static_cast<std::size_t>(me - members.begin());
    }
    void settle() {
        if (group_.empty() || sharing_ == town_.log.sharing[group_]) return;
        sharing_ = town_.log.sharing[group_];
        next_ = town_.log.committed[group_];
    }
};

Result<std::unique_ptr<LogReader>> HandleOfLog::share(const std::string& group,
                                                      const std::vector<std::string>& topics) {
    town_.log.members[group].push_back(self_);
    ++town_.log.sharing[group];
    return std::unique_ptr<LogReader>(
        std::make_unique<HandleOfReader>(town_, actor_, self_, group, topics, HandleOfReader::Positions{}));
}

Result<std::unique_ptr<LogReader>> HandleOfLog::read(const std::string& topic,
                                                     const std::map<std::int32_t, std::int64_t>& positions) {
    HandleOfReader::Positions next;
    for (const auto& [p, at] : positions) next[{topic, p}] = static_cast<std::size_t>(at);
    return std::unique_ptr<LogReader>(
        std::make_unique<HandleOfReader>(town_, actor_, self_, "", std::vector{topic}, std::move(next)));
}

/// A microsecond for each step: never the same twice in a schedule, the same in its repetition.
class HandleOfClock : public Clock {
public:
    explicit HandleOfClock(const Town& town) : town_(town) {}
    std::int64_t now() const override { return 1'700'000'000'000'000 + town_.step; }

private:
    const Town& town_;
};

class HandleOfLease : public Lease {
public:
    HandleOfLease(Town& town, std::string actor, int self) : town_(town), actor_(std::move(actor)), self_(self) {}
    ~HandleOfLease() override {
        // A process that died lets its lease run out.
        if (town_.lease.holder == self_) town_.lease.holder = 0;
    }
    Result<bool> hold() override {
        try {
            town_.meet(Call::lease, actor_);
        } catch (const Failure& f) {
            return f.error;
        }
        if (epoch_ && epoch_ != town_.lease.epoch) {
            epoch_ = 0;
            return false;
        }
        if (town_.lease.holder == 0) {
            town_.lease.holder = self_;
            if (!epoch_ || epoch_ != town_.lease.epoch) epoch_ = ++town_.lease.epoch;
        }
        if (town_.lease.holder != self_) epoch_ = 0;
        return town_.lease.holder == self_;
    }
    void check() override {
        if (!epoch_ || epoch_ != town_.lease.epoch)
            throw Failure{fail(Errc::unavailable, "the lease went to another process", "lease.lost")};
    }

private:
    Town& town_;
    std::string actor_;
    int self_;
    std::int64_t epoch_ = 0;
};

}  // namespace

Result<std::unique_ptr<Town>> Town::open() {
    auto town = std::make_unique<Town>();
    for (std::unique_ptr<Store>* store : {&town->data, &town->keys, &town->decisions}) {
        auto opened = openSqlite(":memory:", false);
        if (!opened) return opened.error();
        *store = std::move(*opened);
    }
    if (auto r = migrate(*town->data); !r) return r.error();
    return town;
}

void Town::clear() {
    for (Store* store : {data.get(), keys.get(), decisions.get()}) {
        std::vector<std::string> tables;
        store->query("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'meta'", {},
                     [&](const Row& r) { tables.emplace_back(r.bytes(0)); });
        auto done = store->transact([&] {
            for (const std::string& t : tables) store->run("DELETE FROM " + t);
            if (store == data.get()) store->run("DELETE FROM meta WHERE name <> 'format_version'");
        });
        if (!done) throw Failure{done.error()};
    }
    log = {};
    lease = {};
    step = place = 0;
    open_transactions = full_until = calls = instances = 0;
    others = {};
    faults = Faults::none();
}

std::optional<Fault> Town::meet(Call call, const std::string& actor) {
    ++calls;
    ++place;
    // A full store refuses what would write; what frees room is not simulated, it ends by itself.
    if (calls < full_until && (call == Call::begin || call == Call::keys)) throw Failure{noRoom()};
    auto fault = faults.meet(call, place, actor, open_transactions == 0 && others);
    if (!fault) return fault;
    switch (fault->kind) {
        case Kind::fail: throw Failure{refusedCall()};
        case Kind::crash: throw Crash{};
        case Kind::full: full_until = calls + 5 + static_cast<int>(fault->dice % 60); throw Failure{noRoom()};
        case Kind::slow:
            for (auto& [topic, partitions] : log.topics)
                if (fault->dice & 1 || topic == "porta.records")
                    log.slow[{topic, static_cast<std::int32_t>(fault->dice / 2 % 3)}] =
                        step + 10 + static_cast<std::int64_t>(fault->dice / 8 % 60);
            return std::nullopt;
        case Kind::lapse: lease.holder = 0; [[fallthrough]];
        case Kind::pause: others(actor, 2 + static_cast<int>(fault->dice % 25)); return std::nullopt;
        case Kind::lost:
        case Kind::torn:
        case Kind::again: return fault;
    }
    return fault;
}

Result<World> openWorld(Town& town, const std::string& actor, const std::string& key_file) {
    const int self = ++town.instances;
    World w;
    w.clock = std::make_unique<HandleOfClock>(town);
    w.store = std::make_unique<HandleOfStore>(town, *town.data, actor, Call::begin);
    auto keys = openKeys(std::make_unique<HandleOfStore>(town, *town.keys, actor, Call::keys), key_file, false);
    if (!keys) return keys.error();
    w.keys = std::move(*keys);
    w.log = std::make_unique<HandleOfLog>(town, actor, self);
    w.lease = std::make_unique<HandleOfLease>(town, actor, self);
    if (actor.rfind("project", 0) == 0) {
        auto decisions = DecisionLog::over(std::make_unique<HandleOfStore>(town, *town.decisions, actor, Call::begin));
        if (!decisions) return decisions.error();
        w.decisions = std::move(*decisions);
    }
    return w;
}

std::unique_ptr<Log> plainLog(Town& town) {
    // Nobody stands still and nothing fails in its hands: the schedule is over.
    return std::make_unique<HandleOfLog>(town, "reader", ++town.instances);
}

}  // namespace porta::pipeline::simulation
