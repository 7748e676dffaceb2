// The roles in one thread over a log in memory and SQLite: the same stage code as embedded gives the same account and the
// same operations, whatever is torn, repeated or taken over on the way.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "config/settings.h"
#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/gateway.h"
#include "pipeline/keys.h"
#include "pipeline/project.h"
#include "pipeline/read.h"
#include "pipeline/receive.h"
#include "pipeline/roles.h"
#include "pipeline/schema.h"
#include "synth/municipality.h"
#include "tests/support/folder.h"
#include "tests/support/memory_log.h"

namespace porta::pipeline {
namespace {

namespace fs = std::filesystem;

using support::Folder;

/// A lease that a test takes away.
struct TestLease : Lease {
    struct Row {
        int holder = 1, epoch = 1;
        void give(int to) {
            if (to != holder) ++epoch;
            holder = to;
        }
    };
    TestLease(const Row& row, int self) : row(row), self(self) {}
    const Row& row;
    int self, epoch = 0;
    Result<bool> hold() override {
        const bool lost = epoch && epoch != row.epoch;
        epoch = !lost && row.holder == self ? row.epoch : 0;
        return epoch != 0;
    }
    void check() override {
        if (!epoch || epoch != row.epoch) throw Failure{fail(Errc::unavailable, "lost", "lease.lost")};
    }
};

constexpr const char* kCare = "care-coordination";
const std::string kCareTopic = viewsTopic(kCare);

class Roles : public ::testing::Test {
protected:
    void SetUp() override {
        ::setenv("PORTA_LIBRARY", PORTA_ROOT "/mapping/library", 1);
        synth::Wish wish;
        wish.people = 40;
        wish.seed = 11;
        wish.out = town_.path.string();
        ASSERT_TRUE(synth::invent(wish));
        auto embedded = config::load((town_.path / "config").string(), (town_.path / "embedded").string(), {});
        ASSERT_TRUE(embedded) << embedded.error().message;
        embedded_ = *embedded;
        settings_ = embedded_;
        settings_.poll_ms = 1;
        settings_.state = (town_.path / "roles").string();
        settings_.store_path = settings_.state + "/porta.db";
        fs::create_directories(settings_.state);
        {
            auto gateway = Gateway::open(embedded_);
            ASSERT_TRUE(gateway) << gateway.error().message;
            ASSERT_TRUE((*gateway)->ingestAll("", {}));
        }
        World world = open(1);
        ASSERT_TRUE(migrate(*world.store));
    }

    World open(int self) {
        World w;
        w.clock = openClock(settings_);
        w.store = std::move(*openSqlite(settings_.store_path, false));
        w.keys = std::move(
            *openKeys(std::move(*openSqlite(settings_.state + "/keys.db", false)), settings_.key_file, false));
        w.log = std::make_unique<test::MemoryLog>(topics_);
        w.lease = std::make_unique<TestLease>(lease_, self);
        return w;
    }

    /// Steps of random roles, thrown away and opened again after a failure, until nothing is left to do.
    void run(unsigned seed, int resolvers, int most = 1 << 20) {
        std::mt19937 random(seed);
        struct Slot {
            std::string name;
            int self;
            std::unique_ptr<Role> role;
        };
        std::vector<Slot> slots;
        for (const char* name : {"connect", "map", "map", "project"}) slots.push_back({name, 0, nullptr});
        for (int i = 1; i <= resolvers; ++i) slots.push_back({"resolve", i, nullptr});
        for (int quiet = 0; quiet < 40 && most > 0; --most) {
            Slot& slot = slots[random() % slots.size()];
            if (!slot.role) {
                auto opened = openRole(slot.name, settings_, metrics_, open(slot.self));
                ASSERT_TRUE(opened) << opened.error().message;
                slot.role = std::move(*opened);
            }
            auto did = slot.role->step();
            if (!did || random() % 20 == 0) slot.role.reset();
            quiet = did && !*did ? quiet + 1 : 0;
            if (resolvers > 1 && random() % 10 == 0)
                lease_.give(1 + static_cast<int>(random() % static_cast<unsigned>(resolvers)));
        }
    }

    /// Everything that views are computed from: each raw record's state and operations, by its digest and place.
    static std::multimap<std::string, std::string> content(const config::Settings& settings) {
        std::multimap<std::string, std::string> out;
        auto reader = Reader::open(settings);
        EXPECT_TRUE(reader);
        if (!reader) return out;
        (*reader)->eachRaw([&](const RawRow& row) {
            const KnownObject& object = (*reader)->objectOf(row.object);
            auto operations = (*reader)->operations(row);
            EXPECT_TRUE(operations);
            std::string text(name(row.state));
            for (schemas::Operation& op : *operations) {
                // Object numbers differ with the order of arrival; they order nothing but arrival itself.
                if (op.version.order == schemas::Order::arrival) op.version.parts.clear();
                text += schemas::encode({op});
            }
            out.emplace(object.row.source + object.meta.path + std::to_string(row.position), text);
        });
        return out;
    }

    /// Which records are one person, without the numbers that persons have.
    static std::set<std::vector<std::string>> partition(const config::Settings& settings) {
        std::set<std::vector<std::string>> out;
        auto reader = Reader::open(settings);
        EXPECT_TRUE(reader);
        Records records = (*reader)->load(0);
        for (const auto& person : records.persons) {
            std::vector<std::string> keys;
            for (const auto& r : person.records)
                if (r.live) keys.push_back(r.key.text());
            std::sort(keys.begin(), keys.end());
            if (!keys.empty()) out.insert(keys);
        }
        return out;
    }

    void expectSame() {
        EXPECT_EQ(content(settings_), content(embedded_));
        EXPECT_EQ(partition(settings_), partition(embedded_));
        auto reader = Reader::open(settings_);
        ASSERT_TRUE(reader);
        EXPECT_EQ(print(*(*reader)->account().find("balanced")), "true");
        EXPECT_EQ((*reader)->status().text("state"), "quiet") << print((*reader)->status());
    }

    /// What the purposes say from the next role on.
    void write(const std::string& purposes) {
        std::ofstream(settings_.directory + "/purposes.yaml") << purposes << "users: {}\n";
    }
    policy::Purpose purpose(const std::string& id) {
        auto purposes = loadPurposes(settings_);
        EXPECT_TRUE(purposes);
        return *purposes->purpose(id);
    }

    /// Person → line of the newest view in the topic, with today's times; and as a reader would get it assembled.
    using Lines = std::map<std::int64_t, std::string>;
    Lines delivered(const std::string& id) {
        Lines out;
        World w = open(0);
        auto receiver = Receiver::over(settings_, purpose(id), *w.store, *w.keys, *w.log);
        EXPECT_TRUE(receiver) << receiver.error().message;
        if (!receiver) return out;
        auto [sources, as_of] = times();
        for (bool some = true; some;) {
            auto messages = (*receiver)->poll(0);
            EXPECT_TRUE(messages);
            some = messages && !messages->empty();
            for (const ViewMessage& m : *messages) {
                auto line = (*receiver)->line(m);
                EXPECT_TRUE(line) << line.error().message;
                out.erase(m.person);
                if (line->empty()) continue;
                auto view = parseJson(*line);
                EXPECT_TRUE(view);
                views::joinTimes(*view, viewOf(purpose(id)), sources, as_of);
                out[m.person] = print(*view);
            }
        }
        EXPECT_TRUE((*receiver)->complete());
        return out;
    }
    Lines assembled(const std::string& id) {
        Lines out;
        auto reader = Reader::open(settings_);
        EXPECT_TRUE(reader);
        auto [sources, as_of] = times();
        Records records = (*reader)->load(0);
        for (const auto& p : records.persons) {
            auto view = views::assemble(personText(p.person), p.records, viewOf(purpose(id)), sources, as_of);
            if (view.visible) out[p.person] = print(views::toJson(view));
        }
        return out;
    }
    std::pair<std::vector<views::SourceFacts>, std::int64_t> times() {
        auto reader = Reader::open(settings_);
        EXPECT_TRUE(reader);
        std::pair<std::vector<views::SourceFacts>, std::int64_t> out{sourceFacts(settings_), 0};
        for (auto& s : out.first) {
            s.newest_instant = (*reader)->newestOf(s.id);
            out.second = std::max(out.second, s.newest_instant);
        }
        return out;
    }
    std::size_t messagesOf(const std::string& topic) {
        std::size_t n = 0;
        for (const auto& [partition, messages] : topics_.topics[topic]) n += messages.size();
        return n;
    }
    std::int64_t count(const std::string& sql) {
        std::int64_t n = 0;
        auto store = openSqlite(settings_.store_path, true);
        (*store)->query(sql, {}, [&](const Row& r) { n = r.integer(0); });
        return n;
    }

    Folder town_;
    config::Settings embedded_, settings_;
    Metrics metrics_;
    test::MemoryTopics topics_;
    TestLease::Row lease_;
};

TEST_F(Roles, giveWhatTheGatewayGives) {
    run(1, 1);
    expectSame();
}

TEST_F(Roles, tornAppendsLoseAndDoubleNothing) {
    std::mt19937 random(5);
    int torn = 0;
    topics_.tear = [&] { return random() % 4 == 0 && ++torn < 60; };
    run(2, 1);
    EXPECT_GT(torn, 10);
    topics_.tear = nullptr;
    run(3, 1);
    expectSame();
    EXPECT_EQ(delivered(kCare), assembled(kCare));
}

TEST_F(Roles, aLeaseThatWandersLosesNothing) {
    run(4, 3);
    expectSame();
    // Control: the fence was really met.
    EXPECT_NE(metrics_.text().find("porta_resolve_leases_total"), std::string::npos);
}

TEST_F(Roles, whoGetsTheLeaseBackLoadsAgain) {
    auto leases = [&] {
        const std::string text = metrics_.text(), name = "porta_resolve_leases_total ";
        std::size_t at = text.rfind(name);
        return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + name.size());
    };
    auto resolve = openRole("resolve", settings_, metrics_, open(1));
    ASSERT_TRUE(resolve);
    ASSERT_TRUE((*resolve)->step());
    EXPECT_EQ(leases(), 1);
    // Another one has written meanwhile, and is gone: what this one holds in memory is old.
    lease_.give(2);
    lease_.give(1);
    ASSERT_TRUE((*resolve)->step());
    ASSERT_TRUE((*resolve)->step());
    EXPECT_EQ(leases(), 2);
}

TEST_F(Roles, theSameMessagesAgainChangeNothing) {
    run(6, 1);
    auto before = content(settings_);
    auto persons = partition(settings_);
    for (auto& [topic, partitions] : topics_.topics)
        for (auto& [partition, messages] : partitions) {
            auto again = messages;
            messages.insert(messages.end(), again.begin(), again.end());
        }
    run(7, 1);
    EXPECT_EQ(content(settings_), before);
    EXPECT_EQ(partition(settings_), persons);
}

TEST_F(Roles, aFullStoreRefusesNoFile) {
    World world = open(0);
    Store& store = *world.store;
    auto connect = openRole("connect", settings_, metrics_, std::move(world));
    ASSERT_TRUE(connect) << connect.error().message;
    store.run("PRAGMA max_page_count=1");  // no more than it has
    auto did = (*connect)->step();
    ASSERT_FALSE(did);
    EXPECT_EQ(did.error().code, Errc::unavailable);
    EXPECT_EQ(did.error().rule, "store.full");
    EXPECT_EQ(metrics_.text().find("porta_connect_refused_objects_total"), std::string::npos) << metrics_.text();
    store.run("PRAGMA max_page_count=1000000");
    did = (*connect)->step();
    ASSERT_TRUE(did) << did.error().message;
    EXPECT_TRUE(*did) << "the same process takes the file once there is room";
}

TEST_F(Roles, aCopyThatFinishesAnObjectIsCountedToo) {
    // The first file of the first source is the first that is read.
    std::vector<fs::path> files;
    for (const auto& f : fs::recursive_directory_iterator(town_.path / "feeds"))
        if (f.is_regular_file()) files.push_back(f.path());
    const fs::path file = *std::min_element(files.begin(), files.end());
    const auto rows = [&](int state) {
        return count("SELECT COUNT(*) FROM object WHERE source = '" + file.parent_path().filename().string() +
                     "' AND state = " + std::to_string(state));
    };
    auto connect = openRole("connect", settings_, metrics_, open(0));
    ASSERT_TRUE(connect) << connect.error().message;
    topics_.tear = [] { return true; };
    ASSERT_FALSE((*connect)->step());
    ASSERT_EQ(rows(0), 1) << "registered, and not in the log";
    topics_.tear = nullptr;
    // Named so that it comes first: its bytes finish the object.
    const std::int64_t copies = rows(2);
    fs::copy_file(file, file.parent_path() / ("0" + file.filename().string()));
    while (true) {
        auto did = (*connect)->step();
        ASSERT_TRUE(did) << did.error().message;
        if (!*did) break;
    }
    EXPECT_GT(rows(2), copies) << "the copy is a delivery of its own";
}

TEST_F(Roles, controlALostMessageIsSeen) {
    run(8, 1);
    // The comparison notices one record that is missing.
    auto store = openSqlite(settings_.store_path, false);
    ASSERT_TRUE(store);
    (*store)->run("DELETE FROM operation WHERE raw = (SELECT MAX(raw) FROM operation WHERE length(box) > 0)");
    EXPECT_NE(content(settings_), content(embedded_));
}

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
