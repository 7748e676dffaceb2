#include "pipeline/schema.h"

namespace porta::pipeline {

namespace {

// In clear are only integers, times, kinds, 8-byte keyed hashes and counts; everything else is encrypted (DESIGN §8).
// Dense ascending primary keys; `link` and `token` are the only B-trees written at random.
const char* const kMigration2[] = {
    "CREATE TABLE generation(no INTEGER PRIMARY KEY, source TEXT NOT NULL, mapping_digest BLOB NOT NULL, engine_digest "
    "BLOB NOT NULL, rules TEXT NOT NULL)",
    // state: 0 open, 1 closed (all its raw records are resolved), 2 duplicate of another object, 3 void (its bytes changed
    // before they were all in the log); appended: its raw records are all in the log; done: how many are resolved
    "CREATE TABLE object(no INTEGER PRIMARY KEY, source TEXT NOT NULL, identity INTEGER NOT NULL, path INTEGER NOT "
    "NULL, instant INTEGER, duplicate_of INTEGER, first_raw INTEGER NOT NULL, n INTEGER NOT NULL, appended INTEGER NOT "
    "NULL, done INTEGER NOT NULL, state INTEGER NOT NULL, generation INTEGER NOT NULL, received_at INTEGER NOT NULL, "
    "meta BLOB NOT NULL)",
    "CREATE INDEX object_identity ON object(identity)",
    "CREATE INDEX object_path ON object(path)",
    "CREATE INDEX object_open ON object(no) WHERE state = 0",
    // map's: state: 1 published, 2 skipped, 3 quarantined; reason: skip rule or error code
    "CREATE TABLE raw(id INTEGER PRIMARY KEY, object INTEGER NOT NULL, position INTEGER NOT NULL, start INTEGER NOT "
    "NULL, length INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT NOT NULL, generation INTEGER NOT NULL, "
    "attempts INTEGER NOT NULL, received_at INTEGER NOT NULL, payload BLOB NOT NULL, detail BLOB NOT NULL)",
    "CREATE INDEX raw_quarantined ON raw(id) WHERE state = 3",
    // raw records too large for a message of the log
    "CREATE TABLE large(raw INTEGER PRIMARY KEY, payload BLOB NOT NULL)",
    // resolve's: what a raw record says, of its newest attempt; unreadable: a row of a full feed whose key is unknown
    "CREATE TABLE operation(raw INTEGER PRIMARY KEY, object INTEGER NOT NULL, generation INTEGER NOT NULL, attempts "
    "INTEGER NOT NULL, unreadable INTEGER NOT NULL, box BLOB NOT NULL)",
    "CREATE TABLE link(hash INTEGER NOT NULL, raw INTEGER NOT NULL, PRIMARY KEY(hash, raw))",
    "CREATE TABLE identity_log(seq INTEGER PRIMARY KEY, event INTEGER NOT NULL, person INTEGER NOT NULL, other INTEGER "
    "NOT NULL, hash INTEGER NOT NULL, at INTEGER NOT NULL)",
    // one row for each object of a full feed; place = its rank in (object time, digest) order
    "CREATE TABLE snapshot(object INTEGER PRIMARY KEY, source TEXT NOT NULL, place INTEGER NOT NULL, accepted INTEGER "
    "NOT NULL)",
    // how many operations of each entity were published
    "CREATE TABLE entity_count(source TEXT NOT NULL, entity TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(source, "
    "entity))",
    // greatest source time seen, never the time of receipt
    "CREATE TABLE source_time(source TEXT PRIMARY KEY, newest INTEGER NOT NULL)",
    "CREATE TABLE member(person INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY(person, hash))",
    "CREATE INDEX member_hash ON member(hash)",
    // what `person find` looks for: keyed hash of a name token, birth date or identifier → keyed hash of a Person record
    "CREATE TABLE token(hash INTEGER NOT NULL, member INTEGER NOT NULL, PRIMARY KEY(hash, member))",
    // next offset of each partition that resolve reads: moves with the effect, in one transaction
    "CREATE TABLE log_position(topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY(topic, "
    "part))",
    // outbox: a person whose revision is greater than what was sent, and than what was projected, is dirty
    "CREATE TABLE person(no INTEGER PRIMARY KEY, revision INTEGER NOT NULL, sent INTEGER NOT NULL, projected INTEGER "
    "NOT "
    "NULL)",
    // no index on projected: PostgreSQL then writes it beside the row, and only `status` counts by it
    "CREATE INDEX person_unsent ON person(no) WHERE sent < revision",
    "CREATE TABLE view_row(person INTEGER NOT NULL, purpose TEXT NOT NULL, revision INTEGER NOT NULL, sent INTEGER NOT "
    "NULL, box BLOB NOT NULL, PRIMARY KEY(person, purpose))",
    "CREATE TABLE lease(name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder INTEGER NOT NULL, until INTEGER NOT "
    "NULL)",
    // deaths of a process with this raw record in work
    "CREATE TABLE poison(raw INTEGER PRIMARY KEY, deaths INTEGER NOT NULL)",
};

}  // namespace

Result<void> migrate(Store& store) {
    return store.exclusive([&] {
        store.run("CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL)");
        std::int64_t version = 0;
        store.query("SELECT value FROM meta WHERE name = 'format_version'", {},
                    [&](const Row& r) { version = r.integer(0); });
        if (version > kFormatVersion)
            throw Failure{fail(
                Errc::misconfigured,
                "this store was written by a newer Porta (format " + std::to_string(version) + "); use that version",
                "store.format")};
        if (version == 1)
            throw Failure{
                fail(Errc::misconfigured,
                     "this store has format 1 of before the first release; give another --state and ingest again",
                     "store.format")};
        if (version == 0) {
            for (const char* sql : kMigration2) store.run(sql);
            store.run("INSERT INTO meta(name, value) VALUES('format_version', 2)");
        }
    });
}

}  // namespace porta::pipeline
