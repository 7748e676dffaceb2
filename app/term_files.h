#pragma once
/// FHIR's ValueSets, CodeSystems and ConceptMaps that are named on the command line.
#include <memory>
#include <string>
#include <vector>

#include "mapping/terminology/terms.h"

namespace porta::app {

/// Errors: not_found, malformed; the message begins with the file.
Result<void> addTable(mapping::Terms& terms, const std::string& file);
/// What is built in, and these files.
Result<std::shared_ptr<const mapping::Terms>> termsWith(const std::vector<std::string>& files);

}  // namespace porta::app
