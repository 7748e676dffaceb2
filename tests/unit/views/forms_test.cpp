// The other forms of what a view knows: household, FHIR, one record.
#include <gtest/gtest.h>

#include "views/fhir.h"
#include "views/household.h"
#include "views/record.h"

namespace porta::views {
namespace {

schemas::StoredOperation statement(const std::string& entity, const std::string& id, std::int64_t version,
                                   std::vector<std::pair<std::string, std::string>> fields) {
    schemas::Operation o;
    o.key = {"care", entity, id};
    o.version = {schemas::Order::number, {version}, std::to_string(version)};
    if (entity != "person") o.subjects = {{"care", "person", "1"}};
    for (auto& [path, value] : fields) {
        schemas::Leaf leaf;
        leaf.path = path;
        leaf.value = value;
        leaf.sources = {{2, 3, value}};
        o.leaves.push_back(leaf);
    }
    seal(o);
    return {o, version, 1, 1};
}

const std::vector<SourceFacts> kSources{{"care", "Care", "social", "sources/care.yaml", "", 0, 0}};
constexpr std::int64_t kMay2024 = 1714521600000000;

std::string personOf(const schemas::RecordKey& key) {
    return key.local_id == "1" ? "p1" : key.local_id == "2" ? "p2" : key.local_id == "3" ? "-" : "";
}

TEST(Household, SaysWhoLeftAndNamesNobodySealed) {
    std::vector<schemas::StoredOperation> operations{statement("person", "1", 1, {{"sex", "female"}}),
                                                     statement("household", "h", 1,
                                                               {{"kind", "dwelling"},
                                                                {"members/0/person", "care|person|1"},
                                                                {"members/0/role", "head"},
                                                                {"members/1/person", "care|person|2"},
                                                                {"members/1/end", "2024-04-30"},
                                                                {"members/2/person", "care|person|3"},
                                                                {"members/3/person", "hidden|person|9"}})};
    auto records = schemas::fold(operations, {});
    PurposeView purpose;
    purpose.id = "x";
    purpose.all_sources = false;
    purpose.sources = {"care"};
    Json h = household("p1", records, purpose, kSources, kMay2024, personOf);
    const auto& members = h.find("households")->items()[0].find("members")->items();
    ASSERT_EQ(members.size(), 2u) << "the sealed one and the one of a hidden source are not named";
    std::string told;
    for (const Json& m : members) told += m.text("person") + ":" + m.text("state") + " ";
    EXPECT_NE(told.find("p1:present"), std::string::npos);
    EXPECT_NE(told.find("p2:past"), std::string::npos);
    EXPECT_NE(householdText(h).find("(past)"), std::string::npos);
    EXPECT_EQ(canonical(h).find("hidden"), std::string::npos);
}

TEST(Household, NoSourceThatStatesOneIsNotLivingAlone) {
    std::vector<schemas::StoredOperation> operations{statement("person", "1", 1, {{"sex", "female"}})};
    PurposeView purpose;
    Json h = household("p1", schemas::fold(operations, {}), purpose, kSources, kMay2024, personOf);
    EXPECT_EQ(h.find("declared_by")->size(), 0u);
    EXPECT_NE(h.text("says").find("does not mean that the person lives alone"), std::string::npos);
}

TEST(Fhir, ABundleWhoseReferencesResolve) {
    auto view = parseJson(R"({"person":"p1","purpose":"x","identity":{"names":[{"family":"Provetta","given":["Ada"]}],
        "identifiers":[],"birth_date":"1981-03-07","sex":"female","conflicts":[]},
        "encounters":[{"status":"finished","start":"2024-02-01T03:15:00","end":"2024-02-01T04:00:00+01:00","kind":{"code":"IMP"}}],
        "conditions":[{"code":{"code":"I10","system":"http://hl7.org/fhir/sid/icd-10"},"abatement":"2024"}]})");
    ASSERT_TRUE(view);
    Json bundle = toFhir(*view);
    EXPECT_EQ(bundle.text("resourceType"), "Bundle");
    EXPECT_EQ(bundle.text("type"), "collection");
    const auto& entries = bundle.find("entry")->items();
    ASSERT_EQ(entries.size(), 3u);
    const Json &patient = *entries[0].find("resource"), &encounter = *entries[1].find("resource"),
               &condition = *entries[2].find("resource");
    EXPECT_EQ(patient.find("identifier"), nullptr) << "FHIR refuses empty arrays";
    EXPECT_EQ(patient.text("birthDate"), "1981-03-07");
    for (const Json* r : {&encounter, &condition})
        EXPECT_EQ(r->find("subject")->text("reference"), entries[0].text("fullUrl"));
    EXPECT_EQ(encounter.find("period")->text("start"), "2024-02-01") << "a time without an offset is cut to its day";
    EXPECT_EQ(encounter.find("period")->text("end"), "2024-02-01T04:00:00+01:00");
    EXPECT_EQ(encounter.find("class")->text("code"), "IMP");
    EXPECT_EQ(condition.find("clinicalStatus")->find("coding")->items()[0].text("code"), "resolved");
    EXPECT_EQ(canonical(toFhir(*view)), canonical(bundle));
}

TEST(Record, EnvelopeNamesTheRawRecordOfEachField) {
    auto newer = statement("person", "1", 2, {{"sex", "female"}});
    newer.op.op = schemas::Op::patch;
    seal(newer.op);
    std::vector<schemas::StoredOperation> operations{
        statement("person", "1", 1, {{"birth_date", "1981-03-07"}, {"sex", "male"}}), newer};
    auto records = schemas::fold(operations, {});
    RecordFacts facts;
    facts.purpose = "x";
    facts.source = [](const std::string&) { return RecordFacts::Source{"town", "care", "social"}; };
    facts.mapped = [](const schemas::StoredOperation& op) {
        return RecordFacts::Mapped{"r" + std::to_string(op.raw), "2024-05-01T00:00:00Z", "m", "e"};
    };
    facts.field = [](const std::string&, const std::string&) { return true; };
    Json j = recordJson(records[0], facts);
    EXPECT_EQ(j.find("fields")->text("sex"), "female");
    EXPECT_EQ(j.find("raw")->find("spans")->find("sex")->text("raw"), "r2");
    EXPECT_EQ(j.find("raw")->find("spans")->find("birth_date")->text("raw"), "r1");
    EXPECT_EQ(j.text("status"), "current");
    EXPECT_EQ(j.text("op"), "patch");
    Json history = historyJson({&operations[1], &operations[0]}, records[0], facts);
    ASSERT_EQ(history.size(), 2u);
    EXPECT_EQ(history.items()[0].text("raw"), "r1") << "in the order of the fold";
    facts.field = [](const std::string&, const std::string& f) { return f != "birth_date"; };
    EXPECT_EQ(canonical(recordJson(records[0], facts)).find("1981"), std::string::npos);
    EXPECT_EQ(canonical(historyJson({&operations[0]}, records[0], facts)).find("1981"), std::string::npos);
}

}  // namespace
}  // namespace porta::views
