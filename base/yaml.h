#pragma once
/// Strict YAML (yaml-cpp adapter): scalars are text, and what surprises people is refused: duplicate keys, anchors and
/// aliases, tags, depth over 50, more than 1 MiB. Every node knows its place, so that an error can name file:line:column.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta {

struct Yaml {
    enum class Kind { null, scalar, sequence, map };
    Kind kind = Kind::null;
    std::string text;
    bool quoted = false;
    int line = 0, column = 0;       ///< 1-based
    std::vector<std::string> keys;  ///< maps: parallel to items
    std::vector<Yaml> items;

    const Yaml* find(std::string_view key) const;
    /// The scalar under `key`, or `otherwise`.
    std::string get(std::string_view key, std::string_view otherwise = {}) const;
};

/// Errors: misconfigured `file:line:column: …`.
Result<Yaml> parseYaml(std::string_view text, const std::string& file);
Result<Yaml> loadYaml(const std::string& path);
/// Refuses members that are not in `known`, naming the nearest known one.
Result<void> checkKeys(const Yaml& map, const std::vector<std::string>& known, const std::string& file);
/// The known name with the smallest edit distance, or "".
std::string nearest(std::string_view name, const std::vector<std::string>& known);
/// `file:line:column: message`
Error yamlError(const std::string& file, const Yaml& at, const std::string& message);

}  // namespace porta
