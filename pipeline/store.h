#pragma once
/// The five interfaces that separate stage code from the world (DESIGN §2): Store, Log, Clock, Keys, Lease. Stage code sees
/// nothing else, so that it also runs behind a simulation. `embedded/`, `postgres/` and `kafka/` implement them; `world.h`
/// opens what the configuration names.
///
/// Failures of the world inside a transaction are thrown as `Failure` and caught by `transact`, at the edge.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"

namespace porta::pipeline {

/// What a stage throws when the world fails beneath it; the role gives up its work and starts again from the store.
struct Failure {
    Error error;
};

/// Bytes that are stored as BLOB or BYTEA (a std::string parameter is text).
struct Blob {
    std::string bytes;
};
using Value = std::variant<std::nullptr_t, std::int64_t, std::string, Blob>;

class Row {
public:
    virtual ~Row() = default;
    virtual std::int64_t integer(int column) const = 0;
    virtual std::string_view bytes(int column) const = 0;  ///< text or blob; lives until the next row
    virtual bool isNull(int column) const = 0;
};

/// SQL in the common subset of SQLite and PostgreSQL (docs/decisions/0006): `?1` parameters, integers, blobs and text,
/// ON CONFLICT; the tables stand in schema.cpp. Threads: one. A statement is prepared once per text.
class Store {
public:
    virtual ~Store() = default;
    /// A statement without an answer. Inside a transaction its failure may come with a later statement or the commit.
    virtual void run(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
    /// `row` may not ask the same store.
    virtual void query(std::string_view sql, const std::vector<Value>& parameters,
                       const std::function<void(const Row&)>& row) = 0;
    /// Runs `work` in one transaction; a Failure rolls back and is returned.
    virtual Result<void> transact(const std::function<void()>& work) = 0;
    /// The same, one at a time among all processes of this store: for numbers that must not be given twice.
    virtual Result<void> exclusive(const std::function<void()>& work) = 0;
    /// Reads of one moment.
    virtual Result<void> snapshot(const std::function<void()>& work) = 0;
};

/// One message of a topic. `key` is a keyed hash, never an identifier; equal keys go to one partition.
struct Message {
    std::string topic;
    std::int64_t key = 0;
    std::string value;
    std::int32_t partition = 0;  ///< set by reading
    std::int64_t offset = 0;     ///< set by reading
};

/// Messages of one or several topics as one reader sees them. Threads: one.
class LogReader {
public:
    virtual ~LogReader() = default;
    /// Shape:  0..max messages, each partition in its order; empty means "nothing yet". Messages may come again.
    /// Errors: unavailable: read on later.
    virtual Result<std::vector<Message>> poll(std::size_t max, int wait_ms) = 0;
    /// A reader that shares: what was polled has taken effect and need not come again. Errors: unavailable.
    virtual Result<void> commit() = 0;
};

/// Scaled out the log is Kafka's topics; embedded it is the tables of the store, and no stage asks for a Log.
class Log {
public:
    virtual ~Log() = default;
    /// All of them are durable on return. Errors: unavailable, when some may be in the log and some not: append again.
    virtual Result<void> append(const std::vector<Message>& messages) = 0;
    /// One of a group: partitions are shared out among its members.
    virtual Result<std::unique_ptr<LogReader>> share(const std::string& group,
                                                     const std::vector<std::string>& topics) = 0;
    /// All partitions of a topic, from these positions (partition → next offset; absent: the first).
    virtual Result<std::unique_ptr<LogReader>> read(const std::string& topic,
                                                    const std::map<std::int32_t, std::int64_t>& positions) = 0;
};

/// Microseconds since 1970 UTC. Only recorded_at, received_at, first_seen, logs and metrics may ask it.
class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t now() const = 0;
};

/// Data keys by number: one per raw record (its number) and one per object (minus its number). Wrapped keys are committed
/// before the data that they open, in a store of their own. Threads: any.
class Keys {
public:
    virtual ~Keys() = default;
    /// Keys for these numbers, in their order, durable on return. A number that has a key keeps it: what was sealed with it
    /// may already be in the log. Throws Failure.
    virtual std::vector<Key> create(const std::vector<std::int64_t>& numbers) = 0;
    /// The key, or not_found.
    virtual Result<Key> find(std::int64_t number) = 0;
    /// Reads the keys of these numbers in one go: a `find` that follows asks nobody. Throws Failure.
    virtual void fetch(std::vector<std::int64_t> numbers) = 0;
    /// Key of the 8-byte hashes that stand in indexes.
    virtual const Key& indexKey() const = 0;
};

/// One holder at a time. Embedded: a file lock that dies with its process. Scaled out: a row with an epoch, by the
/// database's clock.
class Lease {
public:
    virtual ~Lease() = default;
    /// Takes or renews it; false: another process holds it, or held it since this one did. Whoever is told so forgets what
    /// it read under it, and may ask again. Errors: unavailable.
    virtual Result<bool> hold() = 0;
    /// The last statement before COMMIT: throws Failure (`lease.lost`) when the lease went to another process.
    virtual void check() = 0;
};

}  // namespace porta::pipeline
