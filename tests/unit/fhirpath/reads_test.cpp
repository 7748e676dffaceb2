// What an expression reads and what for.
#include <gtest/gtest.h>

#include "fhirpath/expression.h"

namespace porta::fhirpath {
namespace {

std::string readsOf(const std::string& text) {
    auto e = Expression::compile(text, Profile::mapping);
    if (!e) return e.error().message;
    std::string out;
    for (const Read& r : e->reads()) {
        const char* use = r.use == Read::value       ? "value"
                          : r.use == Read::computed  ? "computed"
                          : r.use == Read::condition ? "condition"
                                                     : "filter";
        out += (out.empty() ? "" : ", ") + std::string(use) + " " + r.path;
    }
    return out;
}

TEST(Reads, TellValuesFromWhatDecides) {
    EXPECT_EQ(readsOf("name.given"), "value name.given");
    EXPECT_EQ(readsOf("PID.first().f7"), "value PID.f7");
    EXPECT_EQ(readsOf("name.where(use = 'official').family"), "filter name.use, value name.family");
    EXPECT_EQ(readsOf("iif(c7 = 'M', {}, c1.s1)"), "condition c7, value c1.s1");
    EXPECT_EQ(readsOf("a & '-' & b.upper()"), "computed a, computed b");
    EXPECT_EQ(readsOf("%visit.f1 | c4"), "value %visit.f1, value c4");
    EXPECT_EQ(readsOf("a.exists()"), "computed a");
    EXPECT_EQ(readsOf("%`vs-x`.a"), "value %`vs-x`.a");
    EXPECT_EQ(readsOf("iif(resourceType = 'B', entry.resource, $this).where(t.exists())"),
              "condition resourceType, filter entry.resource.t, filter t, value entry.resource, value $this");
    EXPECT_EQ(readsOf("a.select(b | c)"), "value a.b, value a.c");
    EXPECT_EQ(readsOf("preceding('OBR').f4.c2"), "filter $this, value %segment().OBR.f4.c2");
    EXPECT_EQ(readsOf("'x'"), "");
}

TEST(Reads, QuoteWhatIsNoPlainName) {
    EXPECT_EQ(readsOf("`data nascita`.`day`"), "value `data nascita`.`day`");
    auto again = Expression::compile("`data nascita`.`day`");
    ASSERT_TRUE(again);
    EXPECT_EQ(readsOf(again->reads().front().path), "value `data nascita`.`day`");
}

}  // namespace
}  // namespace porta::fhirpath
