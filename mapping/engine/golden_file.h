#pragma once
/// The examples of a mapping as files: what goes in, and what must come out. Strict about their own form: a key, a state or
/// a matcher that nobody knows would otherwise pass without a word. docs/formats/mapping.md has the form. Private to
/// mapping/engine.
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "base/yaml.h"
#include "formats/format.h"
#include "mapping/engine/program.h"

namespace porta::mapping {

/// One case: an object, and the expected outcome of each of its raw records.
struct GoldenCase {
    std::string name;           ///< of the input file
    std::string expected_path;  ///< `<case>.expected.json`
    std::string bytes;
    formats::Units units;
    bool full = false;              ///< read as a full snapshot
    bool written = false;           ///< the expected file is there
    std::vector<Yaml> outcomes;     ///< with their places in the expected file
    std::vector<std::string> text;  ///< each outcome's own line of that file, or none

    Input input(std::size_t unit) const;
};

/// The folder of a mapping's cases unless another one is given: `goldens/<file name>` beside it.
std::string goldenFolder(const std::string& mapping);

/// All cases of a folder, by name. `missing_ok`: a case without its expected file has no outcomes.
/// Errors: misconfigured `file:line:column: …`, with the nearest valid name; also when there is no case.
Result<std::vector<GoldenCase>> loadGoldens(const std::string& folder, const formats::Settings& format,
                                            bool missing_ok);

/// What differs, one line a place: `operations/0/record/sex: expected "male", found "female"`. Empty: nothing.
std::vector<std::string> differences(const Yaml& expected, const Json& found);

}  // namespace porta::mapping
