// The roles in one thread over a log in memory and SQLite: the same stage code as embedded gives the same account and the
// same operations, whatever is torn, repeated or taken over on the way.
#include "tests/unit/pipeline/roles_fixture.h"

namespace porta::pipeline {
namespace {

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

}  // namespace
}  // namespace porta::pipeline
