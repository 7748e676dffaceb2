#include "pipeline/intake.h"

#include <algorithm>

#include "pipeline/crash_points.h"
#include "pipeline/roles.h"
#include "pipeline/world.h"

namespace porta::pipeline {

namespace {
constexpr std::int64_t kChunk = 1000;
/// The log takes messages of 16 MiB; this leaves room for header and framing.
constexpr std::size_t kLargest = 15u << 20;
}  // namespace

Result<std::unique_ptr<Intake>> Intake::open(const config::Settings& settings) {
    std::unique_ptr<Intake> intake(new Intake);
    intake->clock_ = openClock(settings);
    auto store = openStore(settings, Part::data, false);
    if (!store) return store.error();
    intake->store_ = std::move(*store);
    auto keys = openKeys(settings, false);
    if (!keys) return keys.error();
    intake->keys_ = std::move(*keys);
    auto log = openLog(settings);
    if (!log) return log.error();
    intake->log_ = std::move(*log);
    auto sources = loadSources(settings);
    if (!sources) return sources.error();
    intake->sources_ = std::move(*sources);
    if (auto r = registerGenerations(*intake->store_, intake->sources_); !r) return r.error();
    intake->connect_ = std::make_unique<Connect>(*intake->store_, *intake->keys_, *intake->clock_);
    return intake;
}

Result<void> Intake::append(const std::string& source, std::vector<RawMessage> raws) {
    std::vector<Message> messages;
    std::vector<RawMessage*> large;
    for (RawMessage& m : raws)
        if (m.payload.size() > kLargest) large.push_back(&m);
    if (!large.empty()) {
        auto kept = store_->transact([&] {
            for (RawMessage* m : large)
                store_->run("INSERT INTO large(raw, payload) VALUES(?1, ?2) ON CONFLICT DO NOTHING", {m->raw, Blob{m->payload}});
        });
        if (!kept) return kept;
        for (RawMessage* m : large) m->payload.clear();
    }
    for (const RawMessage& m : raws) messages.push_back({rawTopic(source), m.raw, encode(m)});
    return log_->append(messages);
}

Result<std::int64_t> Intake::deliver(const std::string& id, const std::string& path, std::string bytes, bool pulled) {
    auto source = sources_.find(id);
    if (source == sources_.end())
        return fail(Errc::not_found, "there is no source `" + id + "` in this configuration", "source");
    auto accepted = connect_->accept(source->second, path, std::move(bytes), pulled);
    if (!accepted) return accepted.error();
    if (!*accepted) return std::int64_t{0};
    const Delivery& d = **accepted;
    try {
        for (std::int64_t from = 0; from == 0 || from < d.row.n; from += kChunk) {
            if (auto r = append(id, connect_->seal(d, from, std::min(d.row.n, from + kChunk))); !r) return r.error();
            crashPoint("connect.appended");
        }
        auto done = store_->transact(
            [&] { store_->run("UPDATE object SET appended = 1 WHERE no = ?1", {d.row.no}); });
        if (!done) return done.error();
    } catch (const Failure& f) {
        return f.error;
    }
    crashPoint("connect.object-closed");
    return d.row.n;
}

}  // namespace porta::pipeline
