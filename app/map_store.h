#pragma once
/// Raw records of a source as the store has them, for the verbs of `porta map` that may look at either a file or a source.
/// What is made of them shows no personal value: counts, paths and places.
#include <CLI/CLI.hpp>
#include <functional>

#include "app/context.h"
#include "mapping/engine/program.h"
#include "pipeline/read.h"

namespace porta::app {

/// `-c --state --set`
void addStore(CLI::App& app, Options& options);

/// One raw record. Owner: `input` views what lives for the call.
struct StoredRaw {
    pipeline::Reader& reader;
    std::int64_t id;
    const formats::Settings& format;
    const mapping::Input& input;
};

/// The newest `last` raw records of a source, the oldest of them first. Those whose key was destroyed are passed over.
/// Errors: not_found for a source that the configuration does not have, with the nearest name; those of the store.
Result<void> eachRecent(const Options& options, const std::string& source, std::size_t last,
                        const std::function<void(const StoredRaw&)>& raw);

}  // namespace porta::app
