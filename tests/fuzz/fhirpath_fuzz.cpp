// Any text as a FHIRPath expression: refused at a place inside of it, or compiled, checked against models and evaluated within
// its limits. What it says that it reads is itself an expression.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "fhirpath/expression.h"
#include "formats/format.h"
#include "mapping/engine/models.h"

using namespace porta;
using namespace porta::fhirpath;

namespace {

/// A FHIR resource of invented people, and a message of HL7 v2.
struct Records {
    const std::string patient =
        R"({"resourceType":"Patient","id":"p","active":true,"name":[{"use":"official","family":"Provetta","given":["Anna","Maria"]},
        {"use":"usual","given":["Nina"]}],"gender":"female","birthDate":"1981-03-07","deceasedDateTime":"2024-01-01T10:00:00+01:00",
        "multipleBirthInteger":2,"contact":[{"name":{"family":"Esempio"}}],"extension":[{"url":"u","valueDecimal":1.50}],
        "contained":[{"resourceType":"Observation","id":"o","status":"final","valueQuantity":{"value":5.4,"unit":"mg","code":"mg"}}]})";
    const std::string message =
        "MSH|^~\\&|ADT|HOSPITAL|||20240502101500||ADT^A08|4711|P|2.5.1\rPID|1||100200^^^HOSPITAL^MR||"
        "PROVETTA^ANNA||19810307|F\rOBX|1|NM|718-7^Hb||13.4|g/dL\r";
    formats::NodeTree fhir, hl7v2;
    Records() {
        formats::Settings settings;
        settings.fhir = true;
        if (!formats::parse(settings, patient, {}, fhir)) std::abort();
        settings = {};
        settings.kind = formats::Kind::hl7v2;
        if (!formats::parse(settings, message, {}, hl7v2)) std::abort();
    }
};

void place(const Error& error, std::string_view text) {
    if (error.message.empty() || error.offset > text.size()) std::abort();
}

void evaluate(const Expression& e, const formats::NodeTree& tree, std::size_t bytes) {
    Arena arena;
    const Variables none;
    auto found = e.evaluate(tree, tree.root(), none, arena);
    if (!found) return place(found.error(), e.text());
    for (const Value& v : *found)
        for (const formats::Span& s : v.sources(tree))
            if (std::uint64_t{s.offset} + s.length > bytes) std::abort();
    static_cast<void>(e.test(tree, tree.root(), none, arena));
}

void use(const Expression& e, std::string_view text) {
    for (const Read& read : e.reads())
        if (auto again = Expression::compile(read.path); !again) std::abort();
    for (const char* type : {"Patient", "Bundle", "HumanName", "string", "Unknown"})
        for (bool ordered : {false, true})
            if (auto fits = e.check(type, ordered); !fits) place(fits.error(), text);
    static_cast<void>(e.resultTypes({"Patient", "Observation"}));
    static const auto patient = *mapping::fhirModel("Patient"), any = *mapping::fhirModel(""),
                      hl7v2 = *mapping::hl7v2Model({"2.5.1"}, {}), open = mapping::openModel();
    for (const auto& shape : {patient, any, hl7v2, open}) {
        const Known root = Known::at(shape->root);
        for (const PathProblem& p : e.analyse(*shape, root, {{"resource", root}}).problems)
            if (p.offset > text.size()) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Records records;
    const std::string text(reinterpret_cast<const char*>(data), size);
    Options options;
    options.limits.steps = 20000;
    for (Profile profile : {Profile::standard, Profile::mapping, Profile::strict}) {
        options.profile = profile;
        options.ballot = profile != Profile::strict;
        auto e = Expression::compile(text, options);
        if (!e) {
            place(e.error(), text);
            continue;
        }
        if (profile == Profile::standard) use(*e, text);
        evaluate(*e, records.fhir, records.patient.size());
        if (profile == Profile::mapping) evaluate(*e, records.hl7v2, records.message.size());
    }
    return 0;
}
