#pragma once
/// `porta viewdef suite`: the tests of SQL on FHIR v2 (FHIR/sql-on-fhir-v2, tests/*.json), each with its resources.
#include <string>

namespace porta::app {

/// Prints what fails, then `N passed, M failed`. Gives the exit code.
int runViewSuite(const std::string& folder, const std::string& report_file);

}  // namespace porta::app
