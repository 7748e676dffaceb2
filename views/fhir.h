#pragma once
/// A case view as a FHIR R4 Bundle of type `collection` (hl7.org/fhir/R4/bundle.html): Patient, Encounter and Condition as
/// far as the view has them, for systems that read FHIR. A derived form: what FHIR has no place for is not in it.
#include "base/canonical_json.h"

namespace porta::views {

/// `view` is the JSON of a case view (`toJson`); a section that the purpose does not have gives no resource.
Json toFhir(const Json& view);

}  // namespace porta::views
