#pragma once
/// What a connector says of itself. Validation, `porta connector describe`, the manual and the catalogue come from it, so a
/// setting that is not described does not exist.
#include <string>
#include <vector>

namespace porta::schemas {

/// A setting of a source file, below the connector's own section.
struct Setting {
    std::string name = {};
    std::string type = {};       ///< text, path, or the choices as `a | b`
    std::string unit = {};       ///< of a number or a pattern; empty: none
    std::string otherwise = {};  ///< the default; empty: none
    bool required = false;       ///< once the section stands there
    bool secret = false;        ///< names a file that holds a secret; the secret itself never stands in a configuration
    std::string example = {};   ///< a value that is accepted
    std::string sentence = {};  ///< what it is for
};

enum class Shape { pull, push };

struct Descriptor {
    std::string name = {};     ///< `kind` of a source file
    std::string summary = {};  ///< one sentence
    Shape shape = Shape::pull;
    std::string section = {};  ///< of the source file that holds the settings; empty: it has none
    std::vector<Setting> settings = {};
};

inline const char* name(Shape shape) { return shape == Shape::pull ? "pull" : "push"; }

}  // namespace porta::schemas
