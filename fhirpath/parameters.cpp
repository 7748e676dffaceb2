#include "fhirpath/parameters.h"

#include <algorithm>

#include "base/canonical_json.h"

namespace porta::fhirpath {

namespace {

/// Where the JSON value ends that begins at `at`. The text is our own: it is well formed.
std::size_t endOf(std::string_view json, std::size_t at) {
    if (json[at] == '"') {
        for (++at; json[at] != '"'; ++at)
            if (json[at] == '\\') ++at;
        return at + 1;
    }
    if (json[at] != '{' && json[at] != '[') return std::min(json.find_first_of(",]}", at), json.size());
    int depth = 0;
    do {
        if (json[at] == '"') {
            at = endOf(json, at);
            continue;
        }
        if (json[at] == '{' || json[at] == '[') ++depth;
        if (json[at] == '}' || json[at] == ']') --depth;
        ++at;
    } while (depth > 0);
    return at;
}

/// `value` is also `valueCode`: elements of several types.
bool isNamed(std::string_view member, std::string_view name) {
    if (!member.starts_with(name)) return false;
    return member.size() == name.size() || (member[name.size()] >= 'A' && member[name.size()] <= 'Z');
}

}  // namespace

void findMembers(std::string_view object, std::string_view name, SmallVector<std::string_view, 8>& out) {
    for (std::size_t at = 1; object[at] == '"';) {
        const std::size_t key = endOf(object, at), end = endOf(object, key + 1);
        const std::string_view value = object.substr(key + 1, end - key - 1);
        if (isNamed(object.substr(at + 1, key - at - 2), name)) {
            if (value[0] != '[') out.push_back(value);
            for (std::size_t i = 1; value[0] == '[' && value[i] != ']';) {
                const std::size_t stop = endOf(value, i);
                out.push_back(value.substr(i, stop - i));
                i = stop + (value[stop] == ',');
            }
        }
        at = end + (object[end] == ',');
    }
}

/// FHIR R4 ConceptMapEquivalence and R5 ConceptMapRelationship.
std::string_view equivalenceWord(std::string_view ours, Release release) {
    struct Word {
        std::string_view ours, r4, r5;
    };
    constexpr Word kWords[] = {{"equal", "equivalent", "equivalent"},
                               {"wider", "wider", "source-is-narrower-than-target"},
                               {"narrower", "narrower", "source-is-broader-than-target"},
                               {"inexact", "inexact", "related-to"},
                               {"unmatched", "unmatched", "not-related-to"}};
    for (const Word& w : kWords)
        if (w.ours == ours) return release == Release::r4 ? w.r4 : w.r5;
    return {};
}

void writeMember(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    if (out.back() != '{') out += ',';
    quote(out, name);
    out += ':';
    quote(out, text);
}

void writeCoding(std::string& out, const Coding& coding) {
    out += '{';
    writeMember(out, "system", coding.system);
    writeMember(out, "code", coding.code);
    writeMember(out, "display", coding.display);
    out += '}';
}

Parameters::Parameters(std::string& out) : out_(out) { out_ = R"({"resourceType":"Parameters","parameter":[)"; }

void Parameters::begin(std::string_view name) {
    if (out_.back() != '[') out_ += ',';
    out_ += '{';
    writeMember(out_, "name", name);
}

void Parameters::text(std::string_view name, std::string_view type, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    writeMember(out_, type, value);
    out_ += '}';
}

void Parameters::result(bool yes) {
    begin("result");
    out_ += yes ? R"(,"valueBoolean":true})" : R"(,"valueBoolean":false})";
}

void Parameters::coded(std::string_view name, const Coding& value) {
    begin(name);
    out_ += R"(,"valueCoding":)";
    writeCoding(out_, value);
    out_ += '}';
}

void Parameters::parts(std::string_view name) {
    begin(name);
    out_ += R"(,"part":[)";
}

void Parameters::end() { out_ += "]}"; }

}  // namespace porta::fhirpath
