#include "pipeline/connect.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/compression.h"
#include "base/date_time.h"
#include "connectors/files.h"
#include "formats/zip.h"
#include "pipeline/crash_points.h"

namespace porta::pipeline {

namespace {

/// What the file name says of the object's time, as ISO text; empty when the source has none. Where an
/// entry's name says nothing, its archive's counts.
Result<std::string> objectTime(const config::SourceSettings& source, const Arrival& arrival) {
    if (source.object_time_from.empty()) return std::string();
    RE2 pattern(source.object_time_pattern, RE2::Quiet);
    std::string text;
    if (!pattern.ok() || pattern.NumberOfCapturingGroups() != 1)
        return fail(Errc::misconfigured, source.file + ": object_time.pattern must be an RE2 expression with one group",
                    "object_time.pattern");
    auto says = [&](const std::string& path) {
        return RE2::PartialMatch(std::filesystem::path(path).filename().string(), pattern, &text);
    };
    if (!says(arrival.path) && !says(arrival.archive))
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

KeyedHash indexHash(const Keys& keys) {
    const Key& k = keys.indexKey();
    return KeyedHash(std::string_view(reinterpret_cast<const char*>(k.data()), k.size()));
}

Connect::Connect(Store& store, Keys& keys, Clock& clock)
    : store_(store), keys_(keys), clock_(clock), hash_(indexHash(keys)) {}

PullSources pullSources(const config::Settings& settings) {
    PullSources sources;
    for (const config::SourceSettings& s : settings.sources)
        if (!s.path.empty())
            sources[s.id] = std::make_unique<connectors::FilesSource>(
                connectors::FilesSettings{s.path, s.pattern, s.on_done, s.max_object_bytes});
    return sources;
}

Result<void> pull(connectors::PullSource& source, const std::function<Result<void>(connectors::Object&)>& deliver,
                  const std::function<void(const Error&)>& refused) {
    while (true) {
        auto polled = source.poll();
        if (!polled) {
            if (polled.error().code == Errc::unavailable) return polled.error();
            refused(polled.error());
            continue;
        }
        if (!*polled) return {};
        connectors::Object& object = **polled;
        if (auto done = deliver(object); !done) {
            if (done.error().code == Errc::unavailable) return done;
            source.refuse(object);
            refused(done.error());
            continue;
        }
        crashPoint("connect.object-closed");
        if (auto r = source.commit(object); !r) return r;
    }
}

Result<std::vector<Arrival>> arrivalsOf(const Source& source, const std::string& path, std::string bytes) {
    std::vector<Arrival> arrivals;
    if (!source.settings->compressed || !formats::looksZipped(bytes)) {
        arrivals.push_back({path, std::move(bytes), {}});
        return arrivals;
    }
    auto entries = formats::unzip(bytes, source.settings->max_object_bytes);
    if (!entries) return entries.error();
    for (formats::ZipEntry& entry : *entries)
        arrivals.push_back({path + "/" + entry.name, std::move(entry.bytes), path});
    return arrivals;
}

/// An object is the same as an earlier one iff source, digest and object time are equal (without object times: source,
/// path, digest, and the newest of that path).
Result<std::optional<Delivery>> Connect::accept(const Source& source, Arrival arrival, bool pulled) {
    const std::string& path = arrival.path;
    std::string& bytes = arrival.bytes;
    const config::SourceSettings& s = *source.settings;
    Delivery d;
    d.meta.path = path;
    d.meta.sha256 = hex(sha256(bytes));
    if (!arrival.archive.empty()) d.meta.layers.push_back("zip");
    crashPoint("connect.object-read");
    auto time = objectTime(s, arrival);
    if (!time) return time.error();
    d.meta.object_time = *time;
    if (!time->empty()) {
        auto instant = firstInstant(*parseIso(*time), s.time_zone);
        if (!instant) return instant.error();
        d.row.instant = *instant;
        d.row.has_instant = true;
    }
    std::int64_t path_hash = hash_("path\n" + s.id + "\n" + path);
    std::int64_t identity = hash_("object\n" + s.id + "\n" + d.meta.sha256 + "\n" + (time->empty() ? path : *time));

    bool split = false, finished = false;
    auto prepare = [&]() -> Result<void> {
        if (s.compressed && formats::looksGzipped(bytes)) {
            auto plain = formats::gunzip(bytes, s.max_object_bytes);
            if (!plain) return plain.error();
            bytes = std::move(*plain);
            d.meta.layers.push_back("gzip");
        }
        d.bytes = std::move(bytes);
        auto units = formats::split(s.format, d.bytes);
        // What cannot be split is one raw record: it is quarantined whole, with the reader's reason.
        if (units) d.units = std::move(*units);
        else d.units.units = {{0, d.bytes.size()}};
        d.meta.context = d.units.context;
        split = true;
        return {};
    };
    // Looked up before the bytes are split, since most files of a pull pass are known; and once more where it is decided.
    for (int pass = 0; pass < 2; ++pass) {
        if (pass == 1)
            if (auto r = prepare(); !r) return r.error();
        auto decide = [&] {
            std::vector<ObjectRow> same, same_path;
            store_.query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE identity = ?1 ORDER BY no",
                         {identity}, [&](const Row& r) { same.push_back(objectRow(r)); });
            store_.query(std::string("SELECT ") + kObjectColumns + " FROM object WHERE path = ?1 ORDER BY no",
                         {path_hash}, [&](const Row& r) { same_path.push_back(objectRow(r)); });
            // Without object times only the newest object of a path can be the same again.
            if (time->empty() && !same_path.empty() && same_path.back().identity != identity) same.clear();
            bool known_here =
                std::any_of(same.begin(), same.end(), [&](const ObjectRow& o) { return o.path == path_hash; });
            const ObjectRow* first = nullptr;
            for (const ObjectRow& o : same)
                if (o.state == ObjectState::open || o.state == ObjectState::closed) first = &o;
            bool in_log = first && (first->state == ObjectState::closed || first->appended);
            finished = in_log && pulled && known_here;
            if (finished || !split) return;
            const std::optional<ObjectRow> unfinished = first && !in_log ? std::optional(*first) : std::nullopt;
            // Found under another name: that counts as a delivery of its own, also when it is the one that is finished.
            if (!unfinished || !known_here) registerObject(source, d, identity, path_hash, first, same_path);
            if (unfinished) d.row = *unfinished;
        };
        if (auto done = pass == 0 ? store_.snapshot(decide) : store_.exclusive(decide); !done) return done.error();
        if (finished) return std::optional<Delivery>{};
    }
    crashPoint("connect.object-registered");
    if (d.row.state == ObjectState::duplicate) return std::optional<Delivery>{};
    return std::optional<Delivery>{std::move(d)};
}

void Connect::registerObject(const Source& source, Delivery& d, std::int64_t identity, std::int64_t path_hash,
                             const ObjectRow* first, const std::vector<ObjectRow>& same_path) {
    ObjectRow& row = d.row;
    row.no = row.first_raw = 1;
    store_.query(std::string("SELECT ") + kObjectColumns + " FROM object ORDER BY no DESC LIMIT 1", {},
                 [&](const Row& r) {
                     ObjectRow last = objectRow(r);
                     row.no = last.no + 1;
                     row.first_raw = last.first_raw + (last.state == ObjectState::duplicate ? 0 : last.n);
                 });
    row.source = source.settings->id;
    row.n = static_cast<std::int64_t>(d.units.units.size());
    row.state = first ? ObjectState::duplicate : ObjectState::open;
    row.generation = source.generation;
    row.received_at = clock_.now();
    // A number whose registration failed is given again with its key; the description's nonce is random for that.
    Key key = keys_.create({-row.no})[0];
    crashPoint("connect.object-keys");
    // An object of this path whose bytes changed before they were all in the log is void; what was read of it stays.
    for (const ObjectRow& o : same_path)
        if (o.state == ObjectState::open && !o.appended && o.identity != identity)
            store_.run("UPDATE object SET state = 3 WHERE no = ?1 AND state = 0", {o.no});
    std::vector<Value> optional{nullptr, nullptr};
    if (row.has_instant) optional[0] = row.instant;
    if (first) optional[1] = first->no;
    store_.run(
        "INSERT INTO object(no, source, identity, path, instant, duplicate_of, first_raw, n, appended, done, state, "
        "generation, received_at, meta) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, ?9, ?10, ?11, ?12)",
        {row.no, row.source, identity, path_hash, optional[0], optional[1], row.first_raw, row.n,
         static_cast<std::int64_t>(row.state), std::int64_t{row.generation}, row.received_at,
         Blob{sealRandom(key, encodeMeta(d.meta))}});
}

std::vector<RawMessage> Connect::seal(const Delivery& d, std::int64_t from, std::int64_t to) {
    std::vector<RawMessage> messages;
    RawMessage m;
    m.object = d.row.no;
    m.generation = d.row.generation;
    m.received_at = clock_.now();
    if (d.row.n == 0) return {m};
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(to - from));
    std::iota(numbers.begin(), numbers.end(), d.row.first_raw + from);
    const std::vector<Key> keys = keys_.create(numbers);
    for (std::int64_t i = from; i < to; ++i) {
        const formats::Unit& unit = d.units.units[static_cast<std::size_t>(i)];
        m.raw = d.row.first_raw + i;
        m.position = i;
        m.start = static_cast<std::int64_t>(unit.offset);
        m.length = static_cast<std::int64_t>(unit.length);
        m.plain = std::string_view(d.bytes).substr(unit.offset, unit.length);
        m.payload = pipeline::seal(keys[static_cast<std::size_t>(i - from)], Box::raw_bytes, 0, compress(m.plain));
        messages.push_back(m);
    }
    return messages;
}

}  // namespace porta::pipeline
