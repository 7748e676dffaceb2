#pragma once
/// `porta fhirpath suite`: HL7's suites of FHIRPath (FHIR/fhir-test-cases, tests-fhir-r4.xml and r5), each test with its input.
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "fhirpath/expression.h"
#include "formats/node.h"

namespace porta::app {

/// A file's bytes beside the tree that views them.
struct TreeInput {
    std::string bytes = {};
    formats::NodeTree tree = {};
};
/// A FHIR resource by its form: XML of the FHIR namespace, JSON with a resourceType; `plain`, or anything else, the plain tree.
Result<std::unique_ptr<TreeInput>> loadTree(const std::string& file, bool plain);
/// As FHIRPath writes a literal, strings without their quotes.
std::string literalText(const fhirpath::Value& v, const formats::NodeTree& tree);

/// Prints what fails, what is left out, and `N passed, M failed`. Gives the exit code. Tests that ask a terminology server are
/// left out unless `options` has tables for them.
int runFhirpathSuite(const std::string& file, const std::string& inputs, const std::string& report_file,
                     const fhirpath::Options& options);

}  // namespace porta::app
