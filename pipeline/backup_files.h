#pragma once
/// The directories of a backup: which file holds which part, and the manifest that names them.
#include "base/canonical_json.h"
#include "pipeline/table_copy.h"
#include "pipeline/world.h"

namespace porta::pipeline {

struct PartFile {
    Part part;
    const char* name;
    Result<void> (*make)(Store&);  ///< its tables
};
extern const PartFile kDataFile, kDecisionsFile, kKeysFile;

/// The tables of a part that are copied; the format's version is checked, not carried. Throws Failure.
std::vector<Table> carried(Store& sqlite);

/// Completes what the manifest says of a finished file: its size, digest and rows. Errors: unavailable.
Result<Json> describe(const std::string& path, Json file, Json rows);

/// Written last: a directory without it is no backup. `part` is `data` or `keys`. Errors: unavailable.
Result<void> writeManifest(const std::string& directory, const char* part, const std::string& key_file,
                           const std::string& made_at, std::vector<Json> files);

/// The manifest, once everything that it says of its files is true. Errors: misconfigured, malformed.
Result<Json> verified(const std::string& directory, const char* part, const std::string& key_file);

/// What a manifest says of one file, and a figure of that.
const Json& fileOf(const Json& manifest, const PartFile& part);
std::int64_t figure(const Json& file, const char* name);

/// The first column of the only row, 0 for none. Throws Failure.
std::int64_t number(Store& store, const std::string& sql);

}  // namespace porta::pipeline
