#include "pipeline/intake.h"

#include <algorithm>

#include "pipeline/crash_points.h"
#include "pipeline/roles.h"

namespace porta::pipeline {

namespace {
constexpr std::int64_t kChunk = 1000;
/// The log takes messages of 16 MiB; this leaves room for header and framing.
constexpr std::size_t kLargest = 15u << 20;
}  // namespace

Result<std::unique_ptr<Intake>> Intake::open(const config::Settings& settings, World world) {
    std::unique_ptr<Intake> intake(new Intake);
    intake->world_ = std::move(world);
    World& w = intake->world_;
    auto sources = w.sources ? std::move(*w.sources) : loadSources(settings);
    if (!sources) return sources.error();
    intake->sources_ = std::move(*sources);
    if (auto r = registerGenerations(*w.store, intake->sources_); !r) return r.error();
    intake->connect_ = std::make_unique<Connect>(*w.store, *w.keys, *w.clock);
    return intake;
}

Result<void> Intake::append(const std::string& source, std::vector<RawMessage> raws) {
    std::vector<Message> messages;
    std::vector<RawMessage*> large;
    for (RawMessage& m : raws)
        if (m.payload.size() > kLargest) large.push_back(&m);
    if (!large.empty()) {
        auto kept = world_.store->transact([&] {
            for (RawMessage* m : large)
                world_.store->run("INSERT INTO large(raw, payload) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
                                  {m->raw, Blob{m->payload}});
        });
        if (!kept) return kept;
        for (RawMessage* m : large) m->payload.clear();
    }
    for (const RawMessage& m : raws) messages.push_back({rawTopic(source), m.raw, encode(m)});
    return world_.log->append(messages);
}

Result<std::int64_t> Intake::deliver(const std::string& id, const std::string& path, std::string bytes, bool pulled) {
    auto source = sources_.find(id);
    if (source == sources_.end())
        return fail(Errc::not_found, "there is no source `" + id + "` in this configuration", "source");
    auto arrivals = arrivalsOf(source->second, path, std::move(bytes));
    if (!arrivals) return arrivals.error();
    std::int64_t raw_records = 0;
    for (Arrival& arrival : *arrivals) {
        auto accepted = connect_->accept(source->second, std::move(arrival), pulled);
        if (!accepted) return accepted.error();
        if (!*accepted) continue;
        auto sent = send(id, **accepted);
        if (!sent) return sent.error();
        raw_records += *sent;
    }
    return raw_records;
}

Result<std::int64_t> Intake::send(const std::string& id, const Delivery& d) {
    try {
        for (std::int64_t from = 0; from == 0 || from < d.row.n; from += kChunk) {
            if (auto r = append(id, connect_->seal(d, from, std::min(d.row.n, from + kChunk))); !r) return r.error();
            crashPoint("connect.appended");
        }
        auto done = world_.store->transact(
            [&] { world_.store->run("UPDATE object SET appended = 1 WHERE no = ?1", {d.row.no}); });
        if (!done) return done.error();
    } catch (const Failure& f) {
        return f.error;
    }
    return d.row.n;
}

}  // namespace porta::pipeline
