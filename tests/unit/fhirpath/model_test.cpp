#include "fhirpath/model.h"

#include <gtest/gtest.h>

namespace porta::fhirpath {
namespace {

std::string typeOf(const Model& model, std::string_view type, std::string_view child) {
    const Model::Type* of = model.find(type);
    const Model::Type* found = of == nullptr ? nullptr : model.child(*of, child);
    return found == nullptr ? "" : std::string(found->name);
}

TEST(Model, ElementsAndTypes) {
    const Model& r4 = Model::of(Release::r4);
    const std::tuple<std::string_view, std::string_view, std::string_view> cases[] = {
        {"Patient", "birthDate", "date"},
        {"Patient", "name", "HumanName"},
        {"Patient", "id", "id"},  // inherited
        {"Patient", "contained", "Resource"},
        {"Patient", "contact", "Patient.contact"},
        {"Patient.contact", "name", "HumanName"},
        {"Patient.contact", "extension", "Extension"},
        {"Patient", "deceasedBoolean", "boolean"},  // a choice as data name it
        {"Patient", "deceased", ""},
        {"Patient", "deceasedQuantity", ""},
        {"Observation", "valueDateTime", "dateTime"},
        {"Extension", "valueUnsignedInt", "unsignedInt"},
        {"Bundle.entry", "link", "Bundle.link"},  // defined elsewhere
        {"Questionnaire.item", "item", "Questionnaire.item"},
        {"Patient", "nam", ""},
    };
    for (const auto& [type, child, expected] : cases)
        EXPECT_EQ(typeOf(r4, type, child), expected) << type << "." << child;
    EXPECT_TRUE(r4.element(*r4.find("Patient"), "deceased")->choice);
    EXPECT_TRUE(r4.element(*r4.find("Patient"), "name")->list);
    EXPECT_FALSE(r4.element(*r4.find("Patient"), "birthDate")->list);
    EXPECT_TRUE(r4.isA(*r4.find("Age"), "Quantity"));
    EXPECT_TRUE(r4.isA(*r4.find("uuid"), "uri"));
    EXPECT_FALSE(r4.isA(*r4.find("uri"), "uuid"));
    EXPECT_TRUE(r4.isPrimitive(*r4.find("positiveInt")));
    EXPECT_FALSE(r4.isPrimitive(*r4.find("HumanName")));
    EXPECT_EQ(r4.nearestElement(*r4.find("HumanName"), "given1"), "given");
    EXPECT_EQ(r4.nearestType("Patent"), "Patient");
}

TEST(Model, Releases) {
    const Model &r4 = Model::of(Release::r4), &r5 = Model::of(Release::r5);
    EXPECT_EQ(r4.find("integer64"), nullptr);
    EXPECT_NE(r5.find("integer64"), nullptr);
    EXPECT_EQ(typeOf(r4, "Encounter", "hospitalization"), "Encounter.hospitalization");
    EXPECT_EQ(typeOf(r5, "Encounter", "admission"), "Encounter.admission");
}

}  // namespace
}  // namespace porta::fhirpath
