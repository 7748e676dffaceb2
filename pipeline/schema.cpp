#include "pipeline/schema.h"

namespace porta::pipeline {

namespace {

// In clear are only integers, times, kinds, 8-byte keyed hashes and counts; everything else is encrypted (DESIGN §8).
// Dense ascending primary keys; `link` is the only B-tree written at random.
const char* const kMigration1[] = {
    "CREATE TABLE generation(no INTEGER PRIMARY KEY, source TEXT NOT NULL, mapping_digest BLOB NOT NULL, engine_digest "
    "BLOB NOT NULL, rules TEXT NOT NULL)",
    // state: 0 open, 1 closed, 2 duplicate of another object, 3 void (its bytes changed before they were all read)
    "CREATE TABLE object(no INTEGER PRIMARY KEY, source TEXT NOT NULL, identity INTEGER NOT NULL, path INTEGER NOT "
    "NULL, instant INTEGER, "
    "duplicate_of INTEGER, first_raw INTEGER NOT NULL, n INTEGER NOT NULL, done INTEGER NOT NULL, state INTEGER NOT "
    "NULL, generation INTEGER NOT NULL, "
    "received_at INTEGER NOT NULL, meta BLOB NOT NULL)",
    "CREATE INDEX object_identity ON object(identity)",
    "CREATE INDEX object_path ON object(path)",
    // state: 1 published, 2 skipped, 3 quarantined; reason: skip rule or error code
    "CREATE TABLE raw(id INTEGER PRIMARY KEY, object INTEGER NOT NULL, position INTEGER NOT NULL, start INTEGER NOT "
    "NULL, length INTEGER NOT NULL, "
    "state INTEGER NOT NULL, reason TEXT NOT NULL, generation INTEGER NOT NULL, attempts INTEGER NOT NULL, received_at "
    "INTEGER NOT NULL, "
    "payload BLOB NOT NULL, operations BLOB NOT NULL, detail BLOB NOT NULL)",
    "CREATE INDEX raw_quarantined ON raw(id) WHERE state = 3",
    "CREATE TABLE link(hash INTEGER NOT NULL, raw INTEGER NOT NULL, PRIMARY KEY(hash, raw))",
    "CREATE TABLE identity_log(seq INTEGER PRIMARY KEY, event INTEGER NOT NULL, person INTEGER NOT NULL, other INTEGER "
    "NOT NULL, hash INTEGER NOT NULL, "
    "at INTEGER NOT NULL)",
    // one row for each object of a full feed; place = its rank in (object time, digest) order
    "CREATE TABLE snapshot(object INTEGER PRIMARY KEY, source TEXT NOT NULL, place INTEGER NOT NULL, accepted INTEGER "
    "NOT NULL)",
    // greatest source time seen, never the time of receipt
    "CREATE TABLE source_time(source TEXT PRIMARY KEY, newest INTEGER NOT NULL)",
    "CREATE TABLE member(person INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY(person, hash))",
    "CREATE INDEX member_hash ON member(hash)",
};

}  // namespace

Result<void> migrate(Store& store) {
    return store.transact([&] {
        store.run("CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL)");
        std::int64_t version = 0;
        store.query("SELECT value FROM meta WHERE name = 'format_version'", {},
                    [&](const Row& r) { version = r.integer(0); });
        if (version > kFormatVersion)
            throw Failure{fail(
                Errc::misconfigured,
                "this store was written by a newer Porta (format " + std::to_string(version) + "); use that version",
                "store.format")};
        if (version < 1) {
            for (const char* sql : kMigration1) store.run(sql);
            store.run("INSERT INTO meta(name, value) VALUES('format_version', 1)");
        }
    });
}

}  // namespace porta::pipeline
