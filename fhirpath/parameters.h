#pragma once
/// The resources that %terminologies answers with, as JSON: how they are written and how their members are found. Private to
/// this folder.
#include <string>
#include <string_view>

#include "base/small_vector.h"
#include "fhirpath/model.h"
#include "fhirpath/terminology.h"

namespace porta::fhirpath {

/// Appends a member and its text, unless that is empty.
void writeMember(std::string& out, std::string_view name, std::string_view text);
void writeCoding(std::string& out, const Coding& coding);
/// FHIR R4 ConceptMapEquivalence or R5 ConceptMapRelationship of one of our words.
std::string_view equivalenceWord(std::string_view ours, Release release);
/// The values, as JSON, of the members of that name; `value` is also `valueCode`. Of a list, its items.
void findMembers(std::string_view object, std::string_view name, SmallVector<std::string_view, 8>& out);

/// A Parameters resource as it is written, in place of what `out` held.
class Parameters {
public:
    explicit Parameters(std::string& out);
    void text(std::string_view name, std::string_view type, std::string_view value);
    void result(bool yes);
    void coded(std::string_view name, const Coding& value);
    /// What is written from here to `end` are parts of it.
    void parts(std::string_view name);
    void end();

private:
    std::string& out_;
    void begin(std::string_view name);
};

}  // namespace porta::fhirpath
