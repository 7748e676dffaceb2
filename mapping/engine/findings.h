#pragma once
/// What the check of a mapping finds. One line each, for people and editors: `file:line:column: error: rule: text
/// (nearest: name)`. No finding holds a value of a record: mappings are configuration, and what they say may be quoted.
#include <string>
#include <vector>

#include "base/result.h"

namespace porta::mapping {

struct Finding {
    /// error: the mapping is refused. unproved: the model says nothing about it, so it may be right or wrong.
    enum class Kind { error, unproved };
    Kind kind = Kind::error;
    std::string file;
    int line = 0, column = 0;
    std::string rule;  ///< short and stable: `path`, `type`, `value-set` (docs/formats/mapping.md lists them)
    std::string text;
    std::string nearest = {};  ///< the valid name nearest to what stands there, or ""

    std::string message() const {
        return file + ":" + std::to_string(line) + ":" + std::to_string(column) +
               (kind == Kind::error ? ": error: " : ": unproved: ") + rule + ": " + text +
               (nearest.empty() ? "" : " (nearest: " + nearest + ")");
    }
};

/// An error as finding: at its place, or at the beginning of `file`.
Finding placed(const Error& error, const std::string& file, std::string rule);
/// All errors as one: misconfigured, a line each, at most 20.
Error refusal(const std::vector<Finding>& findings);

}  // namespace porta::mapping
