#pragma once
/// The fields of a sample file and what stands in them, whatever its format: what guess.h guesses from. Values stay in
/// memory of the process and are never written; only counts, forms and short code lists leave (write.cpp).
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhirpath/shape.h"
#include "formats/detect.h"

namespace porta::mapping {

struct Field {
    std::string path;        ///< an expression from the record on: `` `Data nascita` ``, `address.city.first()`
    std::string label;       ///< its name as people wrote it, with those above it: `address city`
    std::size_t number = 0;  ///< 1-based
    std::vector<std::string> values;  ///< those that say something, in the order of records, at most kKept
    std::size_t filled = 0;           ///< records in which it says something
    std::size_t distinct = 0;
    bool blanks = false;                    ///< blanks stand around some values, or alone
    std::vector<std::string> placeholders;  ///< words that say nothing and stand in it: `NULL`, `-`
};

struct Sample {
    formats::Settings format;
    bool described = false;   ///< from an XSD or a JSON Schema: no record has been seen
    std::string each;         ///< the part of a raw record that is one entry: `people.person`, or ""
    std::string model;        ///< what `input.model` says, as YAML
    std::size_t records = 0;  ///< entries read
    std::size_t broken = 0;   ///< that could not be read
    std::vector<Field> fields;
    std::vector<std::string> kinds;  ///< HL7 v2: message types; FHIR: resource types
};

/// Settings that the caller knows better than the guess.
struct Hints {
    std::string format, delimiter, encoding, header;  ///< empty: guessed
};

/// `path` is named in messages and by models only. Errors: malformed when nothing can be read, misconfigured for a hint.
Result<Sample> readSample(const std::string& path, std::string_view bytes, const Hints& hints);

/// As a name in an expression: in backticks where it is not plain.
std::string quotedName(std::string_view name);

}  // namespace porta::mapping
