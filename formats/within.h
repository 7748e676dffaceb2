#pragma once
/// Documents that are a value of a record: XML in CDATA, JSON in a JSON string or a CSV column, a base64 report in an HL7 v2
/// field. Opened in place: what the document holds becomes children of the value's node, each with the span of its bytes as
/// they stand in the raw record, through every escape and base64 around them.
///
///     auto opened = openWithin({Within::Decode::base64, settings}, Kind::hl7v2, raw, node, tree);
#include "formats/format.h"

namespace porta::formats {

struct Within {
    enum class Decode : std::uint8_t { none, base64 };
    Decode decode = Decode::none;
    Settings settings = {};  ///< of the document: xml or json
};

/// Shape:  the node, which held a text, is a group then; its text is gone. Of base64 a span is the characters that the value's
///         bits are in. Where the way back cannot be followed (another encoding than UTF-8, escapes inside of escapes), every span is
///         the whole value.
/// Errors: malformed, `within.base64` or the rule of the document's reader, at its place in `raw`; never with a value.
/// Owner:  the tree keeps what it views.
/// Source: RFC 4648, section 4; line breaks and blanks between its characters are passed over (RFC 2045, 6.8).
Result<void> openWithin(const Within& within, Kind outer, std::string_view raw, NodeId node, NodeTree& tree);

}  // namespace porta::formats
