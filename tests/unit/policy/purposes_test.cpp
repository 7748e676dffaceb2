#include "policy/purposes.h"

#include <gtest/gtest.h>

namespace porta::policy {
namespace {

constexpr const char* kFile = R"yaml(purposes:
  verification: {title: Verification, legal_basis: "GDPR Art. 6(1)(e)", sections: all, sources: all}
  care: {title: Care, legal_basis: "GDPR Art. 9(2)(h)", sections: [work, identity], sources: [hospital, contacts]}
  closed: {title: Closed, legal_basis: none yet}
users:
  acceptance: {purposes: [verification], role: auditor}
)yaml";

TEST(Purposes, defaultIsDeny) {
    auto read = Purposes::parse(kFile, "p.yaml");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->decide("acceptance", "verification").allowed);
    EXPECT_EQ(read->decide("acceptance", "care").rule, "purpose.not-granted");
    EXPECT_EQ(read->decide("acceptance", "nothing").rule, "purpose.unknown");
    EXPECT_EQ(read->decide("somebody", "care").rule, "user.unknown");
    EXPECT_FALSE(read->decide("", "").allowed);
}

TEST(Purposes, hiddenSourcesAndSections) {
    auto read = Purposes::parse(kFile, "p.yaml");
    ASSERT_TRUE(read);
    const std::vector<std::string> all = {"unemployment", "hospital", "contacts", "school"};
    EXPECT_TRUE(hiddenSources(*read->purpose("verification"), all).empty());
    EXPECT_EQ(hiddenSources(*read->purpose("care"), all), (std::vector<std::string>{"school", "unemployment"}));
    EXPECT_EQ(hiddenSources(*read->purpose("closed"), all).size(), 4U);
    EXPECT_TRUE(read->purpose("care")->section("identity"));
    EXPECT_FALSE(read->purpose("care")->section("alerts"));
    EXPECT_FALSE(read->purpose("closed")->section("identity"));
}

TEST(Purposes, limitsAreDeniedByDefault) {
    auto read = Purposes::parse(R"yaml(purposes:
  open: {legal_basis: x, sections: [identity, work], sources: all, fields: {identity: [names, sex]}}
  protection: {legal_basis: x, sections: all, sources: all, sealed: true}
)yaml",
                                "p.yaml");
    ASSERT_TRUE(read) << read.error().message;
    const Purpose& open = *read->purpose("open");
    EXPECT_FALSE(open.sealed) << "nobody sees sealed persons who is not granted it";
    EXPECT_EQ(open.fields.at("identity"), (std::vector<std::string>{"names", "sex"}));
    EXPECT_FALSE(open.fields.contains("work")) << "a section without a limit is shown whole";
    EXPECT_TRUE(read->purpose("protection")->sealed);
}

TEST(Purposes, viewsLeaveForRegisteredRecipientsOnly) {
    auto read = Purposes::parse(R"yaml(purposes:
  b: {legal_basis: x, recipients: [team-south, hub]}
  a: {legal_basis: x, recipients: [hub]}
  none: {legal_basis: x, recipients: []}
  silent: {legal_basis: x}
)yaml",
                                "p.yaml");
    ASSERT_TRUE(read) << read.error().message;
    std::vector<std::string> ids;
    for (const Purpose& p : read->delivered()) ids.push_back(p.id);
    EXPECT_EQ(ids, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(read->purpose("b")->recipients, (std::vector<std::string>{"hub", "team-south"}));
    EXPECT_TRUE(read->purpose("silent")->recipients.empty());
}

TEST(Purposes, aSourceKeepsItselfToThePurposesItNames) {
    auto read = Purposes::parse(kFile, "p.yaml");
    ASSERT_TRUE(read);
    const std::vector<std::string> care{"care"}, none, both{"verification", "care"};
    auto seen = [&](const char* id, const std::vector<std::string>* hospital) {
        Purposes limited = *read;
        limited.limitSources({{"contacts", nullptr}, {"hospital", hospital}, {"school", nullptr}});
        const Purpose& p = *limited.purpose(id);
        std::string out = p.all_sources ? "all" : "";
        for (const char* s : {"contacts", "hospital", "school"})
            if (p.source(s)) out += std::string(" ") + s;
        return out;
    };
    EXPECT_EQ(seen("verification", nullptr), "all contacts hospital school");
    EXPECT_EQ(seen("verification", &both), "all contacts hospital school");
    EXPECT_EQ(seen("verification", &care), " contacts school");
    EXPECT_EQ(seen("verification", &none), " contacts school");
    EXPECT_EQ(seen("care", &care), " contacts hospital");
    EXPECT_EQ(seen("care", &none), " contacts");
    EXPECT_EQ(seen("closed", &both), "") << "a source grants nothing";
}

TEST(Purposes, refusesWithPlace) {
    for (const char* text : {
             "purposes: {a: {legal_basis: x, section: all}}",
             "purposes: {a: {legal_basis: x}, a: {legal_basis: y}}",
             "purposes: {a: {title: x}}",
             "purposes: {a: {legal_basis: x, sources: [b, b]}}",
             "purposes: {a: {legal_basis: x, sources: some}}",
             "purposes: {a: {legal_basis: x, sections: [work], fields: {identity: [names]}}}",
             "purposes: {a: {legal_basis: x, sections: [work], fields: [work]}}",
             "purposes: {a: {legal_basis: x, sealed: perhaps}}",
             "purposes: {a: {legal_basis: x, recipients: all}}",
             "purposes: {a: {legal_basis: x, recipients: [b, b]}}",
             "purposes: {a: {legal_basis: x, recipients: [{b: c}]}}",
             "purposes: {a b: {legal_basis: x, recipients: [c]}}",
             "users: {u: {purposes: [a]}}",
             "users: {u: {purposes: all}}",
             "purposes: {a: {legal_basis: [x]}}",
             "users: {u: {role: [x]}}",
             "other: 1",
         }) {
        auto read = Purposes::parse(text, "p.yaml");
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, Errc::misconfigured);
        EXPECT_EQ(read.error().message.rfind("p.yaml:1:", 0), 0U) << read.error().message;
    }
}

}  // namespace
}  // namespace porta::policy
