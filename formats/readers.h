#pragma once
/// The reader of each format; format.cpp is their one door.
#include "formats/format.h"

namespace porta::formats {

namespace hl7v2 {
Result<Units> split(std::string_view object);
/// HL7 v2.5.1 chapter 2: delimiters from MSH-1 and MSH-2, escapes of 2.7, charset of MSH-18 (else `encoding`).
/// groups: segments stand below the groups of the message's structure (`tree.grouped()`); flat, where MSH-9 and MSH-12 name none
/// that is known. No segment is lost or changes its place in the order of the bytes.
Result<void> parse(std::string_view raw, const std::string& encoding, bool groups, NodeTree& tree);
}  // namespace hl7v2

namespace json {
Result<Units> splitLines(std::string_view object);
/// RFC 8259; depth at most 200; a member that stands twice becomes two children; a byte order mark before the text is
/// passed over; a number keeps its digits, however great it is.
Result<void> parse(std::string_view raw, bool fhir, NodeTree& tree);
}  // namespace json

namespace xml {
/// XML 1.0 with namespaces (libxml2, SAX2); prefixes are dropped, attributes become children before the elements. No
/// document type, no entities but the five of XML, depth at most 200.
/// plain: the root's child is the document element; an element without attributes and elements is a text.
/// fhir:  the tree that the JSON form gives: the root is the resource with `resourceType`, an element with `value` is a
///        primitive (its `id` and extensions below it), a contained resource is its element, a narrative is its markup.
/// Spans: exact for UTF-8, UTF-16 and charsets of one byte: of an attribute what its quotes hold, of a text element what
///        its tags hold (with references, CDATA marks and comments as they stand), of others the whole element. For
///        other charsets a span is the whole record: the offset map inside a text comes with the language work.
/// `context`: that of `splitRecords` for one of its units, else empty.
Result<void> parse(std::string_view raw, std::string_view context, bool fhir, NodeTree& tree);
/// The elements of that local name, wherever they stand but in each other, as units; each is read alone, in the namespaces
/// of the elements around it, and what is malformed costs only itself. Only one record's tree is in memory at a time.
/// Errors: malformed when the document without its records is not well-formed (also when it is cut off), or when records
///         stand below elements that declare different namespaces.
Result<Units> splitRecords(std::string_view object, const std::string& record);
}  // namespace xml

namespace csv {
Result<Units> split(const Settings& settings, std::string_view object);
/// RFC 4180 with a delimiter of choice. A quote is one at the beginning of a cell only, as registers write it; what follows a
/// closing quote must be the delimiter. Children are named by the header, a blank or repeated name is `columnN`; blanks around
/// names go, those of cells stay; an empty cell says nothing. A row has as many cells as the
/// header; with `ragged` it may end before the last column, and may have empty cells behind it.
Result<void> parse(const Settings& settings, std::string_view raw, std::string_view header, NodeTree& tree);
}  // namespace csv

namespace fixed {
/// Lines end with LF, CR or both; those without any sign are passed over.
Result<Units> split(std::string_view object);
/// Children are named by `settings.columns`; blanks around a value are padding, a column of nothing but blanks says nothing.
/// Errors: malformed for a line that is shorter or longer than its columns (`ragged`: shorter is well), or has a tabulator.
Result<void> parse(const Settings& settings, std::string_view raw, NodeTree& tree);
}  // namespace fixed

namespace edifact {
/// ISO 9735-1, syntax versions 1 to 4, batch interchanges; each message from UNH to UNT is a unit. An object may hold several
/// interchanges when they share service characters and syntax identifier; their headers are not in the tree.
/// Errors: malformed when an interchange or a group is not complete: its counts and references must hold.
Result<Units> split(std::string_view object);
/// A segment's elements are `f1`…, repeated elements repeat the name, components `c1`…; explicit nesting is `f0`. Values
/// without releases and in UTF-8; spans count their bytes as they came.
/// Errors: malformed, also for the count and reference of UNT.
Result<void> parse(std::string_view raw, std::string_view context, NodeTree& tree);
}  // namespace edifact

}  // namespace porta::formats
