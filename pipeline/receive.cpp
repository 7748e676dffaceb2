#include "pipeline/receive.h"

#include "pipeline/roles.h"
#include "pipeline/world.h"

namespace porta::pipeline {

Result<std::unique_ptr<Receiver>> Receiver::open(const config::Settings& settings, const policy::Purpose& purpose) {
    auto log = openLog(settings);
    if (!log) return log.error();
    auto store = openStore(settings, Part::data, true);
    if (!store) return store.error();
    auto keys = openKeys(settings, true);
    if (!keys) return keys.error();
    auto receiver = over(settings, purpose, **store, **keys, **log);
    if (!receiver) return receiver;
    (*receiver)->own_store_ = std::move(*store);
    (*receiver)->own_keys_ = std::move(*keys);
    (*receiver)->own_log_ = std::move(*log);
    return receiver;
}

Result<std::unique_ptr<Receiver>> Receiver::over(const config::Settings& settings, const policy::Purpose& purpose,
                                                 Store& store, Keys& keys, Log& log) {
    if (purpose.recipients.empty())
        return fail(Errc::misconfigured,
                    "the purpose `" + purpose.id +
                        "` has no recipients, so its views are not delivered; list them in purposes.yaml "
                        "(`recipients: [id]`), or use `porta view export`",
                    "purpose.recipients");
    std::unique_ptr<Receiver> receiver(new Receiver(purpose.id, keys));
    bool known = false;
    try {
        store.query("SELECT value FROM meta WHERE name = ?1", {viewsName(purpose.id)},
                    [&](const Row& r) { known = r.integer(0) == viewsDigest(purpose, sourceFacts(settings)); });
        store.query("SELECT person, sent FROM view_row WHERE purpose = ?1 AND sent > 0", {purpose.id},
                    [&](const Row& r) { receiver->expected_[r.integer(0)] = r.integer(1); });
    } catch (const Failure& f) {
        return f.error;
    }
    if (!known)
        return fail(Errc::unavailable,
                    "views of this purpose were delivered by another configuration, or not yet; they come once `porta "
                    "run --role project` runs with this one",
                    "purpose.changed");
    auto reader = log.read(viewsTopic(purpose.id), {});
    if (!reader) return reader.error();
    receiver->reader_ = std::move(*reader);
    return receiver;
}

Result<std::vector<ViewMessage>> Receiver::poll(int wait_ms) {
    auto messages = reader_->poll(1000, wait_ms);
    if (!messages) return messages.error();
    std::map<std::int64_t, ViewMessage> newest;
    for (const Message& m : *messages) {
        auto delivery = decodeView(m.value);
        if (!delivery) return delivery.error();
        std::int64_t& seen = seen_[delivery->person];
        if (delivery->revision <= seen) continue;
        seen = delivery->revision;
        auto expected = expected_.find(delivery->person);
        if (expected != expected_.end() && expected->second <= seen) expected_.erase(expected);
        newest[delivery->person] = std::move(*delivery);
    }
    std::vector<ViewMessage> out;
    std::vector<std::int64_t> needed;
    for (auto& [person, delivery] : newest) {
        if (!delivery.box.empty()) needed.push_back(viewKey(person, purpose_));
        out.push_back(std::move(delivery));
    }
    try {
        keys_.fetch(std::move(needed));
    } catch (const Failure& f) {
        return f.error;
    }
    return out;
}

Result<std::string> Receiver::line(const ViewMessage& delivery) {
    if (delivery.box.empty()) return std::string();
    auto key = keys_.find(viewKey(delivery.person, purpose_));
    if (!key) return key.error();
    return openRandom(*key, delivery.box);
}

}  // namespace porta::pipeline
