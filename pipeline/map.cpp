#include "pipeline/map.h"

#include <map>

#include "base/compression.h"
#include "mapping/engine/reuse.h"
#include "pipeline/crash_points.h"
#include "pipeline/poison.h"
#include "pipeline/rows.h"

#ifdef PORTA_CONTROL_CLOCK_IN_MAPPING
#include "base/date_time.h"
#include "pipeline/embedded/local.h"
#endif

namespace porta::pipeline {

RawState stateOf(const mapping::Outcome& outcome) {
    switch (outcome.state) {
        case mapping::State::published: return RawState::published;
        case mapping::State::skipped: return RawState::skipped;
        case mapping::State::quarantined: return RawState::quarantined;
    }
    return RawState::quarantined;
}

mapping::Input inputOf(const config::SourceSettings& source, const ObjectMeta& meta, std::string_view bytes) {
    mapping::Input input;
    input.bytes = bytes;
    input.context = meta.context;
    input.source = source.id;
    input.time_zone = source.time_zone;
    input.date_pattern = source.date_pattern;
    input.object_time = meta.object_time;
    input.arrival = source.arrival;
    input.full_snapshot = source.full;
    return input;
}

void mapOnce(const Source& source, const ObjectMeta& meta, std::int64_t object, std::int64_t position,
             std::string_view bytes, formats::NodeTree& tree, mapping::Outcome& out) {
    mapping::Input input = inputOf(*source.settings, meta, bytes);
#ifdef PORTA_CONTROL_CLOCK_IN_MAPPING
    if (!input.object_time.empty()) input.object_time = isoInstant(systemClock(false)->now());
#endif
    mapping::mapInto(source.programs, source.settings->format, input, tree, out);
    for (schemas::Operation& op : out.operations)
        if (op.version.order == schemas::Order::arrival) op.version.parts = {object, position};
}

Result<Mapped> Map::map(const RawMessage& m) {
    static const KnownObject none;
    return map(m, m.raw ? objects_.at(m.object) : none);
}

Result<Mapped> Map::map(const RawMessage& m, const KnownObject& object) {
    Mapped out;
    RecordMessage& record = out.record;
    record.raw = m.raw;
    record.object = m.object;
    record.attempts = m.attempts;
    record.generation = m.generation;
    if (!m.raw) return out;
    auto source = sources_.find(object.row.source);
    if (source == sources_.end() || source->second.generation != m.generation)
        return fail(Errc::misconfigured,
                    "a raw record of source `" + object.row.source +
                        "` is to be mapped with a mapping that this process does not have; start it with the "
                        "configuration that the object was registered with",
                    "map.generation");
    auto key = keys_.find(m.raw);
    if (!key) throw Failure{key.error()};
    std::string opened, payload = m.payload;
    std::string_view bytes = m.plain;
    if (!bytes.data()) {
        if (payload.empty())
            store_.query("SELECT payload FROM large WHERE raw = ?1", {m.raw},
                         [&](const Row& r) { payload = r.bytes(0); });
        auto plain = open(*key, Box::raw_bytes, 0, payload).and_then([](std::string&& box) { return decompress(box); });
        if (!plain) throw Failure{plain.error()};
        opened = std::move(*plain);
        bytes = opened;
    }
    mapping::Outcome& outcome = outcome_;
    Box detail = Box::detail;
    if (poison_.condemned(m.raw, m.attempts)) {
        outcome = {};
        outcome.state = mapping::State::quarantined;
        outcome.error =
            fail(Errc::internal, "mapping this record ended the process three times; report it with its number",
                 "map.poison");
        outcome.key_unreadable = source->second.settings->full;
        detail = Box::poison;
    } else {
        Poison::InWork mark(poison_, m.raw);
        crashPoint("map.record-in-work");
        mapOnce(source->second, object.meta, m.object, m.position, bytes, tree_, outcome);
    }

    RawRow& row = out.row;
    row.id = m.raw;
    row.object = m.object;
    row.position = m.position;
    row.start = m.start;
    row.length = m.length;
    row.state = stateOf(outcome);
    row.reason = row.state == RawState::skipped       ? outcome.rule
                 : row.state == RawState::quarantined ? std::string(name(outcome.error.code))
                                                      : "";
    row.generation = m.generation;
    row.attempts = m.attempts;
    row.received_at = m.received_at;
    row.payload = std::move(payload);
    if (row.state == RawState::quarantined) row.detail = seal(*key, detail, m.generation, encodeError(outcome.error));
    record.key_unreadable = outcome.key_unreadable;
    if (!outcome.operations.empty())
        record.box = seal(*key, Box::operations, m.generation, schemas::encode(outcome.operations));
    if (open_ == Open::yes) record.operations = std::move(outcome.operations);
    return out;
}

void Map::write(const std::vector<Mapped>& batch) {
    // A message that came twice, or a replay close behind: the later attempt of a batch stands for the earlier.
    std::map<std::int64_t, const RawRow*> newest;
    for (const Mapped& m : batch)
        if (const RawRow*& row = newest[m.row.id]; !row || m.row.attempts > row->attempts) row = &m.row;
    Rows rows(store_,
              "INSERT INTO raw(id, object, position, start, length, state, reason, generation, attempts, received_at, "
              "payload, detail)",
              12,
              "ON CONFLICT(id) DO UPDATE SET state = excluded.state, reason = excluded.reason, generation = "
              "excluded.generation, attempts = excluded.attempts, detail = excluded.detail WHERE excluded.attempts > "
              "raw.attempts");
    for (const auto& [id, r] : newest)
        if (id)
            rows.add({r->id, r->object, r->position, r->start, r->length, static_cast<std::int64_t>(r->state),
                      r->reason, std::int64_t{r->generation}, r->attempts, r->received_at, Blob{r->payload},
                      Blob{r->detail}});
    rows.flush();
}

}  // namespace porta::pipeline
