#include "pipeline/gateway.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "base/durable.h"
#include "connectors/files.h"
#include "pipeline/crash_points.h"
#include "pipeline/embedded/local.h"
#include "pipeline/schema.h"
#include "pipeline/world.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kBatch = 1000;
constexpr std::uint64_t kBatchBytes = 16u << 20;

Result<std::vector<Mapped>> mapAll(Map& map, const std::vector<RawMessage>& messages) {
    std::vector<Mapped> mapped;
    mapped.reserve(messages.size());
    for (const RawMessage& m : messages) {
        auto one = map.map(m);
        if (!one) return one.error();
        mapped.push_back(std::move(*one));
    }
    return mapped;
}

std::vector<RecordMessage> recordsOf(std::vector<Mapped>& mapped) {
    std::vector<RecordMessage> records;
    records.reserve(mapped.size());
    for (Mapped& m : mapped) records.push_back(std::move(m.record));
    return records;
}

}  // namespace

std::map<std::string, double> deleteShares(const config::Settings& settings) {
    std::map<std::string, double> shares;
    for (const auto& s : settings.sources)
        if (s.full) shares[s.id] = s.max_delete_share;
    return shares;
}

Result<std::unique_ptr<Gateway>> Gateway::open(const config::Settings& settings) {
    std::unique_ptr<Gateway> g(new Gateway(settings));
    g->clock_ = openClock(settings);
    // The lease before the stores: a second owner must not even migrate.
    if (auto r = makeDirectory(settings.state); !r) return r.error();
    auto lease = lockState(settings.state);
    if (!lease) return lease.error();
    g->lease_ = std::move(*lease);
    auto keys = openKeys(settings, false);
    if (!keys) return keys.error();
    g->keys_ = std::move(*keys);
    auto store = openStore(settings, Part::data, false);
    if (!store) return store.error();
    g->store_ = std::move(*store);
    if (auto r = migrate(*g->store_); !r) return r.error();
    auto sources = loadSources(g->settings_);
    if (!sources) return sources.error();
    g->sources_ = std::move(*sources);
    g->pulled_ = pullSources(g->settings_);
    if (auto r = registerGenerations(*g->store_, g->sources_); !r) return r.error();
    if (auto r = g->poison_.open(settings.state, *g->store_); !r) return r.error();
    g->connect_ = std::make_unique<Connect>(*g->store_, *g->keys_, *g->clock_);
    g->map_ = std::make_unique<Map>(*g->store_, *g->keys_, g->sources_, g->poison_, Open::yes);
    return g;
}

/// With the first object that has something new: a pass that finds nothing new does not wait for it.
Result<void> Gateway::loadResolver() {
    if (resolver_) return {};
    auto resolver = std::make_unique<Resolver>(*store_, *keys_, deleteShares(settings_), false);
    try {
        resolver->load();
    } catch (const Failure& f) {
        return f.error;
    }
    resolver_ = std::move(resolver);
    return {};
}

Result<void> Gateway::ingestAll(const std::string& only_source, const Progress& progress) {
    Result<void> first;
    for (const auto& [id, from] : pulled_) {
        if (!only_source.empty() && id != only_source) continue;
        const Source& source = sources_.at(id);
        auto done = pull(
            *from,
            [&](connectors::Object& object) {
                return deliver(source, object.path, std::move(object.bytes), true, progress);
            },
            [&](const Error& error) {
                if (first) first = error;
            });
        if (!done) return done;
    }
    return first;
}

Result<const Source*> Gateway::sourceNamed(const std::string& id) const {
    auto found = sources_.find(id);
    if (found == sources_.end())
        return fail(Errc::misconfigured, "there is no source `" + id + "` in this configuration", "source");
    return &found->second;
}

Result<void> Gateway::ingestFile(const std::string& id, const std::string& path, const Progress& progress) {
    auto source = sourceNamed(id);
    if (!source) return source.error();
    const std::string full = fs::absolute(path).lexically_normal().string();
    auto bytes = connectors::readFile(full, (*source)->settings->max_object_bytes);
    if (!bytes) return bytes.error();
    return deliver(**source, full, std::move(*bytes), false, progress);
}

Result<void> Gateway::ingestBytes(const std::string& id, const std::string& label, std::string bytes,
                                  const Progress& progress) {
    auto source = sourceNamed(id);
    if (!source) return source.error();
    return deliver(**source, label, std::move(bytes), false, progress);
}

Result<void> Gateway::deliver(const Source& source, const std::string& path, std::string bytes, bool pulled,
                              const Progress& progress) {
    auto arrivals = arrivalsOf(source, path, std::move(bytes));
    if (!arrivals) return arrivals.error();
    for (Arrival& arrival : *arrivals) {
        auto delivery = connect_->accept(source, std::move(arrival), pulled);
        if (!delivery) return delivery.error();
        if (!*delivery) continue;
        if (auto done = process(**delivery, progress); !done) return done;
    }
    return {};
}

/// Raw records [from, to) of an object: sealed under durable keys and mapped, not yet in the store.
struct Gateway::Batch {
    std::int64_t to = 0;
    std::vector<Mapped> mapped;
    Result<void> done;
};

Gateway::Batch Gateway::prepare(const Delivery& delivery, std::int64_t from) {
    Batch batch;
    std::uint64_t bytes = 0;
    for (batch.to = from; batch.to < std::min(delivery.row.n, from + kBatch) && bytes < kBatchBytes; ++batch.to)
        bytes += delivery.units.units[static_cast<std::size_t>(batch.to)].length;
    try {
        std::vector<RawMessage> messages = connect_->seal(delivery, from, batch.to);
        crashPoint("map.batch-keys");
        const KnownObject object{delivery.row, delivery.meta};
        batch.mapped.reserve(messages.size());
        for (const RawMessage& m : messages) {
            auto one = map_->map(m, object);
            if (!one) {
                batch.done = one.error();
                return batch;
            }
            batch.mapped.push_back(std::move(*one));
        }
        crashPoint("map.batch-mapped");
    } catch (const Failure& f) {
        batch.done = f.error;
    }
    return batch;
}

/// map, resolve and the source's position: a batch is one transaction, and while it is made durable the next is prepared.
Result<void> Gateway::process(Delivery& delivery, const Progress& progress) {
    if (auto r = loadResolver(); !r) return r;
    ObjectRow& o = delivery.row;
    Batch batch = prepare(delivery, o.done);
    while (true) {
        if (!batch.done) return batch.done;
        const bool last = batch.to == o.n;
        std::future<Batch> next;
        if (!last)
            next =
                std::async(std::launch::async, [this, &delivery, from = batch.to] { return prepare(delivery, from); });
        auto done = store_->transact([&] {
            map_->write(batch.mapped);
            if (last) store_->run("UPDATE object SET appended = 1 WHERE no = ?1", {o.no});
            resolver_->apply(recordsOf(batch.mapped), clock_->now());
            crashPoint("resolve.before-commit");
        });
        if (!done) return done;
        crashPoint("resolve.after-commit");
        o.done = batch.to;
        if (progress) progress(o.source, static_cast<std::uint64_t>(o.done), static_cast<std::uint64_t>(o.n));
        if (last) return {};
        batch = next.get();
    }
}

std::vector<RawMessage> quarantined(Store& store, Keys& keys, const Sources& sources, const std::string& only_source,
                                    const std::string& reason) {
    std::vector<RawMessage> messages;
    Objects objects(store, keys);
    std::vector<RawRow> rows;
    store.query(std::string("SELECT ") + kRawColumns + " FROM raw WHERE state = 3 ORDER BY id", {},
                [&](const Row& r) { rows.push_back(rawRow(r)); });
    for (RawRow& row : rows) {
        if (!reason.empty() && row.reason != reason) continue;
        auto source = sources.find(objects.at(row.object).row.source);
        if (source == sources.end() || (!only_source.empty() && source->first != only_source)) continue;
        messages.push_back({row.id,
                            row.object,
                            row.position,
                            row.start,
                            row.length,
                            row.received_at,
                            row.attempts + 1,
                            source->second.generation,
                            std::move(row.payload),
                            {}});
    }
    return messages;
}

Result<ReplayCount> Gateway::replayQuarantine(const std::string& only_source, const std::string& reason) {
    ReplayCount count;
    if (auto r = loadResolver(); !r) return r.error();
    try {
        auto mapped = mapAll(*map_, quarantined(*store_, *keys_, sources_, only_source, reason));
        if (!mapped) return mapped.error();
        for (const Mapped& m : *mapped) {
            ++count.replayed;
            ++(m.row.state == RawState::quarantined ? count.still : count.published);
        }
        auto done = store_->transact([&] {
            map_->write(*mapped);
            resolver_->apply(recordsOf(*mapped), clock_->now());
        });
        if (!done) return done.error();
    } catch (const Failure& f) {
        return f.error;
    }
    return count;
}

}  // namespace porta::pipeline
