#include <filesystem>

#include "base/durable.h"
#include "pipeline/backup.h"
#include "pipeline/backup_files.h"
#include "pipeline/crash_points.h"
#include "pipeline/embedded/local.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/keys.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

namespace {

/// What belongs to one life of a store and its log, and not to the next. Scaled out the topics are new: everybody is relayed,
/// projected and delivered again.
void beginAnew(Store& store, bool scaled_out) {
    store.run("DELETE FROM lease");
    store.run("DELETE FROM log_position");
    if (!scaled_out) {
        store.run("DELETE FROM person");
        store.run("DELETE FROM view_row");
        return;
    }
    store.run("UPDATE person SET sent = 0, projected = 0");
    store.run("UPDATE view_row SET sent = 0");
    store.run(
        "INSERT INTO person(no, revision, sent, projected) SELECT DISTINCT person, 1, 0, 0 FROM member WHERE person > "
        "0 "
        "ON CONFLICT DO NOTHING");
}

using Keep = std::function<bool(const std::vector<Value>&)>;

/// A part of the backup into an empty store, in one transaction.
Result<void> load(const std::string& directory, const PartFile& part, Store& to, const CopyProgress& progress,
                  const Keep& keep, const std::function<void()>& last) {
    auto from = openSqlite(directory + "/" + part.name, true);
    if (!from) return from.error();
    if (auto made = part.make(to); !made) return made;
    return to.transact([&] {
        for (const Table& table : carried(**from)) {
            if (countRows(to, table) > 0)
                throw Failure{
                    fail(Errc::misconfigured,
                         "the store that would be restored into is not empty; a restore never overwrites: name "
                         "another --state, or a database without the schemas porta, porta_keys, porta_decisions",
                         "restore.target")};
            copyRows(**from, to, table, progress, keep);
        }
        if (last) last();
    });
}

/// Files of a state directory: filled beside their names, which they take last of all.
class Files {
public:
    explicit Files(const config::Settings& settings) : settings_(settings) {}

    Result<void> open() {
        if (auto r = makeDirectory(settings_.state); !r) return r;
        auto lease = lockState(settings_.state);
        if (!lease) return lease.error();
        lease_ = std::move(*lease);
        std::error_code error;
        for (Part part : {Part::data, Part::decisions, Part::keys}) {
            if (fs::exists(partPath(settings_, part), error))
                return fail(
                    Errc::misconfigured,
                    settings_.state + ": holds a store already; a restore never overwrites: name another --state",
                    "restore.target");
            for (const char* end : {"", "-wal", "-shm"}) fs::remove(beside(part) + end, error);
        }
        return {};
    }

    Result<std::unique_ptr<Store>> store(Part part) const { return openSqlite(beside(part), false); }

    /// All of them are closed.
    Result<void> finish() {
        for (Part part : {Part::data, Part::decisions, Part::keys}) {
            std::error_code error;
            fs::rename(beside(part), partPath(settings_, part), error);
            if (error)
                return fail(
                    Errc::unavailable,
                    settings_.state + ": a restored file cannot take its name; empty the directory and try again",
                    "restore.name");
            if (auto r = syncDirectory(fs::path(partPath(settings_, part)).parent_path().string()); !r) return r;
            crashPoint("restore.named");
        }
        return {};
    }

private:
    const config::Settings& settings_;
    std::unique_ptr<Lease> lease_;

    std::string beside(Part part) const { return partPath(settings_, part) + ".restoring"; }
};

}  // namespace

Result<Json> restore(const config::Settings& settings, const std::string& data, const std::string& keys,
                     const CopyProgress& progress) {
    auto master = loadKeyFile(settings.key_file, false);
    if (!master) return master.error();
    const std::string key_file = keyFileName(*master);
    auto records = verified(data, "data", key_file);
    if (!records) return records.error();
    auto wrapped = verified(keys, "keys", key_file);
    if (!wrapped) return wrapped.error();
    const Json &file = fileOf(*records, kDataFile), &key_rows = fileOf(*wrapped, kKeysFile);
    const std::int64_t last = figure(file, "last_raw"), first = -figure(file, "last_object");
    if (figure(key_rows, "last_key") < last || figure(key_rows, "first_key") > first)
        return fail(Errc::misconfigured,
                    keys + ": these keys are older than the data; name keys of the same backup or of a later one",
                    "restore.keys");

    Files files(settings);
    const bool embedded = !settings.scaledOut();
    if (embedded)
        if (auto r = files.open(); !r) return r.error();
    auto one = [&](const std::string& directory, const PartFile& part, const Keep& keep,
                   const std::function<void(Store&)>& finish) -> Result<void> {
        auto to = embedded ? files.store(part.part) : openStore(settings, part.part, false);
        if (!to) return to.error();
        auto loaded = load(directory, part, **to, progress, keep, [&] {
            if (finish) finish(**to);
        });
        if (loaded) crashPoint("restore.loaded");
        return loaded;
    };
    auto known = [&](const std::vector<Value>& row) {
        const std::int64_t no = std::get<std::int64_t>(row[0]);
        return no >= first && no <= last;
    };
    // Keys last: data without keys open nothing, while keys without data would be met by other data under their numbers.
    if (auto r = one(data, kDataFile, {}, [&](Store& store) { beginAnew(store, !embedded); }); !r) return r.error();
    if (auto r = one(data, kDecisionsFile, {}, {}); !r) return r.error();
    if (auto r = one(keys, kKeysFile, known, {}); !r) return r.error();
    if (embedded)
        if (auto r = files.finish(); !r) return r.error();

    Json done = Json::object();
    done["restored_to"] = embedded ? settings.state : "postgresql";
    done["made_at"] = records->text("made_at");
    done["objects"] = figure(*file.find("rows"), "object");
    done["raw_records"] = figure(*file.find("rows"), "raw");
    done["decisions"] = figure(*fileOf(*records, kDecisionsFile).find("rows"), "decision");
    return done;
}

}  // namespace porta::pipeline
