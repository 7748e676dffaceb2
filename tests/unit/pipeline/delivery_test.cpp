// Views that leave for recipients: the newest is what is assembled on read, each delivery is in the decision log before, and
// what a purpose or a source no longer allows reaches nobody.
#include "tests/unit/pipeline/roles_fixture.h"

namespace porta::pipeline {
namespace {

TEST_F(Roles, theNewestViewsAreWhatIsAssembled) {
    run(20, 1);
    const Lines views = delivered(kCare);
    EXPECT_GT(views.size(), 20u);
    EXPECT_EQ(views, assembled(kCare));
    for (const auto& [topic, partitions] : topics_.topics)
        EXPECT_TRUE(topic.rfind("porta.views.", 0) != 0 || topic == kCareTopic) << topic << " has no recipients";
}

TEST_F(Roles, aRecordThatMovesToAnotherPersonLeavesTheViewOfTheFirst) {
    const fs::path clinic = town_.path / "feeds/clinic";
    std::set<std::string> patients;
    for (const auto& file : fs::directory_iterator(clinic)) {
        std::ifstream in(file.path());
        for (std::string line; std::getline(in, line);)
            if (std::size_t at = line.find("Patient/"); at != std::string::npos)
                patients.insert(line.substr(at, line.find('"', at) - at));
    }
    ASSERT_GT(patients.size(), 3u);
    auto visit = [&](const char* day, const std::string& patient) {
        std::ofstream(clinic / ("Encounter_202405" + std::string(day) + ".ndjson"))
            << R"({"resourceType":"Encounter","id":"enc-moved","meta":{"lastUpdated":"2024-05-)" << day
            << R"(T09:00:00Z"},"status":"finished","class":{"code":"AMB"},"subject":{"reference":")" << patient
            << R"("},"period":{"start":"2024-05-01T09:00:00Z"}})"
            << "\n";
    };
    visit("01", *patients.begin());
    run(41, 1);
    const Lines before = delivered(kCare);
    visit("02", *patients.rbegin());
    run(42, 1);
    EXPECT_EQ(delivered(kCare), assembled(kCare));
    EXPECT_NE(delivered(kCare), before);
}

TEST_F(Roles, eachDeliveryIsInTheDecisionLogBefore) {
    std::size_t deliveries = 0;
    topics_.watch = [&](const std::vector<Message>& messages) {
        if (messages.empty() || messages[0].topic != kCareTopic) return;
        ++deliveries;
        std::vector<std::int64_t> persons;
        for (const Message& m : messages) persons.push_back(decodeView(m.value)->person);
        auto log = DecisionLog::open(settings_);
        ASSERT_TRUE(log);
        Json last;
        ASSERT_TRUE((*log)->each([&](std::int64_t, const Json& entry) { last = entry; }));
        EXPECT_EQ(last.text("action"), "view.deliver");
        EXPECT_EQ(last.text("actor"), "porta");
        EXPECT_EQ(last.text("purpose"), kCare);
        EXPECT_EQ(print(*last.find("recipients")), "[\"team-north\"]");
        EXPECT_NE(last.find("sections"), nullptr);
        EXPECT_EQ(last.text("whom"), personRanges(persons));
    };
    run(21, 1);
    EXPECT_GT(deliveries, 0u);
    auto log = DecisionLog::open(settings_);
    ASSERT_TRUE(log);
    EXPECT_TRUE((*log)->verify());
}

TEST_F(Roles, controlWithoutADecisionLogNothingLeaves) {
    const std::string log = settings_.state + "/decisions.db";
    fs::create_directories(log);
    run(22, 1, 1200);
    EXPECT_EQ(messagesOf(kCareTopic), 0u);
    EXPECT_GT(count("SELECT COUNT(*) FROM view_row WHERE sent < revision"), 0) << "it was about to";
    fs::remove(log);
    run(23, 1);
    EXPECT_EQ(delivered(kCare), assembled(kCare));
    expectSame();
}

TEST_F(Roles, aStaleRevisionChangesNothing) {
    run(24, 1);
    const Lines before = delivered(kCare);
    const std::size_t sent = messagesOf(kCareTopic);
    World w = open(0);
    auto project = Project::open(settings_, *w.store, *w.keys, *w.log, *w.clock);
    ASSERT_TRUE(project);
    for (const auto& [person, line] : before) {
        auto n = (*project)->project({{person, 1}});
        ASSERT_TRUE(n);
        EXPECT_EQ(*n, 0u);
    }
    EXPECT_EQ(messagesOf(kCareTopic), sent);
    // An older message that lands last does not take a reader back.
    for (auto& [partition, messages] : topics_.topics[kCareTopic]) {
        auto again = messages;
        messages.insert(messages.end(), again.begin(), again.end());
    }
    EXPECT_EQ(delivered(kCare), before);
    // A worker that was overtaken between its append and its mark owes the later revision once more.
    (*w.store).run("UPDATE view_row SET sent = revision - 1");
    auto owed = (*project)->deliver();
    ASSERT_TRUE(owed);
    EXPECT_EQ(static_cast<std::int64_t>(*owed), count("SELECT COUNT(*) FROM view_row"));
    EXPECT_EQ(delivered(kCare), before);
}

/// A stopped relay may append an older revision after the newest; compaction then leaves that message alone.
TEST_F(Roles, anOlderRevisionLeftByCompactionBringsTheNewestView) {
    run(24, 1);
    const Lines before = delivered(kCare);
    World w = open(0);
    w.store->run("UPDATE person SET revision = revision + 2");
    auto project = Project::open(settings_, *w.store, *w.keys, *w.log, *w.clock);
    ASSERT_TRUE(project);
    for (const auto& [person, line] : before) ASSERT_TRUE((*project)->project({{person, 1}}));
    EXPECT_EQ(count("SELECT COUNT(*) FROM view_row v JOIN person p ON p.no = v.person WHERE length(v.box) > 0 AND "
                    "(v.revision < p.revision OR p.projected < p.revision OR v.sent < p.revision)"),
              0);
    EXPECT_EQ(delivered(kCare), before);
}

TEST_F(Roles, aPurposeWithoutRecipientsCostsAndDeliversNothing) {
    write("purposes: {care-coordination: {legal_basis: x, sections: all, sources: all}}\n");
    run(25, 1);
    EXPECT_EQ(messagesOf(kCareTopic), 0u);
    EXPECT_EQ(count("SELECT COUNT(*) FROM view_row"), 0);
    EXPECT_FALSE(fs::exists(settings_.state + "/decisions.db"));
    expectSame();
}

TEST_F(Roles, aChangedPurposeIsDeliveredAgain) {
    run(26, 1);
    const Lines before = delivered(kCare);
    write(
        "purposes:\n  care-coordination: {legal_basis: x, sections: [identity, nothing], sources: [unemployment], "
        "recipients: [team-north, team-south]}\n");
    World w = open(0);
    EXPECT_FALSE(Receiver::over(settings_, purpose(kCare), *w.store, *w.keys, *w.log)) << "still the old one's views";
    run(27, 1);
    const Lines after = delivered(kCare);
    EXPECT_EQ(after, assembled(kCare));
    EXPECT_FALSE(after.empty());
    EXPECT_LT(after.size(), before.size()) << "who is known to other sources only is gone";
    EXPECT_EQ(static_cast<std::size_t>(count("SELECT COUNT(*) FROM view_row WHERE length(box) > 0")), after.size());
    // Nobody receives any more: nothing is owed, and a run comes to rest.
    (*w.store).run("UPDATE view_row SET sent = 0");
    write("purposes: {care-coordination: {legal_basis: x, sections: all, sources: all}}\n");
    run(28, 1);
    EXPECT_EQ(count("SELECT COUNT(*) FROM view_row WHERE sent < revision"), 0);
    expectSame();
}

TEST_F(Roles, aSourceThatIsKeptFromAPurposeReachesNoRecipient) {
    run(29, 1);
    const std::string unemployment = "\"source\":\"unemployment\"";
    auto naming = [&](const Lines& lines) {
        return std::count_if(lines.begin(), lines.end(), [&](const auto& l) {
            return l.second.find(unemployment) != std::string::npos &&
                   l.second.find(unemployment + ",\"state\":\"not-permitted\"") == std::string::npos;
        });
    };
    EXPECT_GT(naming(delivered(kCare)), 0) << "control: without a list the source is delivered";
    for (auto& s : settings_.sources)
        if (s.id == "unemployment") s.purposes = std::vector<config::NamedPurpose>{};
    run(30, 1);
    const Lines after = delivered(kCare);
    EXPECT_FALSE(after.empty());
    EXPECT_EQ(after, assembled(kCare));
    EXPECT_EQ(naming(after), 0);
}

}  // namespace
}  // namespace porta::pipeline
