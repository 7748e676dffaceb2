// Who may push, and what a crowd is told.
#include "connectors/door.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace porta::connectors {
namespace {

using Kind = Reply::Kind;
using namespace std::chrono_literals;

class Doors : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "porta_door_XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        std::ofstream(token()) << "open-sesame\nsecond line\n";
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    std::string token() const { return root_ + "/token"; }

    std::string root_;
};

TEST_F(Doors, aTokenOpensItsSourceOnly) {
    int delivered = 0;
    Queue queue;
    Door door({{"open", std::nullopt}, {"safe", token()}, {"lost", root_ + "/none"}}, queue,
              [&](const std::string&, std::string) -> Result<std::int64_t> { return std::int64_t{++delivered}; });
    const struct {
        const char *source, *token;
        std::optional<Errc> refused;
    } cases[] = {
        {"safe", "open-sesame", {}},
        {"open", "", {}},
        {"safe", "open-sesama", Errc::denied},
        {"safe", "open-sesame\nsecond line", Errc::denied},
        {"safe", "", Errc::denied},
        {"lost", "", Errc::denied},
        {"other", "open-sesame", Errc::not_found},
    };
    for (const auto& c : cases) {
        auto admitted = door.admit(c.source, c.token);
        EXPECT_EQ(admitted.has_value(), !c.refused) << c.source << " " << c.token;
        if (c.refused && !admitted) {
            EXPECT_EQ(admitted.error().code, *c.refused) << c.source;
        }
    }
    EXPECT_EQ(door.push("safe", "x").raw_records, 1);
    EXPECT_EQ(door.push("other", "x").kind, Kind::refused);
    EXPECT_EQ(delivered, 1);
    std::ofstream(token()) << "changed\n";
    EXPECT_TRUE(door.admit("safe", "changed").has_value());
    EXPECT_FALSE(door.admit("safe", "open-sesame").has_value());
}

TEST_F(Doors, whatDeliveryRefusesTheSenderIsTold) {
    Queue queue;
    Door door({{"open", std::nullopt}}, queue, [](const std::string&, std::string) -> Result<std::int64_t> {
        return fail(Errc::exhausted, "too large", "test");
    });
    Reply reply = door.push("open", "x");
    EXPECT_EQ(reply.kind, Kind::refused);
    EXPECT_EQ(reply.error.code, Errc::exhausted);
}

TEST_F(Doors, aCrowdIsBusyAndTheOthersComeInTurn) {
    Queue queue(2);
    std::atomic<bool> go = false, inside = false;
    std::atomic<int> at_once = 0, most = 0, durable = 0, busy = 0;
    Door door({{"open", std::nullopt}}, queue, [&](const std::string&, std::string) -> Result<std::int64_t> {
        most = std::max(most.load(), ++at_once);
        inside = true;
        while (!go) std::this_thread::sleep_for(1ms);
        --at_once;
        return std::int64_t{1};
    });
    auto push = [&] { ++(door.push("open", "x").kind == Kind::busy ? busy : durable); };
    std::vector<std::thread> senders;
    senders.emplace_back(push);
    while (!inside) std::this_thread::sleep_for(1ms);
    for (int i = 0; i < 6; ++i) senders.emplace_back(push);
    // One is inside, two may wait: four are told to come again, while nobody has left.
    while (busy < 4) std::this_thread::sleep_for(1ms);
    go = true;
    for (auto& s : senders) s.join();
    EXPECT_EQ(busy, 4);
    EXPECT_EQ(durable, 3);
    EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace porta::connectors
