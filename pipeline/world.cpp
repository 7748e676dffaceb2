#include "pipeline/world.h"

#include <filesystem>

#include "pipeline/embedded/local.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/keys.h"

namespace porta::pipeline {

Result<std::unique_ptr<Store>> openStore(const config::Settings& settings, Part part, bool read_only) {
    std::error_code error;
    if (!read_only || part == Part::decisions) std::filesystem::create_directories(settings.state, error);
    if (error) return fail(Errc::misconfigured, settings.state + ": the state directory cannot be created", "state");
    const std::string path = part == Part::data   ? settings.store_path
                             : part == Part::keys ? settings.state + "/keys.db"
                                                  : settings.state + "/decisions.db";
    if (read_only && !std::filesystem::exists(path))
        return fail(Errc::unavailable,
                    "there is no store in " + settings.state + " yet; run `porta ingest` first or give --state",
                    "store.missing");
    return openSqlite(path, read_only);
}

Result<std::unique_ptr<Keys>> openKeys(const config::Settings& settings, bool read_only) {
    auto store = openStore(settings, Part::keys, read_only);
    if (!store) return store.error();
    return openKeys(std::move(*store), settings.key_file, read_only);
}

Result<std::unique_ptr<Lease>> openLease(const config::Settings& settings, const std::string&) {
    return lockState(settings.state);
}

std::unique_ptr<Clock> openClock(const config::Settings& settings) { return systemClock(settings.testing); }

}  // namespace porta::pipeline
