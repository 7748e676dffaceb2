// What was received and what became of it: the account, the state of work, objects, raw records, the quarantine.
#include "base/compression.h"
#include "base/date_time.h"
#include "pipeline/read.h"
#include "pipeline/schema.h"

namespace porta::pipeline {

namespace {

Json span(std::int64_t from, std::int64_t to) {
    Json a = Json::array();
    a.push(from);
    a.push(to);
    return a;
}

}  // namespace

Json Reader::account() {
    struct Count {
        std::int64_t objects = 0, received = 0, published = 0, quarantined = 0, skipped = 0, pending = 0,
                     duplicates = 0;
        std::map<std::string, std::int64_t> quarantined_by, skipped_by, records;
    };
    std::map<std::string, Count> by;
    for (const auto& s : settings_.sources) by[s.id];
    auto count = [&] {
        store_->query("SELECT source, state, COUNT(*), CAST(SUM(n) AS BIGINT) FROM object GROUP BY source, state", {},
                      [&](const Row& r) {
                          Count& c = by[std::string(r.bytes(0))];
                          auto state = static_cast<ObjectState>(r.integer(1));
                          c.objects += r.integer(2);
                          // Of a void object only what was read of it counts: its raw records below.
                          if (state == ObjectState::voided) return;
                          c.received += r.integer(3);
                          if (state == ObjectState::duplicate) {
                              c.duplicates += r.integer(3);
                              c.skipped += r.integer(3);
                              c.skipped_by["duplicate"] += r.integer(3);
                          } else {
                              c.pending += r.integer(3);
                          }
                      });
        store_->query(
            "SELECT o.source, o.state, r.state, r.reason, COUNT(*) FROM raw r JOIN object o ON o.no = r.object GROUP "
            "BY "
            "1, 2, 3, 4",
            {}, [&](const Row& r) {
                Count& c = by[std::string(r.bytes(0))];
                std::int64_t n = r.integer(4);
                std::string reason(r.bytes(3));
                if (static_cast<ObjectState>(r.integer(1)) == ObjectState::voided) c.received += n;
                else c.pending -= n;
                switch (static_cast<RawState>(r.integer(2))) {
                    case RawState::published: c.published += n; break;
                    case RawState::skipped:
                        c.skipped += n;
                        c.skipped_by[reason] += n;
                        break;
                    case RawState::quarantined:
                        c.quarantined += n;
                        c.quarantined_by[reason] += n;
                        break;
                }
            });
    };
    auto all = [&] {
        count();
        store_->query("SELECT source, entity, n FROM entity_count", {}, [&](const Row& r) {
            by[std::string(r.bytes(0))].records[std::string(r.bytes(1))] = r.integer(2);
        });
    };
    if (auto done = store_->snapshot(all); !done) throw Failure{done.error()};
    Json sources = Json::array();
    bool balanced = true;
    for (auto& [id, c] : by) {
        Json s = Json::object();
        s["source"] = id;
        s["objects"] = c.objects;
        s["received"] = c.received;
        s["published"] = c.published;
        s["quarantined"] = c.quarantined;
        s["skipped"] = c.skipped;
        s["pending"] = c.pending;
        s["duplicates"] = c.duplicates;
        auto map = [](const std::map<std::string, std::int64_t>& counts) {
            Json o = Json::object();
            for (const auto& [k, n] : counts) o[k] = n;
            return o;
        };
        s["quarantined_by"] = map(c.quarantined_by);
        s["skipped_by"] = map(c.skipped_by);
        s["records"] = map(c.records);
        balanced = balanced && c.pending >= 0 && c.received == c.published + c.quarantined + c.skipped + c.pending;
        sources.push(std::move(s));
    }
    Json out = Json::object();
    out["sources"] = std::move(sources);
    out["balanced"] = balanced;
    return out;
}

Json Reader::status() {
    Json pending = Json::object();
    std::int64_t total = 0;
    auto count = [&] {
        auto one = [&](const char* stage, const char* sql) {
            std::int64_t n = 0;
            store_->query(sql, {}, [&](const Row& r) { n = r.integer(0); });
            pending[stage] = n;
            total += n;
        };
        one("connect", "SELECT COUNT(*) FROM object WHERE state = 0 AND appended = 0");
        one("map",
            "SELECT CAST(COALESCE(SUM(n - (SELECT COUNT(*) FROM raw WHERE raw.id >= object.first_raw AND raw.id < "
            "object.first_raw + object.n)), 0) AS BIGINT) FROM object WHERE state = 0");
        one("resolve", "SELECT CAST(COALESCE(SUM(n - done), 0) AS BIGINT) FROM object WHERE state = 0");
        one("project", "SELECT COUNT(*) FROM person WHERE projected < revision");
        one("outbox",
            "SELECT (SELECT COUNT(*) FROM person WHERE sent < revision) + (SELECT COUNT(*) FROM view_row WHERE sent < "
            "revision)");
    };
    if (auto done = store_->snapshot(count); !done) throw Failure{done.error()};
    Json out = Json::object();
    out["state"] = total ? "working" : "quiet";
    out["format_version"] = kFormatVersion;
    out["pending"] = std::move(pending);
    return out;
}

void Reader::objects(const std::function<void(const Json&)>& row) {
    std::vector<std::int64_t> numbers;
    store_->query("SELECT no FROM object ORDER BY no", {}, [&](const Row& r) { numbers.push_back(r.integer(0)); });
    static const char* const states[] = {"open", "closed", "duplicate", "void"};
    for (std::int64_t no : numbers) {
        const auto& [o, meta] = objects_->at(no);
        Json j = Json::object();
        j["n"] = no;
        j["source"] = o.source;
        j["path"] = meta.path;
        j["sha256"] = meta.sha256;
        j["object_time"] = meta.object_time;
        j["state"] = states[static_cast<int>(o.state)];
        j["raw_records"] = o.n;
        j["received_at"] = isoInstant(o.received_at);
        row(j);
    }
}

void Reader::raws(const std::string& source, const std::string& state, const std::function<void(const Json&)>& row) {
    std::map<std::int64_t, std::int64_t> deliveries;
    store_->query("SELECT duplicate_of, COUNT(*) FROM object WHERE duplicate_of IS NOT NULL GROUP BY 1", {},
                  [&](const Row& r) { deliveries[r.integer(0)] = r.integer(1); });
    eachRaw([&](const RawRow& r) {
        const auto [o, meta] = objects_->at(r.object);
        if (!source.empty() && o.source != source) return;
        if (!state.empty() && name(r.state) != state) return;
        auto bytes = pipeline::open(key(r.id), Box::raw_bytes, 0, r.payload).and_then([](std::string&& box) {
            return decompress(box);
        });
        if (!bytes) throw Failure{bytes.error()};
        auto ops = operations(r);
        if (!ops) throw Failure{ops.error()};
        Json object = Json::object();
        object["n"] = r.object;
        object["path"] = meta.path;
        object["sha256"] = meta.sha256;
        object["layers"] = Json::array();
        for (const std::string& l : meta.layers) object["layers"].push(l);
        Json j = Json::object();
        j["raw"] = rawText(r.id);
        j["source"] = o.source;
        j["object"] = std::move(object);
        j["index"] = r.position;
        j["offset"] = r.start;
        j["length"] = r.length;
        j["sha256"] = hex(sha256(*bytes));
        j["received_at"] = isoInstant(r.received_at);
        j["deliveries"] = 1 + deliveries[r.object];
        j["state"] = name(r.state);
        j["reason"] = r.reason;
        j["mapping_digest"] = generations().at(r.generation).mapping_digest;
        Json records = Json::array();
        for (const auto& op : *ops) records.push(op.key.text());
        j["records"] = std::move(records);
        row(j);
    });
}

void Reader::quarantine(const std::function<void(const Json&)>& row) {
    std::vector<RawRow> rows;
    store_->query(std::string("SELECT ") + kRawColumns + " FROM raw WHERE state = 3 ORDER BY id", {},
                  [&](const Row& r) { rows.push_back(rawRow(r)); });
    for (const RawRow& r : rows) {
        auto detail = pipeline::open(key(r.id), Box::detail, r.generation, r.detail);
        if (!detail) detail = pipeline::open(key(r.id), Box::poison, r.generation, r.detail);
        Error e = detail ? decodeError(*detail) : detail.error();
        Json j = Json::object();
        j["n"] = r.id;
        j["raw"] = rawText(r.id);
        j["source"] = objectOf(r.object).row.source;
        j["stage"] = "map";
        j["code"] = r.reason;
        j["rule"] = e.rule;
        j["path"] = e.path;
        j["span"] = span(static_cast<std::int64_t>(e.offset), static_cast<std::int64_t>(e.offset + e.length));
        j["message"] = e.message;
        j["attempts"] = r.attempts;
        j["first_seen"] = isoInstant(r.received_at);
        row(j);
    }
}

}  // namespace porta::pipeline
