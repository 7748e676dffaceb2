#include "pipeline/gateway.h"

#include <re2/re2.h>
#include <unicode/timezone.h>
#include <unicode/uchar.h>
#include <unicode/uvernum.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/canonical_json.h"
#include "base/date_time.h"
#include "pipeline/crash_points.h"
#include "pipeline/embedded/local.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/schema.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBatch = 1000;

std::string bytesOf(const Sha256& digest) {
    return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

/// What the file name says of the object's time, as ISO text; empty when the source has none.
Result<std::string> objectTime(const config::SourceSettings& source, const std::string& path) {
    if (source.object_time_from.empty()) return std::string();
    RE2 pattern(source.object_time_pattern);
    std::string text;
    std::string name = fs::path(path).filename().string();
    if (!pattern.ok() || pattern.NumberOfCapturingGroups() != 1)
        return fail(Errc::misconfigured, source.file + ": object_time.pattern must be an RE2 expression with one group",
                    "object_time.pattern");
    if (!RE2::PartialMatch(name, pattern, &text))
        return fail(Errc::malformed,
                    "a file name has no object time; object_time.pattern of source `" + source.id + "` must match it",
                    "object_time.missing");
    if (text.size() == 8 && text.find_first_not_of("0123456789") == std::string::npos)
        text = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2);
    auto parsed = parseIso(text);
    if (!parsed)
        return fail(Errc::malformed, "a file name's object time is no date; yyyyMMdd or ISO 8601 is expected",
                    "object_time.form");
    return toIso(*parsed);
}

}  // namespace

Sha256 engineDigest() {
    std::string parts = "porta engine 1;icu " U_ICU_VERSION ";unicode " U_UNICODE_VERSION ";tz ";
    UErrorCode status = U_ZERO_ERROR;
    parts += icu::TimeZone::getTZDataVersion(status);
    return sha256(parts);
}

/// One object on its way: registered, its bytes in memory.
struct Gateway::Object {
    ObjectRow row;
    ObjectMeta meta;
    std::string bytes;  ///< after transport layers
    formats::Units units;
};

Result<std::unique_ptr<Gateway>> Gateway::open(const config::Settings& settings) {
    std::unique_ptr<Gateway> g(new Gateway(settings));
    std::error_code error;
    fs::create_directories(settings.state, error);
    if (error) return fail(Errc::misconfigured, settings.state + ": the state directory cannot be created", "state");
    auto lease = lockState(settings.state);
    if (!lease) return lease.error();
    g->lease_ = std::move(*lease);
    g->clock_ = systemClock(settings.testing);
    auto keys = openKeys(settings.state, settings.key_file, false);
    if (!keys) return keys.error();
    g->keys_ = std::move(*keys);
    auto store = openSqlite(settings.store_path, false);
    if (!store) return store.error();
    g->store_ = std::move(*store);
    if (auto r = migrate(*g->store_); !r) return r.error();
    if (auto r = g->prepareSources(); !r) return r.error();
    g->resolver_ = std::make_unique<Resolver>(*g->store_, *g->keys_);
    try {
        std::map<std::string, double> shares;
        for (const auto& s : settings.sources)
            if (s.full) shares[s.id] = s.max_delete_share;
        g->resolver_->load(shares);
    } catch (const Failure& f) {
        return f.error;
    }
    return g;
}

Result<void> Gateway::prepareSources() {
    Sha256 engine = engineDigest();
    for (const config::SourceSettings& s : settings_.sources) {
        SourceState state;
        state.settings = settings_.source(s.id);
        std::string digests;
        Json rules = Json::array();
        for (const std::string& path : s.mappings) {
            auto program = mapping::Program::load(path);
            if (!program) return program.error();
            digests += bytesOf((*program)->digest());
            state.programs.push_back(*program);
        }
        // Leaves name a rule by its index; the programs of one source share one numbering, in the order of the list.
        for (const auto& program : state.programs)
            for (const mapping::Rule& rule : program->rules()) {
                Json r = Json::object();
                r["file"] = rule.file;
                r["line"] = rule.line;
                r["name"] = rule.name;
                r["table"] = rule.table;
                rules.push(std::move(r));
            }
        Sha256 digest = sha256(digests);
        auto done = store_->transact([&] {
            store_->query("SELECT no FROM generation WHERE source = ?1 AND mapping_digest = ?2 AND engine_digest = ?3",
                          {s.id, Blob{bytesOf(digest)}, Blob{bytesOf(engine)}},
                          [&](const Row& r) { state.generation = static_cast<int>(r.integer(0)); });
            if (state.generation) return;
            store_->query("SELECT COALESCE(MAX(no), 0) + 1 FROM generation", {},
                          [&](const Row& r) { state.generation = static_cast<int>(r.integer(0)); });
            store_->run(
                "INSERT INTO generation(no, source, mapping_digest, engine_digest, rules) VALUES(?1, ?2, ?3, ?4, ?5)",
                {std::int64_t{state.generation}, s.id, Blob{bytesOf(digest)}, Blob{bytesOf(engine)}, print(rules)});
        });
        if (!done) return done;
        sources_[s.id] = std::move(state);
    }
    return {};
}

Result<void> Gateway::ingestAll(const std::string& only_source, const Progress& progress) {
    for (auto& [id, source] : sources_) {
        if (!only_source.empty() && id != only_source) continue;
        const config::SourceSettings& s = *source.settings;
        if (s.path.empty()) continue;
        connectors::FilesSource files(s.path, s.pattern, s.max_object_bytes);
        auto paths = files.list();
        if (!paths) return paths.error();
        for (const std::string& path : *paths) {
            auto bytes = files.read(path);
            if (!bytes) return bytes.error();
            if (!*bytes) continue;
            if (auto r = deliver(source, path, std::move(**bytes), true, progress); !r) return r;
            crashPoint("connect.object-closed");
            if (auto r = files.finish(path, s.on_done); !r) return r;
        }
    }
    return {};
}

Result<void> Gateway::ingestFile(const std::string& id, const std::string& path, const Progress& progress) {
    auto found = sources_.find(id);
    if (found == sources_.end())
        return fail(Errc::misconfigured, "there is no source `" + id + "` in this configuration", "source");
    connectors::FilesSource files(path, "*", found->second.settings->max_object_bytes);
    auto bytes = files.read(fs::absolute(path).lexically_normal().string());
    if (!bytes) return bytes.error();
    if (!*bytes)
        return fail(Errc::unavailable, "a file changed while it was read; try again when it is complete",
                    "files.changing");
    return deliver(found->second, fs::absolute(path).lexically_normal().string(), std::move(**bytes), false, progress);
}

Result<void> Gateway::ingestBytes(const std::string& id, const std::string& label, std::string bytes,
                                  const Progress& progress) {
    auto found = sources_.find(id);
    if (found == sources_.end())
        return fail(Errc::misconfigured, "there is no source `" + id + "` in this configuration", "source");
    return deliver(found->second, label, std::move(bytes), false, progress);
}

/// connect: an object is the same as an earlier one iff source, digest and object time are equal (without object times:
/// source, path, digest, and the newest of that path).
Result<void> Gateway::deliver(SourceState& source, const std::string& path, std::string bytes, bool pulled,
                              const Progress& progress) {
    const config::SourceSettings& s = *source.settings;
    Object object;
    object.meta.path = path;
    object.meta.sha256 = hex(sha256(bytes));
    crashPoint("connect.object-read");
    auto time = objectTime(s, path);
    if (!time) return time.error();
    object.meta.object_time = *time;
    std::int64_t path_hash = resolver_->hashOf("path\n" + s.id + "\n" + path);
    std::int64_t identity =
        resolver_->hashOf("object\n" + s.id + "\n" + object.meta.sha256 + "\n" + (time->empty() ? path : *time));

    std::vector<ObjectRow> same, same_path;
    ObjectRow newest;
    try {
        store_->query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE identity = ?1 ORDER BY no",
                      {identity}, [&](const Row& r) { same.push_back(objectRow(r)); });
        store_->query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE path = ?1 ORDER BY no", {path_hash},
                      [&](const Row& r) { same_path.push_back(objectRow(r)); });
    } catch (const Failure& f) {
        return f.error;
    }
    // Without object times only the newest object of a path can be the same again.
    if (time->empty() && !same_path.empty() && same_path.back().identity != identity) same.clear();
    bool known_here = std::any_of(same.begin(), same.end(), [&](const ObjectRow& o) { return o.path == path_hash; });
    const ObjectRow* first = nullptr;
    for (const ObjectRow& o : same)
        if (o.state == ObjectState::open || o.state == ObjectState::closed) first = &o;
    if (first && first->state == ObjectState::closed && pulled && known_here) return {};

    if (s.compressed && formats::looksGzipped(bytes)) {
        auto plain = formats::gunzip(bytes, s.max_object_bytes);
        if (!plain) return plain.error();
        bytes = std::move(*plain);
        object.meta.layers.push_back("gzip");
    }
    object.bytes = std::move(bytes);
    auto units = formats::split(s.format, object.bytes);
    // What cannot be split is one raw record: it is quarantined whole, with the reader's reason.
    if (units) object.units = std::move(*units);
    else object.units.units = {{0, object.bytes.size()}};
    object.meta.context = object.units.context;

    if (first && first->state == ObjectState::open) {
        object.row = *first;
        return process(source, object, progress);
    }
    std::int64_t n = static_cast<std::int64_t>(object.units.units.size());
    auto next = [&](const char* sql) {
        std::int64_t value = 0;
        store_->query(sql, {}, [&](const Row& r) { value = r.integer(0); });
        return value;
    };
    try {
        ObjectRow& row = object.row;
        row.no = next("SELECT COALESCE(MAX(no), 0) + 1 FROM object");
        row.first_raw = next("SELECT COALESCE(MAX(first_raw + CASE state WHEN 2 THEN 0 ELSE n END), 1) FROM object");
        row.source = s.id;
        row.n = n;
        row.state = first ? ObjectState::duplicate : ObjectState::open;
        row.generation = source.generation;
        row.received_at = clock_->now();
        if (!time->empty()) {
            auto instant = firstInstant(*parseIso(*time), s.time_zone);
            if (!instant) return instant.error();
            row.instant = *instant;
            row.has_instant = true;
        }
        Key key = keys_->create({-row.no})[0];
        crashPoint("connect.object-keys");
        auto done = store_->transact([&] {
            // An object of this path whose bytes changed before they were all read is void; what was read of it stays.
            for (const ObjectRow& o : same_path)
                if (o.state == ObjectState::open && o.identity != identity)
                    store_->run("UPDATE object SET state = 3, n = done WHERE no = ?1", {o.no});
            store_->run(
                "INSERT INTO object(no, source, identity, path, instant, duplicate_of, first_raw, n, done, state, "
                "generation, received_at, meta) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                {row.no, row.source, identity, path_hash, row.has_instant ? Value{row.instant} : Value{nullptr},
                 first ? Value{first->no} : Value{nullptr}, row.first_raw, row.n, std::int64_t{0},
                 static_cast<std::int64_t>(row.state), std::int64_t{row.generation}, row.received_at,
                 Blob{seal(key, Box::object_meta, 0, encodeMeta(object.meta))}});
        });
        if (!done) return done;
    } catch (const Failure& f) {
        return f.error;
    }
    crashPoint("connect.object-registered");
    if (object.row.state == ObjectState::duplicate) return {};
    return process(source, object, progress);
}

RawState stateOf(const mapping::Outcome& outcome) {
    switch (outcome.state) {
        case mapping::State::published: return RawState::published;
        case mapping::State::skipped: return RawState::skipped;
        case mapping::State::quarantined: return RawState::quarantined;
    }
    return RawState::quarantined;
}

mapping::Outcome mapOnce(const config::SourceSettings& s,
                         const std::vector<std::shared_ptr<const mapping::Program>>& programs, const ObjectMeta& meta,
                         std::int64_t object, std::int64_t position, std::string_view bytes, formats::NodeTree& tree) {
    mapping::Input input;
    input.bytes = bytes;
    input.context = meta.context;
    input.source = s.id;
    input.time_zone = s.time_zone;
    input.date_pattern = s.date_pattern;
    input.object_time = meta.object_time;
    input.arrival = s.arrival;
    input.full_snapshot = s.full;
    mapping::Outcome outcome = mapping::mapWithFirst(programs, s.format, input, tree);
    for (schemas::Operation& op : outcome.operations)
        if (op.version.order == schemas::Order::arrival) op.version.parts = {object, position};
    return outcome;
}

MappedRecord Gateway::mapOne(const SourceState& source, const ObjectMeta& meta, std::int64_t object,
                             std::int64_t position, std::int64_t id, std::string_view bytes, RawRow& row,
                             const Key& key) {
    mapping::Outcome outcome = mapOnce(*source.settings, source.programs, meta, object, position, bytes, tree_);
    MappedRecord record{id, object, source.generation, outcome.key_unreadable, std::move(outcome.operations)};
    row.generation = source.generation;
    row.state = stateOf(outcome);
    row.reason = row.state == RawState::skipped       ? outcome.rule
                 : row.state == RawState::quarantined ? std::string(name(outcome.error.code))
                                                      : "";
    row.operations = record.operations.empty()
                         ? ""
                         : seal(key, Box::operations, source.generation, schemas::encode(record.operations));
    row.detail =
        row.state == RawState::quarantined ? seal(key, Box::detail, source.generation, encodeError(outcome.error)) : "";
    return record;
}

void Gateway::writeLinks(const MappedRecord& record) {
    std::vector<std::int64_t> hashes;
    for (const schemas::Operation& op : record.operations) {
        hashes.push_back(resolver_->hashOf(op.key.text()));
        if (!op.into.empty())
            hashes.push_back(resolver_->hashOf(schemas::RecordKey{op.key.source, op.key.entity, op.into}.text()));
        for (const schemas::RecordKey& s : op.subjects) hashes.push_back(resolver_->hashOf(s.text()));
    }
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    for (std::int64_t h : hashes)
        store_->run("INSERT INTO link(hash, raw) VALUES(?1, ?2) ON CONFLICT DO NOTHING", {h, record.raw});
}

ClosedSnapshot Gateway::snapshotOf(const SourceState& source, const ObjectRow& row, const ObjectMeta& meta) const {
    return {row.no, row.instant, source.settings->id, meta.sha256, source.settings->max_delete_share};
}

/// map, resolve and the source's position: a batch is one transaction.
Result<void> Gateway::process(SourceState& source, Object& object, const Progress& progress) {
    ObjectRow& o = object.row;
    const auto& units = object.units.units;
    try {
        while (true) {
            std::int64_t from = o.done, to = std::min<std::int64_t>(o.n, from + static_cast<std::int64_t>(kBatch));
            std::int64_t now = clock_->now();
            std::vector<std::int64_t> ids;
            for (std::int64_t i = from; i < to; ++i) ids.push_back(o.first_raw + i);
            std::vector<Key> keys = keys_->create(ids);
            crashPoint("map.batch-keys");
            std::vector<RawRow> rows(ids.size());
            std::vector<MappedRecord> mapped;
            mapped.reserve(ids.size());
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const formats::Unit& unit = units[static_cast<std::size_t>(from) + i];
                std::string_view bytes = std::string_view(object.bytes).substr(unit.offset, unit.length);
                RawRow& row = rows[i];
                row.id = ids[i];
                row.object = o.no;
                row.position = from + static_cast<std::int64_t>(i);
                row.start = static_cast<std::int64_t>(unit.offset);
                row.length = static_cast<std::int64_t>(unit.length);
                row.received_at = now;
                row.payload = seal(keys[i], Box::raw_bytes, 0, compress(bytes));
                mapped.push_back(mapOne(source, object.meta, o.no, row.position, row.id, bytes, row, keys[i]));
            }
            crashPoint("map.batch-mapped");
            bool closes = to == o.n;
            auto done = store_->transact([&] {
                for (std::size_t i = 0; i < rows.size(); ++i) {
                    RawRow& r = rows[i];
                    store_->run(
                        "INSERT INTO raw(id, object, position, start, length, state, reason, generation, attempts, "
                        "received_at, payload, operations, detail) "
                        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                        {r.id, r.object, r.position, r.start, r.length, static_cast<std::int64_t>(r.state), r.reason,
                         std::int64_t{r.generation}, r.attempts, r.received_at, Blob{std::move(r.payload)},
                         Blob{std::move(r.operations)}, Blob{std::move(r.detail)}});
                    writeLinks(mapped[i]);
                }
                std::vector<ClosedSnapshot> closed;
                if (closes && source.settings->full) closed.push_back(snapshotOf(source, o, object.meta));
                resolver_->apply(mapped, closed, now);
                std::int64_t newest = o.has_instant ? o.instant : 0;
                for (const MappedRecord& record : mapped)
                    for (const schemas::Operation& op : record.operations)
                        if (op.version.order == schemas::Order::instant && !op.version.parts.empty())
                            newest = std::max(newest, op.version.parts[0]);
                store_->run(
                    "INSERT INTO source_time(source, newest) VALUES(?1, ?2) ON CONFLICT(source) DO UPDATE SET newest = "
                    "excluded.newest WHERE excluded.newest > source_time.newest",
                    {o.source, newest});
                store_->run("UPDATE object SET done = ?1, state = ?2 WHERE no = ?3", {to, std::int64_t{closes}, o.no});
                crashPoint("resolve.before-commit");
            });
            if (!done) return done;
            crashPoint("resolve.after-commit");
            o.done = to;
            if (progress) progress(o.source, static_cast<std::uint64_t>(to), static_cast<std::uint64_t>(o.n));
            if (closes) return {};
        }
    } catch (const Failure& f) {
        return f.error;
    }
}

Result<ReplayCount> Gateway::replayQuarantine(const std::string& only_source, const std::string& reason) {
    ReplayCount count;
    try {
        std::vector<RawRow> rows;
        store_->query(std::string("SELECT ") + kRawColumns + " FROM raw WHERE state = 3 ORDER BY id", {},
                      [&](const Row& r) { rows.push_back(rawRow(r)); });
        std::map<std::int64_t, std::pair<ObjectRow, ObjectMeta>> objects;
        std::vector<MappedRecord> mapped;
        std::vector<RawRow> changed;
        for (RawRow& row : rows) {
            if (!reason.empty() && row.reason != reason) continue;
            auto it = objects.find(row.object);
            if (it == objects.end()) {
                ObjectRow o;
                store_->query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE no = ?1", {row.object},
                              [&](const Row& r) { o = objectRow(r); });
                auto key = keys_->find(-o.no);
                if (!key) return key.error();
                auto meta = pipeline::open(*key, Box::object_meta, 0, o.meta).and_then([](std::string&& plain) {
                    return decodeMeta(plain);
                });
                if (!meta) return meta.error();
                it = objects.emplace(row.object, std::make_pair(o, *meta)).first;
            }
            auto source = sources_.find(it->second.first.source);
            if (source == sources_.end() || (!only_source.empty() && source->first != only_source)) continue;
            auto key = keys_->find(row.id);
            if (!key) return key.error();
            auto bytes = pipeline::open(*key, Box::raw_bytes, 0, row.payload).and_then([](std::string&& box) {
                return decompress(box);
            });
            if (!bytes) return bytes.error();
            row.attempts += 1;
            mapped.push_back(
                mapOne(source->second, it->second.second, row.object, row.position, row.id, *bytes, row, *key));
            ++count.replayed;
            ++(row.state == RawState::quarantined ? count.still : count.published);
            changed.push_back(std::move(row));
        }
        auto done = store_->transact([&] {
            for (std::size_t i = 0; i < changed.size(); ++i) {
                RawRow& r = changed[i];
                store_->run(
                    "UPDATE raw SET state = ?1, reason = ?2, generation = ?3, attempts = ?4, operations = ?5, detail = "
                    "?6 WHERE id = ?7",
                    {static_cast<std::int64_t>(r.state), r.reason, std::int64_t{r.generation}, r.attempts,
                     Blob{r.operations}, Blob{r.detail}, r.id});
                writeLinks(mapped[i]);
                resolver_->forget(mapped[i]);
            }
            resolver_->apply(mapped, {}, clock_->now());
            resolver_->settleAll(clock_->now());
        });
        if (!done) return done.error();
    } catch (const Failure& f) {
        return f.error;
    }
    return count;
}

}  // namespace porta::pipeline
