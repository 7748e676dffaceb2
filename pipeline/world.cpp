#include "pipeline/world.h"

#include <filesystem>

#include "base/durable.h"
#include "pipeline/embedded/local.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/kafka/kafka_log.h"
#include "pipeline/keys.h"
#include "pipeline/postgres/postgres_store.h"

namespace porta::pipeline {

std::string partPath(const config::Settings& settings, Part part) {
    return part == Part::data   ? settings.store_path
           : part == Part::keys ? settings.state + "/keys.db"
                                : settings.state + "/decisions.db";
}

Result<std::unique_ptr<Store>> openStore(const config::Settings& settings, Part part, bool read_only) {
    if (settings.scaledOut())
        return openPostgres(settings.postgres,
                            part == Part::data   ? "porta"
                            : part == Part::keys ? "porta_keys"
                                                 : "porta_decisions",
                            read_only);
    if (!read_only || part == Part::decisions)
        if (auto r = makeDirectory(settings.state); !r) return r.error();
    const std::string path = partPath(settings, part);
    if (read_only && !std::filesystem::exists(path))
        return fail(Errc::unavailable,
                    "there is no store in " + settings.state + " yet; run `porta ingest` first or give --state",
                    "store.missing");
    return openSqlite(path, read_only);
}

/// Whether the table has a row; one that was never made has none.
static Result<bool> holdsAny(Store& store, const std::string& table) {
    bool any = false;
    try {
        store.query("SELECT 1 FROM " + table + " LIMIT 1", {}, [&](const Row&) { any = true; });
    } catch (const Failure& f) {
        if (f.error.rule != "store.missing") return f.error;
    }
    return any;
}

Result<std::unique_ptr<Keys>> openKeys(const config::Settings& settings, bool read_only) {
    // An empty key store beside data would only look as if everything were erased, and give numbers new keys.
    if (!settings.scaledOut() && !std::filesystem::exists(partPath(settings, Part::keys)) &&
        std::filesystem::exists(partPath(settings, Part::data)))
        return fail(Errc::misconfigured,
                    settings.state +
                        ": keys.db is missing, and without it nothing in this store can be read; put it back, or "
                        "restore data and keys into an empty directory with `porta restore`",
                    "keys.store");
    auto store = openStore(settings, Part::keys, read_only);
    if (!store) return store.error();
    if (settings.scaledOut()) {
        auto keys = holdsAny(**store, "wrapped");
        if (!keys) return keys.error();
        if (!*keys) {
            auto data = openStore(settings, Part::data, true);
            if (!data) return data.error();
            auto objects = holdsAny(**data, "object");
            if (!objects) return objects.error();
            // Another process may have made the first ones meanwhile: keys come before the data that they open.
            keys = holdsAny(**store, "wrapped");
            if (!keys) return keys.error();
            if (*objects && !*keys)
                return fail(Errc::misconfigured,
                            "the schema porta holds data and porta_keys no key, and without its keys nothing in it can "
                            "be read; restore data and keys with `porta restore` into a database without the schemas "
                            "porta, porta_keys, porta_decisions",
                            "keys.store");
        }
    }
    return openKeys(std::move(*store), settings.key_file, read_only);
}

std::unique_ptr<Clock> openClock(const config::Settings& settings) { return systemClock(settings.testing); }

Result<std::unique_ptr<Log>> openLog(const config::Settings& settings) {
    if (!settings.scaledOut())
        return fail(Errc::misconfigured,
                    "this configuration has no log.kafka; roles of their own need Kafka and PostgreSQL", "log");
    return openKafka(settings.kafka);
}

Result<World> openWorld(const config::Settings& settings) {
    World w;
    w.clock = openClock(settings);
    auto store = openStore(settings, Part::data, false);
    if (!store) return store.error();
    w.store = std::move(*store);
    auto keys = openKeys(settings, false);
    if (!keys) return keys.error();
    w.keys = std::move(*keys);
    auto log = openLog(settings);
    if (!log) return log.error();
    w.log = std::move(*log);
    w.lease = postgresLease(*w.store, "resolve", settings.postgres.lease_ms);
    return w;
}

}  // namespace porta::pipeline
