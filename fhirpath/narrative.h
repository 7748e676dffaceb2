#pragma once
/// The XHTML that a FHIR narrative may hold (FHIR R4, narrative.html, rules txt-1 and txt-2). Private to this folder.
#include <string_view>

namespace porta::fhirpath {

/// One `div`, of the elements and attributes that HTML 4.0 chapters 7 to 11 and 15 allow, with some content, well nested;
/// no active content.
bool narrativeHolds(std::string_view xhtml);

}  // namespace porta::fhirpath
