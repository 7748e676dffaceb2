#pragma once
/// The readers behind one door: an object's bytes are split into raw records, and one raw record's bytes become a node
/// tree. Splitting is a step of its own, so that a broken row 5,000 does not lose row 5,001.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/node.h"

namespace porta::formats {

enum class Kind : std::uint8_t { json, ndjson, csv, hl7v2, xml, fixed, edifact };
Result<Kind> kindNamed(std::string_view name);

/// A stretch of a fixed-width line, counted in characters.
struct Column {
    std::string name;  ///< empty: a gap that nothing is read from
    std::uint32_t width = 0;
    friend bool operator==(const Column&, const Column&) = default;
};
/// From `NAME:WIDTH` each, `-:WIDTH` for a gap; they follow each other from the line's beginning.
/// Errors: misconfigured.
using Columns =
    std::shared_ptr<const std::vector<Column>>;  ///< copies of settings share them, and trees view their names
Result<Columns> columnsFrom(const std::vector<std::string>& texts);

struct Settings {
    Kind kind = Kind::json;
    char delimiter = ',';
    std::string encoding = "utf-8";  ///< ICU converter name; HL7 v2, XML and EDIFACT name their own
    bool header = true;              ///< csv: the first row names the columns
    bool fhir = false;               ///< json, ndjson, xml: dialect of the tree
    bool ragged = false;             ///< fixed: blanks at the end of a line may be missing
    bool groups = false;             ///< hl7v2: segments below the groups of their message's structure
    std::string record = {};         ///< xml: each element of this name is a raw record; empty: the document is one
    Columns columns = {};            ///< fixed
};

/// Bytes [offset, offset + length) of the object.
struct Unit {
    std::uint64_t offset = 0, length = 0;
};
struct Units {
    std::vector<Unit> units;
    std::string
        context;  ///< what each record needs by reference: the CSV header row's bytes (of UTF-16 with the object's
                  ///< byte order mark before them), EDIFACT's service characters and syntax identifier,
                  ///< of XML records the encoding and the namespaces around them, else empty
};

/// Whether the settings' encoding is one that the format can be split and read in.
/// Errors: misconfigured, with what is allowed instead.
Result<void> checkEncoding(const Settings& settings);

/// Shape:  the units in the object's order. A unit may be malformed; that is found by `parse`.
/// Errors: malformed only when nothing can be split (for instance an HL7 file without any MSH).
Result<Units> split(const Settings& settings, std::string_view object);

/// Shape:  fills `tree` (cleared first); spans are offsets in `raw`.
/// Errors: malformed with offset, length and rule; never with a value.
/// Owner:  the tree views `raw` and `context`.
Result<void> parse(const Settings& settings, std::string_view raw, std::string_view context, NodeTree& tree);

/// Inflates gzip members up to `max_bytes`. Errors: malformed, exhausted.
Result<std::string> gunzip(std::string_view bytes, std::uint64_t max_bytes);
inline bool looksGzipped(std::string_view b) { return b.size() > 2 && b[0] == '\x1f' && b[1] == '\x8b'; }

}  // namespace porta::formats
