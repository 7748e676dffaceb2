#include "views/case_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace porta::views {
namespace {

schemas::StoredOperation statement(const std::string& source, const std::string& entity, const std::string& id,
                                   std::vector<std::pair<std::string, std::string>> fields, std::int64_t raw) {
    schemas::Operation o;
    o.key = {source, entity, id};
    o.version = {schemas::Order::number, {1}, "1"};
    if (entity != "person") o.subjects = {{source, "person", id}};
    for (auto& [path, value] : fields) {
        schemas::Leaf leaf;
        leaf.path = path;
        leaf.value = value;
        leaf.sources = {{0, 1, value}};
        o.leaves.push_back(leaf);
    }
    seal(o);
    return {o, raw, raw, 1};
}

const std::vector<SourceFacts> kSources{{"care", "Care", "social", "sources/care.yaml", "", 0, 0},
                                        {"clinic", "Clinic", "health", "sources/clinic.yaml", "", 0, 0},
                                        {"jobs", "Jobs", "employment", "sources/jobs.yaml", "2030-01-01", 0, 0}};

std::vector<schemas::StoredOperation> someone() {
    return {statement("clinic", "person", "1",
                      {{"names/0/family", "Rossi"}, {"birth_date", "1980-05-17"}, {"sex", "female"}}, 1),
            statement("care", "person", "9", {{"names/0/family", "Rosi"}, {"birth_date", "1980-05-18"}}, 2),
            statement("clinic", "encounter", "1", {{"start", "2024-01-02"}, {"worker/name", "Verdi"}}, 3)};
}

std::string canonicalOf(const std::vector<schemas::StoredOperation>& operations, const PurposeView& purpose) {
    auto records = schemas::fold(operations, {});
    return canonical(toJson(assemble("", records, purpose, kSources, 0)));
}

PurposeView everything() {
    PurposeView p;
    p.id = "verification";
    return p;
}

TEST(CaseView, ConflictIsShownWithEveryValueAndTheChosenOneFollowsTheRule) {
    auto operations = someone();
    auto records = schemas::fold(operations, {});
    Json v = toJson(assemble("p1", records, everything(), kSources, 0));
    EXPECT_EQ(v.find("identity")->text("birth_date"), "1980-05-17") << "a tie goes to health before social";
    ASSERT_EQ(v.find("identity")->find("conflicts")->size(), 1u);
    EXPECT_EQ(v.find("identity")->find("conflicts")->items()[0].find("values")->size(), 2u);
    EXPECT_EQ(v.find("involved")->size(), 2u);
    EXPECT_EQ(v.find("encounters")->items()[0].text("start"), "2024-01-02");
}

TEST(CaseView, AnyOrderOfOperationsGivesTheSameBytes) {
    auto operations = someone();
    std::string first = canonicalOf(operations, everything());
    std::mt19937 rnd(3);
    for (int i = 0; i < 50; ++i) {
        std::shuffle(operations.begin(), operations.end(), rnd);
        for (auto& o : operations) o.raw = o.object = static_cast<std::int64_t>(rnd() % 1000);
        EXPECT_EQ(canonicalOf(operations, everything()), first);
    }
}

TEST(CaseView, NotPermittedLooksTheSameWithAndWithoutARecordThere) {
    PurposeView p = everything();
    p.all_sources = false;
    p.sources = {"clinic"};
    auto with = someone();
    auto without = with;
    without.erase(without.begin() + 1);
    EXPECT_EQ(canonicalOf(with, p), canonicalOf(without, p));
    // Negative control: a purpose that may see the source sees the difference.
    EXPECT_NE(canonicalOf(with, everything()), canonicalOf(without, everything()));
}

TEST(CaseView, TheFourKindsOfNothingAreToldApart) {
    auto sources = kSources;
    sources.push_back({"late", "Late", "other", "sources/late.yaml", "", 1000000, 5000000});
    PurposeView p = everything();
    p.all_sources = false;
    p.sources = {"clinic", "jobs", "late"};
    std::vector<schemas::StoredOperation> operations{someone()[0]};
    auto records = schemas::fold(operations, {});
    Json v = toJson(assemble("p1", records, p, sources, 90000000));
    std::string states;
    for (const Json& n : v.find("nothing")->items()) states += n.text("source") + ":" + n.text("state") + " ";
    EXPECT_EQ(states, "care:not-permitted jobs:outside-coverage late:silent ");
    Json all = toJson(assemble("p1", records, everything(), {kSources[0], kSources[1]}, 0));
    EXPECT_EQ(all.find("nothing")->items()[0].text("state"), "no-record");
}

TEST(CaseView, FieldsThatAreDeniedAreNotThere) {
    PurposeView p = everything();
    p.fields["identity"] = {"names", "sex"};
    p.fields["encounters"] = {"start"};
    p.fields["involved"] = {"source", "agency"};
    auto operations = someone();
    auto records = schemas::fold(operations, {});
    Json v = toJson(assemble("p1", records, p, kSources, 0));
    EXPECT_EQ(v.find("identity")->find("birth_date"), nullptr);
    EXPECT_EQ(v.find("identity")->find("conflicts")->size(), 0u) << "nor does a conflict tell it";
    EXPECT_EQ(v.find("encounters")->items()[0].find("worker"), nullptr);
    for (const Json& row : v.find("involved")->items()) EXPECT_EQ(row.find("worker"), nullptr);
    EXPECT_EQ(canonical(v).find("Verdi"), std::string::npos);
    EXPECT_NE(canonicalOf(operations, everything()).find("Verdi"), std::string::npos) << "negative control";
}

TEST(CaseView, ASealedPersonIsNotThere) {
    PurposeView p = everything(), limited = everything(), protection = everything();
    limited.all_sources = false;
    limited.sources = {"clinic"};
    protection.sealed = true;
    auto operations = someone();
    operations.push_back(statement("care", "person", "10", {{"protection/sealed", "true"}}, 4));
    operations.back().op.leaves[0].kind = schemas::LeafKind::boolean;
    auto records = schemas::fold(operations, {});
    EXPECT_TRUE(isSealed(records));
    EXPECT_FALSE(assemble("p1", records, p, kSources, 0).visible);
    EXPECT_FALSE(assemble("p1", records, limited, kSources, 0).visible) << "sealed by a source that is not seen";
    EXPECT_EQ(assemble("p1", records, p, kSources, 0).root.items.size(), 0u);
    EXPECT_TRUE(assemble("p1", records, protection, kSources, 0).visible);
}

TEST(CaseView, WhoIsKnownToOtherSourcesOnlyIsNotThere) {
    PurposeView p = everything();
    p.all_sources = false;
    p.sources = {"jobs"};
    auto operations = someone();
    EXPECT_FALSE(assemble("p1", schemas::fold(operations, {}), p, kSources, 0).visible);
}

TEST(CaseView, EveryLeafHasAnOrigin) {
    auto operations = someone();
    auto records = schemas::fold(operations, {});
    auto view = assemble("p1", records, everything(), kSources, 0);
    auto values = traced(view);
    EXPECT_GT(values.size(), 15u);
    for (const auto& v : values)
        EXPECT_TRUE(v.origin.leaf || !v.origin.config_key.empty() || !v.origin.inputs.empty()) << v.pointer;
    EXPECT_NE(toText(view).find("The sources disagree on the birth date"), std::string::npos);
}

}  // namespace
}  // namespace porta::views
