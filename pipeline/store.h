#pragma once
/// The five interfaces that separate stage code from the world (DESIGN §2): Store, Log, Clock, Keys, Lease. Stage code sees
/// nothing else, so that it also runs behind a simulation. Store is SQL in the common subset of SQLite and PostgreSQL:
/// `?1` parameters, integers, blobs and text, ON CONFLICT; migrations stand in schema.cpp.
///
/// Failures of a store or key store inside a transaction are thrown as `Failure` and caught by `transact`, at the edge.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"

namespace porta::pipeline {

/// What a stage throws when the world fails beneath it; the process gives up its work and starts again from the store.
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

/// Threads: one. A statement is prepared once per text.
class Store {
public:
    virtual ~Store() = default;
    virtual void run(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
    virtual void query(std::string_view sql, const std::vector<Value>& parameters,
                       const std::function<void(const Row&)>& row) = 0;
    /// Runs `work` in one transaction; a Failure rolls back and is returned.
    virtual Result<void> transact(const std::function<void()>& work) = 0;
};

/// Microseconds since 1970 UTC. Only recorded_at, received_at, first_seen, logs and metrics may ask it.
class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t now() const = 0;
};

/// Data keys by number: one per raw record (its number) and one per object (minus its number). Wrapped keys are committed
/// before the data that they open, in a store of their own.
class Keys {
public:
    virtual ~Keys() = default;
    /// New keys for these numbers, durable on return. Numbers whose data was never committed may be given again.
    virtual std::vector<Key> create(const std::vector<std::int64_t>& numbers) = 0;
    /// The key, or not_found.
    virtual Result<Key> find(std::int64_t number) = 0;
    /// Key of the 8-byte hashes that stand in indexes.
    virtual const Key& indexKey() const = 0;
};

/// One owner at a time. Embedded: a file lock that dies with its process.
class Lease {
public:
    virtual ~Lease() = default;
};

}  // namespace porta::pipeline
