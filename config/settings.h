#pragma once
/// The configuration directory as typed settings: `porta.yaml` and one file per source. Errors name file:line:column.
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/format.h"

namespace porta::config {

struct SourceSettings {
    std::string id, kind = "files", tenant;
    std::string agency_id, agency_name, domain = "other";
    std::string path, pattern = "*", on_done = "keep";  ///< path: absolute after loading
    bool compressed = true;                             ///< `files.compression: auto`: gzip is recognised and opened
    formats::Settings format;
    std::string date_pattern, time_zone;
    bool full = false;                                  ///< `feed: full`
    bool arrival = false;                               ///< `order: arrival`: neither versions nor object times
    std::string object_time_from, object_time_pattern;  ///< `filename` with an RE2 pattern, one group yyyyMMdd or ISO
    std::vector<std::string> mappings;                  ///< absolute paths
    std::int64_t promise_micros = 0;                    ///< `as_of`: how old the data may be; 0: none
    std::string coverage_from, coverage_who, no_data_means;
    std::uint64_t max_object_bytes = 1ull << 30;
    double max_delete_share = 0.2;
    std::string file;  ///< relative to the configuration, for `declared` values
};

struct Settings {
    std::string directory;                ///< of the configuration, absolute
    std::string state;                    ///< of the embedded store, absolute
    std::string store_path;               ///< absolute
    std::string key_file;                 ///< absolute
    std::string library;                  ///< directory of the mappings we ship
    bool testing = false;                 ///< test hooks are allowed
    std::vector<SourceSettings> sources;  ///< sorted by id

    const SourceSettings* source(const std::string& id) const;
};

/// Shape:  everything that `-c directory` says. `state` overrides the configuration's own; `overrides` are `key=value`.
/// Errors: misconfigured, first problem found.
Result<Settings> load(const std::string& directory, const std::string& state,
                      const std::vector<std::string>& overrides);

}  // namespace porta::config
