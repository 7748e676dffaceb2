#pragma once
/// The configuration directory as typed settings: `porta.yaml` and one file per source. Errors name file:line:column.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/format.h"

namespace porta::config {

/// A purpose as a source names it, with its place in the source's file.
struct NamedPurpose {
    std::string id;
    int line = 0, column = 0;
};

struct SourceSettings {
    std::string id, kind = "files", tenant;
    std::string agency_id, agency_name, domain = "other";
    std::string path, pattern = "*", on_done = "keep";  ///< path: absolute after loading
    std::string token_file;                             ///< kind http: absolute; its first line is the bearer token
    bool compressed = true;  ///< `files.compression: auto`: gzip and ZIP are recognised and opened
    formats::Settings format;
    std::string date_pattern, time_zone;
    bool full = false;                                  ///< `feed: full`
    bool arrival = false;                               ///< `order: arrival`: neither versions nor object times
    std::string object_time_from, object_time_pattern;  ///< `filename` with an RE2 pattern, one group yyyyMMdd or ISO
    std::vector<std::string> mappings;                  ///< absolute paths
    std::int64_t promise_micros = 0;                    ///< `as_of`: how old the data may be; 0: none
    std::string coverage_from, coverage_who, no_data_means;
    std::uint64_t max_object_bytes = 1ull << 30;
    double max_delete_share = 0.2;  ///< whole millionths
    std::optional<std::vector<NamedPurpose>>
        purposes;      ///< the only purposes that see the source; none: it sets no limit
    std::string file;  ///< relative to the configuration, for `declared` values
};

/// `log.kafka`: brokers, and what may be tuned.
struct KafkaSettings {
    std::string brokers;             ///< empty: the embedded log
    int partitions = 6;              ///< of each topic when `topics apply` makes it
    int replication = -1;            ///< -1: the brokers' default
    int min_insync_replicas = -1;    ///< of each topic when `topics apply` makes it; -1: the brokers' default
    int session_timeout_ms = 10000;  ///< after which a silent map or project process loses its partitions
    int message_timeout_ms = 30000;  ///< after which an append that no broker acknowledges has failed
    std::string prefix;              ///< before the name of each topic and group: several gateways may share brokers
    std::vector<std::pair<std::string, std::string>>
        security;  ///< librdkafka properties: `security.protocol`, `sasl.…`, `ssl.…`
};

/// `store.postgresql`.
struct PostgresSettings {
    std::string dsn;            ///< libpq connection string without a password; empty: SQLite
    std::string password_file;  ///< absolute; its first line
    int lease_ms = 10000;       ///< after which a silent resolver loses its lease
    int answer_ms = 60000;      ///< after which a connection without a byte of an awaited answer is given up
};

struct Settings {
    std::string directory;   ///< of the configuration, absolute
    std::string state;       ///< of the embedded store, absolute
    std::string store_path;  ///< absolute
    std::string key_file;    ///< absolute
    std::string library;     ///< directory of the mappings we ship
    bool testing = false;    ///< test hooks are allowed
    KafkaSettings kafka;
    PostgresSettings postgres;
    int port = 8470;                      ///< `server.port`: health, metrics and pushed records; 0: any free one
    int poll_ms = 200;                    ///< how long a role waits for news before it looks again
    std::string host = "127.0.0.1";       ///< `server.host`
    std::vector<SourceSettings> sources;  ///< sorted by id

    const SourceSettings* source(const std::string& id) const;
    /// Kafka and PostgreSQL instead of one directory.
    bool scaledOut() const { return !kafka.brokers.empty(); }
};

/// What may stand below `files:` or `http:` of a source; nothing for other sections. Connectors describe the same settings in
/// connectors/registry.cpp, and a test compares.
const std::vector<std::string>& sectionKeys(const std::string& section);
/// What `kind` of a source may say.
const std::vector<std::string>& sourceKinds();

/// Shape:  everything that `-c directory` says. `state` overrides the configuration's own; `overrides` are `key=value`.
/// Errors: misconfigured, first problem found.
Result<Settings> load(const std::string& directory, const std::string& state,
                      const std::vector<std::string>& overrides);

}  // namespace porta::config
