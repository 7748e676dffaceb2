#pragma once
/// Mapping into an outcome that is filled again and again: after warm-up a record asks the system for no memory.
///
///     Outcome out;
///     for (const Input& input : inputs) mapInto(*program, format, input, tree, out);
#include "mapping/engine/program.h"

namespace porta::mapping {

/// As `Program::map`; `out` may hold the outcome of a record before. Refusals still allocate their message.
void mapInto(const Program& program, const formats::Settings& format, const Input& input, formats::NodeTree& tree,
             Outcome& out);
/// The first of several mappings whose `input.when` holds maps the record; none: skipped `no-mapping:<what>`.
void mapInto(const std::vector<std::shared_ptr<const Program>>& programs, const formats::Settings& format,
             const Input& input, formats::NodeTree& tree, Outcome& out);

}  // namespace porta::mapping
