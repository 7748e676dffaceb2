#pragma once
/// The reader of each format; format.cpp is their one door.
#include "formats/format.h"

namespace porta::formats {

namespace hl7v2 {
Result<Units> split(std::string_view object);
/// HL7 v2.5.1 chapter 2: delimiters from MSH-1 and MSH-2, escapes of 2.7, charset of MSH-18 (else `encoding`).
Result<void> parse(std::string_view raw, const std::string& encoding, NodeTree& tree);
}  // namespace hl7v2

namespace json {
Result<Units> splitLines(std::string_view object);
/// RFC 8259; depth at most 200; a member that stands twice becomes two children.
Result<void> parse(std::string_view raw, bool fhir, NodeTree& tree);
}  // namespace json

namespace csv {
Result<Units> split(const Settings& settings, std::string_view object);
/// RFC 4180 with a delimiter of choice; children are named by the header.
Result<void> parse(const Settings& settings, std::string_view raw, std::string_view header, NodeTree& tree);
}  // namespace csv

}  // namespace porta::formats
