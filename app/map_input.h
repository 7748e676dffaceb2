#pragma once
/// A file as the verbs of `porta map` take it: mapped without a gateway around it.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "formats/format.h"
#include "mapping/engine/program.h"

namespace porta::app {

struct MapInput {
    std::shared_ptr<const mapping::Program> program;
    std::string bytes;  ///< unpacked
    formats::Units units;
    mapping::Input declared;  ///< what a source would declare

    mapping::Input record(std::size_t i) const {
        const formats::Unit& u = units.units[i];
        mapping::Input input = declared;
        input.bytes = std::string_view(bytes).substr(u.offset, u.length);
        input.context = units.context;
        return input;
    }
};

/// `path`: a file, perhaps gzip, or - for stdin.
/// Errors: misconfigured (the mapping), not_found, malformed when nothing can be split.
Result<MapInput> readMapInput(const std::string& mapping, const std::string& path, const mapping::Input& declared);

/// `--source --time-zone --object-time --dates --full`
void addDeclared(CLI::App& app, mapping::Input& declared);

/// A time and a zone where none is declared: for what shows neither versions nor instants, so that records are not refused
/// for the lack of them.
void standIn(mapping::Input& declared);

}  // namespace porta::app
