#pragma once
/// The configured sources with their compiled mappings, and the generation (mapping and engine digest) that each maps with.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "mapping/engine/program.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// SHA-256 over everything that may change results and is not a mapping: engine version, ICU, Unicode, time zones.
Sha256 engineDigest();
std::string bytesOf(const Sha256& digest);

struct Source {
    const config::SourceSettings* settings = nullptr;  ///< of the settings that it was loaded from
    std::vector<std::shared_ptr<const mapping::Program>> programs;
    Sha256 digest{};     ///< of all its mappings
    int generation = 0;  ///< number in the store, 0 before `registerGenerations`
};
/// By source id.
using Sources = std::map<std::string, Source>;

/// Compiles every mapping. `settings` must outlive the result. Errors: misconfigured.
Result<Sources> loadSources(const config::Settings& settings);
/// Finds or gives the number of each source's generation. Errors: unavailable.
Result<void> registerGenerations(Store& store, Sources& sources);

}  // namespace porta::pipeline
