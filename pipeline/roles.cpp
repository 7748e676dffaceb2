#include "pipeline/roles.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

#include "pipeline/crash_points.h"
#include "pipeline/gateway.h"
#include "pipeline/intake.h"
#include "pipeline/project.h"
#include "pipeline/rows.h"
#include "pipeline/schema.h"
#include "pipeline/world.h"

namespace porta::pipeline {

namespace {

constexpr std::size_t kBatch = 500, kMapBatch = 2000;

void rest(const config::Settings& settings) {
    std::this_thread::sleep_for(std::chrono::milliseconds(settings.poll_ms));
}

/// connect: pulls what the sources have; a file is left, moved or deleted only when its raw records are in the log.
class ConnectRole : public Role {
public:
    ConnectRole(const config::Settings& settings, Metrics& metrics, std::unique_ptr<Intake> intake, PullSources pulled)
        : settings_(settings), metrics_(metrics), intake_(std::move(intake)), pulled_(std::move(pulled)) {}

    Result<bool> step() override {
        bool did = false;
        for (const auto& pulled : pulled_) {
            const std::string& id = pulled.first;
            const std::string label = "source=\"" + id + "\"";
            auto deliver = [&](connectors::Object& object) -> Result<void> {
                auto delivered = intake_->deliver(id, object.path, std::move(object.bytes), true);
                if (!delivered) return delivered.error();
                metrics_.add("porta_connect_objects_total", label);
                metrics_.add("porta_connect_raw_records_total", label, *delivered);
                did = did || *delivered > 0;
                return {};
            };
            auto refused = [&](const Error& error) {
                metrics_.add("porta_connect_refused_objects_total", label);
                std::cerr << "porta: connect: source " + id + ": " + error.message + "\n";
            };
            if (auto done = pull(*pulled.second, deliver, refused); !done) return done.error();
        }
        if (!did) rest(settings_);
        return did;
    }

private:
    const config::Settings& settings_;
    Metrics& metrics_;
    std::unique_ptr<Intake> intake_;
    PullSources pulled_;
};

/// map: outputs are in the log before the outcomes are in the store, and those before the position moves.
class MapRole : public Role {
public:
    static Result<std::unique_ptr<Role>> open(const config::Settings& settings, Metrics& metrics, World world) {
        std::unique_ptr<MapRole> role(new MapRole(settings, metrics, std::move(world)));
        World& w = role->world_;
        auto sources = w.sources ? std::move(*w.sources) : loadSources(settings);
        if (!sources) return sources.error();
        role->sources_ = std::move(*sources);
        if (auto r = registerGenerations(*role->world_.store, role->sources_); !r) return r.error();
        std::filesystem::create_directories(settings.state);
        if (auto r = role->poison_.open(settings.state, *role->world_.store); !r) return r.error();
        std::vector<std::string> topics;
        for (const auto& s : settings.sources) topics.push_back(rawTopic(s.id));
        auto reader = role->world_.log->share("porta.map", topics);
        if (!reader) return reader.error();
        role->reader_ = std::move(*reader);
        role->map_ =
            std::make_unique<Map>(*role->world_.store, *role->world_.keys, role->sources_, role->poison_, Open::no);
        return std::unique_ptr<Role>(std::move(role));
    }

    Result<bool> step() override {
        auto messages = reader_->poll(kMapBatch, settings_.poll_ms);
        if (!messages) return messages.error();
        if (messages->empty()) return false;
#ifdef PORTA_CONTROL_POSITION_BEFORE_EFFECT
        if (auto r = reader_->commit(); !r) return r.error();
#endif
        try {
            std::vector<RawMessage> raws;
            std::vector<std::int64_t> numbers;
            for (const Message& m : *messages) {
                auto raw = decodeRaw(m.value);
                if (!raw) return raw.error();
                if (raw->raw) numbers.push_back(raw->raw);
                raws.push_back(std::move(*raw));
            }
            world_.keys->fetch(std::move(numbers));
            std::vector<Mapped> mapped;
            for (const RawMessage& raw : raws) {
                auto one = map_->map(raw);
                if (!one) return one.error();
                mapped.push_back(std::move(*one));
            }
            // Two workers that hold the same records after a rebalance wait for each other in one order.
            std::sort(mapped.begin(), mapped.end(),
                      [](const Mapped& a, const Mapped& b) { return a.row.id < b.row.id; });
            std::vector<Message> out;
            for (const Mapped& m : mapped) out.push_back({kRecordsTopic, m.record.raw, encode(m.record)});
            crashPoint("map.before-append");
            if (auto r = world_.log->append(out); !r) return r.error();
            crashPoint("map.appended");
            auto done = world_.store->transact([&] { map_->write(mapped); });
            if (!done) return done.error();
            crashPoint("map.committed");
            for (const Mapped& m : mapped)
                if (m.row.id)
                    metrics_.add("porta_map_raw_records_total", "outcome=\"" + std::string(name(m.row.state)) + "\"");
        } catch (const Failure& f) {
            return f.error;
        }
        if (auto r = reader_->commit(); !r) return r.error();
        return true;
    }

private:
    MapRole(const config::Settings& settings, Metrics& metrics, World world)
        : settings_(settings), metrics_(metrics), world_(std::move(world)) {}
    const config::Settings& settings_;
    Metrics& metrics_;
    World world_;
    Sources sources_;
    Poison poison_;
    std::unique_ptr<LogReader> reader_;
    std::unique_ptr<Map> map_;
};

/// resolve: one holds the lease and writes, the others stand by and load from the store when they get it.
class ResolveRole : public Role {
public:
    static Result<std::unique_ptr<Role>> open(const config::Settings& settings, Metrics& metrics, World world) {
        std::unique_ptr<ResolveRole> role(new ResolveRole(settings, metrics, std::move(world)));
        return std::unique_ptr<Role>(std::move(role));
    }

    Result<bool> step() override {
        auto held = world_.lease->hold();
        // A holder whose connection was ended, or whose time was over, meets its successor's lease here.
        if (resolver_ && (!held || !*held)) metrics_.add("porta_resolve_lost_leases_total", "");
        if (!held) return held.error();
        if (!*held) {
            resolver_.reset();
            reader_.reset();
            rest(settings_);
            return false;
        }
        try {
            if (!resolver_) takeOver();
            auto messages = reader_->poll(2 * kBatch, settings_.poll_ms);
            if (!messages) return messages.error();
            if (!messages->empty()) {
                crashPoint("resolve.polled");
                if (auto r = write(*messages); !r) return r.error();
            }
            auto sent = relay(messages->size() == 2 * kBatch);
            if (!sent) return sent.error();
            return *sent || !messages->empty();
        } catch (const Failure& f) {
            return f.error;
        }
    }

private:
    ResolveRole(const config::Settings& settings, Metrics& metrics, World world)
        : settings_(settings), metrics_(metrics), world_(std::move(world)) {}
    const config::Settings& settings_;
    Metrics& metrics_;
    World world_;
    std::unique_ptr<Resolver> resolver_;
    std::unique_ptr<LogReader> reader_;
    std::chrono::steady_clock::time_point relayed_{};

    void takeOver() {
        resolver_ = std::make_unique<Resolver>(*world_.store, *world_.keys, deleteShares(settings_), true);
        resolver_->load();
        std::map<std::int32_t, std::int64_t> positions;
        world_.store->query("SELECT part, next FROM log_position WHERE topic = ?1", {std::string(kRecordsTopic)},
                            [&](const Row& r) { positions[static_cast<std::int32_t>(r.integer(0))] = r.integer(1); });
        auto reader = world_.log->read(kRecordsTopic, positions);
        if (!reader) throw Failure{reader.error()};
        reader_ = std::move(*reader);
        metrics_.add("porta_resolve_leases_total", "");
    }

    /// Effects and position in one transaction, under the lease.
    Result<void> write(const std::vector<Message>& messages) {
        std::vector<RecordMessage> batch;
        std::vector<std::int64_t> numbers;
        std::map<std::int32_t, std::int64_t> next;
        for (const Message& m : messages) {
            auto record = decodeRecord(m.value);
            if (!record) return record.error();
            if (record->raw) numbers.push_back(record->raw);
            batch.push_back(std::move(*record));
            next[m.partition] = m.offset + 1;
        }
        world_.keys->fetch(std::move(numbers));
        for (RecordMessage& record : batch) {
            auto operations = openOperations(*world_.keys, record.raw, record.generation, record.box);
            if (!operations) return operations.error();
            record.operations = std::move(*operations);
        }
        std::int64_t records = static_cast<std::int64_t>(batch.size());
        auto done = world_.store->transact([&] {
            resolver_->apply(std::move(batch), world_.clock->now());
            for (const auto& [part, offset] : next)
                world_.store->run(
                    "INSERT INTO log_position(topic, part, next) VALUES(?1, ?2, ?3) ON CONFLICT(topic, part) DO UPDATE "
                    "SET "
                    "next = excluded.next",
                    {std::string(kRecordsTopic), std::int64_t{part}, offset});
            crashPoint("resolve.before-commit");
#ifndef PORTA_CONTROL_FENCE_IGNORED
            world_.lease->check();
#endif
        });
        if (!done) return refused(done.error());
        crashPoint("resolve.after-commit");
        metrics_.add("porta_resolve_raw_records_total", "", records);
        return {};
    }

    /// Outbox: the current revision of every dirty person; marked when the log has it. With a backlog of records it goes
    /// once a second, so that a person is not projected for each of them.
    Result<bool> relay(bool backlog) {
        const auto now = std::chrono::steady_clock::now();
        if (backlog && now - relayed_ < std::chrono::seconds(1)) return false;
        relayed_ = now;
        for (bool some = false;; some = true) {
            std::vector<std::pair<std::int64_t, std::int64_t>> dirty;
            world_.store->query("SELECT no, revision FROM person WHERE sent < revision ORDER BY no LIMIT 1000", {},
                                [&](const Row& r) { dirty.emplace_back(r.integer(0), r.integer(1)); });
            if (dirty.empty()) return some;
            std::vector<Message> messages;
            for (const auto& [person, revision] : dirty)
                messages.push_back({kPersonsTopic, resolver_->hashOf("person " + std::to_string(person)),
                                    encodePerson({person, revision})});
            auto mark = [&] {
                return world_.store->transact([&] {
                    Rows rows(*world_.store, "INSERT INTO person(no, revision, sent, projected)", 4,
                              "ON CONFLICT(no) DO UPDATE SET sent = excluded.sent WHERE person.sent < excluded.sent");
                    for (const auto& [person, revision] : dirty)
                        rows.add({person, revision, revision, std::int64_t{0}});
                    rows.flush();
                    world_.lease->check();
                });
            };
#ifdef PORTA_CONTROL_OUTBOX_SKIPPED
            if (auto r = mark(); !r) return r.error();
#endif
            if (auto r = world_.log->append(messages); !r) return r.error();
            crashPoint("resolve.relayed");
            auto done = mark();
            if (!done) return refused(done.error());
        }
    }

    /// The store took nothing: the lease went to another process, which also ends this one's connection.
    Error refused(const Error& error) {
        if (error.code == Errc::unavailable) metrics_.add("porta_resolve_refused_writes_total", "");
        return error;
    }
};

/// project: one line for each person of a batch, the newest revision of it.
class ProjectRole : public Role {
public:
    static Result<std::unique_ptr<Role>> open(const config::Settings& settings, Metrics& metrics, World world) {
        std::unique_ptr<ProjectRole> role(new ProjectRole(settings, metrics, std::move(world)));
        auto reader = role->world_.log->share("porta.project", {kPersonsTopic});
        if (!reader) return reader.error();
        role->reader_ = std::move(*reader);
        World& w = role->world_;
        auto project = Project::open(settings, *w.store, *w.keys, *w.log, *w.clock, std::move(w.decisions));
        if (!project) return project.error();
        role->project_ = std::move(*project);
        return std::unique_ptr<Role>(std::move(role));
    }

    Result<bool> step() override {
        if (!caught_up_) {
            // What a process that died here, or elsewhere, has stored and not delivered.
            auto left = project_->deliver();
            if (!left) return left.error();
            metrics_.add("porta_project_views_total", "", static_cast<std::int64_t>(*left));
            caught_up_ = true;
        }
        auto messages = reader_->poll(kBatch, settings_.poll_ms);
        if (!messages) return messages.error();
        if (messages->empty()) return false;
        std::map<std::int64_t, std::int64_t> revisions;
        for (const Message& m : *messages) {
            auto person = decodePerson(m.value);
            if (!person) return person.error();
            std::int64_t& revision = revisions[person->person];
            revision = std::max(revision, person->revision);
        }
        auto done = project_->project(revisions);
        if (!done) return done.error();
        metrics_.add("porta_project_views_total", "", static_cast<std::int64_t>(*done));
        metrics_.add("porta_project_persons_total", "", static_cast<std::int64_t>(revisions.size()));
        if (auto r = reader_->commit(); !r) return r.error();
        return true;
    }

private:
    ProjectRole(const config::Settings& settings, Metrics& metrics, World world)
        : settings_(settings), metrics_(metrics), world_(std::move(world)) {}
    const config::Settings& settings_;
    Metrics& metrics_;
    World world_;
    std::unique_ptr<LogReader> reader_;
    std::unique_ptr<Project> project_;
    bool caught_up_ = false;
};

}  // namespace

std::string rawTopic(const std::string& source) { return "porta.raw." + source; }
std::string viewsTopic(const std::string& purpose) { return "porta.views." + purpose; }

Result<void> prepareStores(const config::Settings& settings) {
    auto store = openStore(settings, Part::data, false);
    if (!store) return store.error();
    if (auto r = migrate(**store); !r) return r;
    auto keys = openKeys(settings, false);
    return keys ? Result<void>{} : keys.error();
}

Result<std::unique_ptr<Role>> openRole(const std::string& name, const config::Settings& settings, Metrics& metrics) {
    if (auto r = prepareStores(settings); !r) return r.error();
    auto world = openWorld(settings);
    if (!world) return world.error();
    return openRole(name, settings, metrics, std::move(*world));
}

Result<std::unique_ptr<Role>> openRole(const std::string& name, const config::Settings& settings, Metrics& metrics,
                                       World world) {
    if (name == "map") return MapRole::open(settings, metrics, std::move(world));
    if (name == "resolve") return ResolveRole::open(settings, metrics, std::move(world));
    if (name == "project") return ProjectRole::open(settings, metrics, std::move(world));
    if (name == "connect") {
        PullSources pulled = world.pulled ? std::move(*world.pulled) : pullSources(settings);
        auto intake = Intake::open(settings, std::move(world));
        if (!intake) return intake.error();
        return std::unique_ptr<Role>(
            std::make_unique<ConnectRole>(settings, metrics, std::move(*intake), std::move(pulled)));
    }
    return fail(Errc::misconfigured, "there is no role `" + name + "`; known: connect, map, resolve, project, serve",
                "role");
}

Result<ReplayCount> replayScaledOut(const config::Settings& settings, const std::string& source,
                                    const std::string& reason, const std::function<void(std::size_t)>& waiting) {
    auto world = openWorld(settings);
    if (!world) return world.error();
    auto intake = Intake::open(settings, std::move(*world));
    if (!intake) return intake.error();
    Store& store = (*intake)->store();
    try {
        std::map<std::string, std::vector<RawMessage>> by_source;
        std::map<std::int64_t, std::int64_t> awaited;  // raw record → attempt
        Objects objects(store, (*intake)->keys());
        for (RawMessage& m : quarantined(store, (*intake)->keys(), (*intake)->sources(), source, reason)) {
            awaited[m.raw] = m.attempts;
            by_source[objects.at(m.object).row.source].push_back(std::move(m));
        }
        ReplayCount count;
        count.replayed = static_cast<std::int64_t>(awaited.size());
        for (auto& [id, raws] : by_source)
            if (auto r = (*intake)->append(id, std::move(raws)); !r) return r.error();
        while (!awaited.empty()) {
            std::erase_if(awaited, [&](const auto& one) {
                bool there = false;
                store.query(
                    "SELECT r.state FROM raw r JOIN operation o ON o.raw = r.id WHERE r.id = ?1 AND r.attempts >= ?2 "
                    "AND "
                    "o.attempts >= ?2",
                    {one.first, one.second}, [&](const Row& r) {
                        there = true;
                        ++(static_cast<RawState>(r.integer(0)) == RawState::quarantined ? count.still
                                                                                        : count.published);
                    });
                return there;
            });
            if (awaited.empty()) break;
            waiting(awaited.size());
            rest(settings);
        }
        return count;
    } catch (const Failure& f) {
        return f.error;
    }
}

}  // namespace porta::pipeline
