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
    int line = 0, column = 0;                 ///< 1-based
    std::vector<std::string> keys;            ///< maps: parallel to items
    std::vector<std::pair<int, int>> places;  ///< maps: line and column of each key; none for keys set by hand
    std::vector<Yaml> items;

    const Yaml* find(std::string_view key) const;
    /// The scalar under `key`, or `otherwise`.
    std::string get(std::string_view key, std::string_view otherwise = {}) const;
};

/// Errors: misconfigured `file:line:column: …`.
Result<Yaml> parseYaml(std::string_view text, const std::string& file);
Result<Yaml> loadYaml(const std::string& path);
/// Refuses what is no map, and members that are not in `known`, naming the nearest known one.
Result<void> checkKeys(const Yaml& map, const std::vector<std::string>& known, const std::string& file);
/// The known name with the smallest edit distance, or "".
std::string nearest(std::string_view name, const std::vector<std::string>& known);
/// `file:line:column: message; did you mean `near`?`, and the same as its `place`.
Error yamlError(const std::string& file, const Yaml& at, const std::string& message, const std::string& near = {});

/// What everyone checks who makes typed settings of a YAML file. `what` names the value in messages.
///
///     YamlChecks checks("purposes.yaml");
///     auto role = checks.choice(node, "role", {"worker", "auditor"});
class YamlChecks {
public:
    explicit YamlChecks(std::string file) : file_(std::move(file)) {}
    Error error(const Yaml& at, const std::string& message) const { return yamlError(file_, at, message); }
    /// `unknown WHAT …; did you mean …?`
    Error unknown(const Yaml& at, const std::string& what, const std::string& found,
                  const std::vector<std::string>& known) const;
    Result<void> keys(const Yaml& map, const std::vector<std::string>& known) const {
        return checkKeys(map, known, file_);
    }
    Result<std::string> text(const Yaml& at, const std::string& what) const;
    /// The text under `key`, or `otherwise` where the key is missing or has no value.
    Result<std::string> member(const Yaml& map, const std::string& key, std::string otherwise = {}) const;
    Result<std::string> choice(const Yaml& at, const std::string& what, const std::vector<std::string>& known) const;
    /// A list of texts in its order, none of them empty or twice.
    Result<std::vector<std::string>> names(const Yaml& at, const std::string& what) const;

private:
    std::string file_;
};

}  // namespace porta
