#pragma once
/// What a mapping says of its input, as a graph of elements that paths are checked against. docs/formats/mapping.md,
/// `input.model`, has the forms: HL7 v2 by version and message, FHIR R4, an XSD, a JSON Schema, declared columns, `open`.
///
///     auto model = modelOf(*input.find("model"), "config/mappings");
///     if (model) check paths against **model
#include <memory>
#include <string>

#include "base/yaml.h"
#include "fhirpath/shape.h"

namespace porta::mapping {

/// Shape:  one group without elements that is open, where the mapping names no model.
/// Errors: misconfigured; `message` is the text, `path` the nearest valid name.
Result<std::shared_ptr<const fhirpath::Shape>> modelOf(const Yaml& model, const std::string& directory,
                                                       bool groups = false);
std::shared_ptr<const fhirpath::Shape> openModel();

/// HL7 v2.3.1, 2.5.1 and 2.8: segments, fields, components and subcomponents as the short view names them (`PID`, `f3`,
/// `c1`, `s1`). Several versions: a path holds when one of them has it. `messages` (`ADT_A01`): only their segments, with
/// their cardinality; empty: all, and how often a segment stands is not known. `groups`: below the groups of these messages.
Result<std::shared_ptr<const fhirpath::Shape>> hl7v2Model(const std::vector<std::string>& versions,
                                                          const std::vector<std::string>& messages,
                                                          bool groups = false);
/// FHIR R4 (4.0.1), elements of all resources by their JSON names; choice elements by both (`value`, `valueQuantity`).
/// `resource`: the root is one of this type; empty: any resource.
Result<std::shared_ptr<const fhirpath::Shape>> fhirModel(const std::string& resource);
/// W3C XML Schema 1.0: global and local elements, complex and simple types, extensions, restrictions, groups, attributes,
/// and documents beside it by include and import. `element`: the document element, else any global one.
Result<std::shared_ptr<const fhirpath::Shape>> xsdModel(const std::string& file, const std::string& element);
/// JSON Schema (draft-04 to 2020-12): properties, items, references inside the document, allOf, anyOf, oneOf.
Result<std::shared_ptr<const fhirpath::Shape>> jsonSchemaModel(const std::string& file);

}  // namespace porta::mapping
