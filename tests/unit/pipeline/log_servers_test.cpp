// The Log over a real Kafka.
#include "pipeline/kafka/kafka_log.h"
#include "tests/unit/pipeline/real_servers.h"

namespace porta::pipeline {
namespace {

using namespace std::chrono_literals;

config::KafkaSettings kafka() {
    config::KafkaSettings s;
    s.brokers = environment("PORTA_TEST_KAFKA");
    s.replication = 1;
    s.session_timeout_ms = 6000;
    return s;
}

std::unique_ptr<Log> openLog() {
    auto log = openKafka(kafka());
    EXPECT_TRUE(log);
    return std::move(*log);
}

/// A topic of each test's own.
std::string freshTopic(int partitions = 3, bool large = true) {
    static int n = 0;
    std::vector<TopicPlan> plan{{"trial." + std::to_string(::getpid()) + "." + std::to_string(n++), partitions, {}, 0}};
    if (large) plan[0].properties = {{"max.message.bytes", "16777216"}};
    auto made = createTopics(kafka(), plan);
    EXPECT_TRUE(made) << made.error().message;
    return plan[0].name;
}

std::vector<Message> numbered(const std::string& topic, int from, int to) {
    std::vector<Message> out;
    for (int i = from; i < to; ++i) {
        Message m;
        m.topic = topic;
        m.key = (i % 17) * 0x0101010101010101 - 5;
        m.value = std::to_string(i);
        out.push_back(std::move(m));
    }
    return out;
}

std::vector<Message> polled(LogReader& reader, int wait_ms) {
    auto got = reader.poll(1000, wait_ms);
    EXPECT_TRUE(got) << got.error().message;
    return got ? std::move(*got) : std::vector<Message>{};
}

/// Polls until so many have come, and once more for what should not come.
std::vector<Message> drain(LogReader& reader, std::size_t expected) {
    std::vector<Message> out;
    auto until = std::chrono::steady_clock::now() + 20s;
    for (bool once_more = true; once_more;) {
        once_more = out.size() < expected && std::chrono::steady_clock::now() < until;
        for (Message& m : polled(reader, once_more ? 200 : 700)) out.push_back(std::move(m));
    }
    return out;
}

TEST(KafkaLog, readsBackInOrderFromTheStartAndFromPositions) {
    const std::string topic = freshTopic();
    auto log = openLog();
    ASSERT_TRUE(log->append(numbered(topic, 0, 300)));
    ASSERT_TRUE(log->append(numbered(topic, 300, 500)));
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    auto all = drain(**reader, 500);
    ASSERT_EQ(all.size(), 500u);
    std::map<std::int32_t, std::int64_t> next;
    std::map<std::int64_t, std::pair<std::int32_t, int>> last;  // key → partition, newest number
    for (const Message& m : all) {
        EXPECT_EQ(m.topic, topic);
        EXPECT_EQ(m.offset, next[m.partition]++);
        auto [at, fresh] = last.emplace(m.key, std::pair{m.partition, -1});
        EXPECT_EQ(at->second.first, m.partition);
        EXPECT_GT(std::stoi(m.value), at->second.second);
        at->second.second = std::stoi(m.value);
        EXPECT_EQ(m.key, (std::stoi(m.value) % 17) * 0x0101010101010101 - 5);
    }
    EXPECT_EQ(next.size(), 3u);
    EXPECT_EQ(last.size(), 17u);
    // From positions: what comes before them does not come; a partition without one starts at its first.
    std::map<std::int32_t, std::int64_t> positions{{0, next[0] / 2}, {1, next[1]}};
    auto again = log->read(topic, positions);
    ASSERT_TRUE(again);
    const auto expected = static_cast<std::size_t>(next[0] - next[0] / 2 + next[2]);
    auto some = drain(**again, expected);
    EXPECT_EQ(some.size(), expected);
    for (const Message& m : some) EXPECT_GE(m.offset, m.partition == 2 ? 0 : positions[m.partition]);
    EXPECT_TRUE(drain(**again, 0).empty());
}

TEST(KafkaLog, aGroupSharesAndASuccessorGetsWhatWasNotCommitted) {
    const std::string topic = freshTopic(4);
    auto log = openLog();
    std::map<std::string, int> seen;
    std::size_t of_each[2] = {0, 0};
    {
        auto a = log->share("g." + topic, {topic}), b = log->share("g." + topic, {topic});
        ASSERT_TRUE(a && b);
        LogReader* members[2] = {a->get(), b->get()};
        // One after the other until both have partitions: each must poll for the group to be shared out.
        int sent = 0;
        auto until = std::chrono::steady_clock::now() + 30s;
        while ((!of_each[0] || !of_each[1]) && std::chrono::steady_clock::now() < until) {
            ASSERT_TRUE(log->append(numbered(topic, sent, sent + 20)));
            sent += 20;
            for (int i = 0; i < 2; ++i)
                for (const Message& m : polled(*members[i], 200)) ++seen[m.value], ++of_each[i];
        }
        EXPECT_TRUE(of_each[0] && of_each[1]);
        ASSERT_TRUE(log->append(numbered(topic, sent, sent + 200)));
        sent += 200;
        for (int quiet = 0; quiet < 5;) {
            std::size_t before = seen.size();
            for (int i = 0; i < 2; ++i)
                for (const Message& m : polled(*members[i], 200)) ++seen[m.value], ++of_each[i];
            quiet = seen.size() == before ? quiet + 1 : 0;
        }
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(sent));
    }
    // Nothing was committed: all of it comes again.
    {
        auto successor = log->share("g." + topic, {topic});
        ASSERT_TRUE(successor);
        EXPECT_EQ(drain(**successor, seen.size()).size(), seen.size());
        ASSERT_TRUE((*successor)->commit());
    }
    // Committed: none of it does, but what is new.
    ASSERT_TRUE(log->append(numbered(topic, 900000, 900010)));
    auto third = log->share("g." + topic, {topic});
    ASSERT_TRUE(third);
    auto fresh = drain(**third, 10);
    EXPECT_EQ(fresh.size(), 10u);
    for (const Message& m : fresh) EXPECT_GE(std::stoi(m.value), 900000);
    // Control: another group starts at the first message.
    auto other = log->share("other." + topic, {topic});
    ASSERT_TRUE(other);
    EXPECT_EQ(drain(**other, seen.size() + 10).size(), seen.size() + 10);
}

TEST(KafkaLog, losesNothingWhenItsBrokerIsKilled) {
    const std::string topic = freshTopic();
    auto log = openLog();
    std::atomic<bool> over = false;
    auto strike = std::async(std::launch::async, [&] {
        std::this_thread::sleep_for(300ms);
        tell("kill kafka");
        std::this_thread::sleep_for(500ms);
        tell("start kafka");
        over = true;
    });
    int sent = 0, failed = 0;
    for (int after = 0; after < 3;) {
        auto batch = numbered(topic, sent, sent + 100);
        for (int tries = 0;; ++tries) {
            auto done = log->append(batch);
            if (done) break;
            ++failed;
            EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().message;
            ASSERT_LT(tries, 20);
        }
        sent += 100;
        after += over;
    }
    strike.get();
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    std::map<std::string, int> times;
    auto until = std::chrono::steady_clock::now() + 60s;
    while (times.size() < static_cast<std::size_t>(sent) && std::chrono::steady_clock::now() < until)
        if (auto got = (*reader)->poll(2000, 300))
            for (const Message& m : *got) ++times[m.value];
    EXPECT_EQ(times.size(), static_cast<std::size_t>(sent));
    int twice = 0;
    for (const auto& [value, n] : times) twice += n > 1;
    // A message that comes again belongs to an append that failed.
    EXPECT_LE(twice, failed * 100);
    std::cout << "  " << sent << " messages, " << failed << " appends failed, " << twice << " messages twice\n";
}

TEST(KafkaLog, anAppendFailsInTimeWhenTheBrokerStaysAway) {
    const std::string topic = freshTopic();
    auto settings = kafka();
    settings.message_timeout_ms = 1000;
    auto log = openKafka(settings);
    ASSERT_TRUE(log && (*log)->append(numbered(topic, 0, 50)));
    tell("kill kafka");
    auto before = std::chrono::steady_clock::now();
    auto done = (*log)->append(numbered(topic, 50, 100));
    auto took = std::chrono::steady_clock::now() - before;
    tell("start kafka");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().message;
    EXPECT_GE(took, 900ms);
    EXPECT_LT(took, 8s);
    // The same log goes on. What failed is appended again, and is in the log once or twice: whoever reads knows repeats.
    bool again = false;
    for (int tries = 0; !again && tries < 20; ++tries) again = bool((*log)->append(numbered(topic, 50, 100)));
    ASSERT_TRUE(again);
    auto reader = (*log)->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    std::map<std::string, int> times;
    for (const Message& m : drain(**reader, 100)) ++times[m.value];
    EXPECT_EQ(times.size(), 100u);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(times[std::to_string(i)], 1) << i;
}

TEST(KafkaLog, aPrefixKeepsGatewaysApart) {
    const std::string whole = freshTopic(1), topic = whole.substr(whole.find('.') + 1);
    auto settings = kafka();
    settings.prefix = whole.substr(0, whole.size() - topic.size());
    auto log = openKafka(settings);
    ASSERT_TRUE(log && (*log)->append(numbered(topic, 0, 5)));
    for (bool prefixed : {true, false}) {
        auto other = openLog();
        auto reader = prefixed ? (*log)->share("g", {topic}) : other->read(whole, {});
        ASSERT_TRUE(reader) << reader.error().message;
        auto got = drain(**reader, 5);
        ASSERT_EQ(got.size(), 5u);
        EXPECT_EQ(got[0].topic, prefixed ? topic : whole);
        ASSERT_TRUE((*reader)->commit());
    }
}

TEST(KafkaLog, tenMebibytesPass) {
    std::string large(10u << 20, 'x');
    for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>(i);
    const std::string topic = freshTopic(), small = freshTopic(1, false);
    auto log = openLog();
    auto done = log->append({{topic, 1, large}});
    ASSERT_TRUE(done) << done.error().message;
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader);
    auto got = drain(**reader, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_TRUE(got[0].value == large);
    // Control: a topic without that setting refuses it, and says which.
    auto refused = log->append({{small, 1, large}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::misconfigured);
    EXPECT_NE(refused.error().message.find(small), std::string::npos) << refused.error().message;
    EXPECT_TRUE(log->append({{small, 1, "little"}}));
}

TEST(KafkaLog, topicsAreMadeOnce) {
    std::vector<TopicPlan> plan{{freshTopic(2), 5, {}, 0}, {"fresh." + std::to_string(::getpid()), 2, {}, 0}};
    ASSERT_TRUE(describeTopics(kafka(), plan));
    EXPECT_EQ(plan[0].existing, 2);
    EXPECT_EQ(plan[1].existing, 0);
    for (int i = 0; i < 2; ++i) {
        auto made = createTopics(kafka(), plan);  // the second time with a plan that is out of date
        EXPECT_TRUE(made) << made.error().message;
    }
    ASSERT_TRUE(describeTopics(kafka(), plan));
    EXPECT_EQ(plan[0].existing, 2);
    EXPECT_EQ(plan[1].existing, 2);
}

TEST(KafkaLog, aMissingTopicIsNamed) {
    const std::string missing = "nobody.made.this";
    auto log = openLog();
    auto expectNamed = [&](const Error& e) {
        EXPECT_EQ(e.code, Errc::unavailable);
        EXPECT_EQ(e.rule, "log.topic") << e.message;
        EXPECT_NE(e.message.find(missing), std::string::npos) << e.message;
    };
    auto appended = log->append({{missing, 1, "x"}});
    ASSERT_FALSE(appended);
    expectNamed(appended.error());
    auto read = log->read(missing, {});
    ASSERT_FALSE(read);
    expectNamed(read.error());
    auto shared = log->share("g", {freshTopic(), missing});
    ASSERT_FALSE(shared);
    expectNamed(shared.error());
    // The log goes on with topics that exist.
    EXPECT_TRUE(log->append({{freshTopic(), 1, "x"}}));
}

TEST(KafkaLog, aPropertyThatNobodyKnowsIsNamed) {
    auto settings = kafka();
    settings.security = {{"sasl.unheard.of", "x"}};
    auto log = openKafka(settings);
    ASSERT_TRUE(log);
    auto done = (*log)->append({{"t", 1, "x"}});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::misconfigured);
    EXPECT_NE(done.error().message.find("sasl.unheard.of"), std::string::npos);
}

TEST(KafkaLog, anAbsentBrokerIsUnavailable) {
    auto settings = kafka();
    settings.brokers = "127.0.0.1:1";
    std::vector<TopicPlan> plan{{"t", 1, {}, 0}};
    auto done = describeTopics(settings, plan);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace porta::pipeline
