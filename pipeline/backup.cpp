#include "pipeline/backup.h"

#include <filesystem>

#include "base/date_time.h"
#include "base/durable.h"
#include "pipeline/backup_files.h"
#include "pipeline/decision_log.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/keys.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

namespace {

Result<void> emptyDirectory(const std::string& path) {
    std::error_code error;
    if (fs::exists(path, error) && !fs::is_empty(path, error))
        return fail(Errc::misconfigured, path + ": is not empty; a backup never overwrites: name a new directory",
                    "backup.target");
    return makeDirectory(path);
}

Result<void> apart(const std::string& data, const std::string& keys) {
    std::error_code error;
    const std::string a = fs::weakly_canonical(data, error).string() + "/",
                      b = fs::weakly_canonical(keys, error).string() + "/";
    if (a.rfind(b, 0) == 0 || b.rfind(a, 0) == 0)
        return fail(Errc::misconfigured,
                    "keys never lie in the backup that they open; name a directory for them outside of the other one",
                    "backup.apart");
    return {};
}

/// Scaled out, records that a source was told are durable may be in the log alone; the log is in no backup.
Result<void> atRest(Store& store) {
    std::int64_t n = number(store, "SELECT COUNT(*) FROM object WHERE state = 0 AND (appended = 1 OR done > 0)");
    if (n == 0) return {};
    return fail(Errc::unavailable,
                std::to_string(n) +
                    " objects are on their way between the log and the store; try again in a moment, with --wait, or "
                    "stop the role connect for as long as the backup takes",
                kBackupBusy);
}

/// One part into a file of the directory. `first` is asked in the transaction that reads, `last` closes the description.
Result<Json> save(const config::Settings& settings, const PartFile& part, const std::string& directory,
                  const std::function<Result<void>(Store&)>& first, const std::function<void(Store&, Json&)>& last,
                  const CopyProgress& progress) {
    auto from = openStore(settings, part.part, true);
    if (!from) return from.error();
    const std::string path = directory + "/" + part.name;
    auto to = openSqlite(path, false);
    if (!to) return to.error();
    if (auto made = part.make(**to); !made) return made.error();
    Json rows = Json::object(), file = Json::object();
    file["name"] = part.name;
    Result<void> refused;
    auto read = (*from)->snapshot([&] {
        if (refused = first(**from); !refused) return;
        for (const Table& table : carried(**to)) {
            // A table, a transaction: the file counts only once the manifest names it.
            std::int64_t n = 0;
            auto done = (*to)->transact([&] { n = copyRows(**from, **to, table, progress); });
            if (!done) throw Failure{done.error()};
            rows[table.name] = n;
        }
        last(**from, file);
    });
    if (!refused) {
        // Nothing was read: the directory stays as empty as it was, for the next attempt.
        to->reset();
        std::error_code error;
        for (const char* end : {"", "-wal", "-shm"}) fs::remove(path + end, error);
        return refused.error();
    }
    if (!read) return read.error();
    try {
        // One file that is synced, without a log beside it.
        (*to)->run("PRAGMA journal_mode=DELETE");
    } catch (const Failure& f) {
        return f.error;
    }
    to->reset();
    return describe(path, std::move(file), std::move(rows));
}

}  // namespace

Result<Json> backup(const config::Settings& settings, const std::string& data, const std::string& keys,
                    const CopyProgress& progress) {
    if (auto r = apart(data, keys); !r) return r.error();
    auto master = loadKeyFile(settings.key_file, false);
    if (!master) return master.error();
    for (const std::string& directory : {data, keys})
        if (auto r = emptyDirectory(directory); !r) return r.error();
    // A store that nobody has read from yet has no decision log.
    if (auto log = DecisionLog::open(settings); !log) return log.error();
    const std::string key_file = keyFileName(*master), at = isoInstant(openClock(settings)->now());

    auto records = save(
        settings, kDataFile, data, [&](Store& store) { return settings.scaledOut() ? atRest(store) : Result<void>{}; },
        [](Store& store, Json& file) {
            file["last_raw"] = number(store, "SELECT MAX(id) FROM raw");
            file["last_object"] = number(store, "SELECT MAX(no) FROM object");
        },
        progress);
    if (!records) return records.error();
    const auto anything = [](Store&) { return Result<void>{}; };
    // What is shown or sent after the data were read may stand in the log without them, never the other way round.
    auto decisions = save(
        settings, kDecisionsFile, data, anything, [](Store&, Json&) {}, progress);
    if (!decisions) return decisions.error();
    // Keys are durable before what they open, so those of all the data are there by now.
    auto wrapped = save(
        settings, kKeysFile, keys, anything,
        [](Store& store, Json& file) {
            file["first_key"] = number(store, "SELECT MIN(no) FROM wrapped");
            file["last_key"] = number(store, "SELECT MAX(no) FROM wrapped");
        },
        progress);
    if (!wrapped) return wrapped.error();

    Json done = Json::object();
    done["data"] = data;
    done["keys"] = keys;
    done["made_at"] = at;
    done["objects"] = figure(*records->find("rows"), "object");
    done["raw_records"] = figure(*records->find("rows"), "raw");
    done["decisions"] = figure(*decisions->find("rows"), "decision");
    done["wrapped_keys"] = figure(*wrapped->find("rows"), "wrapped");
    done["bytes"] = figure(*records, "bytes") + figure(*decisions, "bytes") + figure(*wrapped, "bytes");
    if (auto r = writeManifest(keys, "keys", key_file, at, {*wrapped}); !r) return r.error();
    if (auto r = writeManifest(data, "data", key_file, at, {*records, *decisions}); !r) return r.error();
    return done;
}

}  // namespace porta::pipeline
