#pragma once
/// Results of official suites in the form that SQL on FHIR v2 publishes:
/// `{"file.json": {"tests": [{"name": …, "result": {"passed": true}}]}}`, a failed one with its `reason`.
#include <string>

#include "base/canonical_json.h"
#include "base/result.h"

namespace porta::app {

class SuiteReport {
public:
    void add(const std::string& file, const std::string& name, bool passed, const std::string& reason);
    /// Errors: misconfigured when the file cannot be written.
    Result<void> write(const std::string& file) const;

private:
    Json files_ = Json::object();
};

}  // namespace porta::app
