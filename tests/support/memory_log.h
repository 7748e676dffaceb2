#pragma once
/// A Log in memory for tests of the roles: three partitions a topic, what was appended stays, and on wish messages come
/// twice, as after a rebalance.
#include <functional>
#include <memory>

#include "pipeline/store.h"

namespace porta::test {

using pipeline::Log;
using pipeline::LogReader;
using pipeline::Message;

class MemoryTopics {
public:
    static constexpr std::int32_t kPartitions = 3;
    std::map<std::string, std::map<std::int32_t, std::vector<Message>>> topics;
    std::map<std::string, std::map<std::pair<std::string, std::int32_t>, std::size_t>> committed;  ///< by group
    /// Asked before an append; true: the half of it lands and the append fails.
    std::function<bool()> tear;
    /// Shown what is about to be appended.
    std::function<void(const std::vector<Message>&)> watch;
};

class MemoryReader : public LogReader {
public:
    MemoryReader(MemoryTopics& all, std::string group, std::vector<std::string> topics,
                 std::map<std::pair<std::string, std::int32_t>, std::size_t> next)
        : all_(all), group_(std::move(group)), topics_(std::move(topics)), next_(std::move(next)) {}
    Result<std::vector<Message>> poll(std::size_t max, int) override {
        std::vector<Message> out;
        for (const std::string& t : topics_)
            for (auto& [partition, messages] : all_.topics[t])
                for (std::size_t& at = next_[{t, partition}]; at < messages.size() && out.size() < max; ++at) {
                    out.push_back(messages[at]);
                    out.back().partition = partition;
                    out.back().offset = static_cast<std::int64_t>(at);
                }
        return out;
    }
    Result<void> commit() override {
        all_.committed[group_] = next_;
        return {};
    }

private:
    MemoryTopics& all_;
    std::string group_;
    std::vector<std::string> topics_;
    std::map<std::pair<std::string, std::int32_t>, std::size_t> next_;
};

class MemoryLog : public Log {
public:
    explicit MemoryLog(MemoryTopics& all) : all_(all) {}
    Result<void> append(const std::vector<Message>& messages) override {
        if (all_.watch) all_.watch(messages);
        bool torn = all_.tear && all_.tear();
        std::size_t n = torn ? messages.size() / 2 : messages.size();
        for (std::size_t i = 0; i < n; ++i) {
            auto partition =
                static_cast<std::int32_t>(static_cast<std::uint64_t>(messages[i].key) % MemoryTopics::kPartitions);
            all_.topics[messages[i].topic][partition].push_back(messages[i]);
        }
        if (torn) return fail(Errc::unavailable, "torn", "test.torn");
        return {};
    }
    Result<std::unique_ptr<LogReader>> share(const std::string& group,
                                             const std::vector<std::string>& topics) override {
        return std::unique_ptr<LogReader>(std::make_unique<MemoryReader>(all_, group, topics, all_.committed[group]));
    }
    Result<std::unique_ptr<LogReader>> read(const std::string& topic,
                                            const std::map<std::int32_t, std::int64_t>& positions) override {
        std::map<std::pair<std::string, std::int32_t>, std::size_t> next;
        for (const auto& [p, at] : positions) next[{topic, p}] = static_cast<std::size_t>(at);
        return std::unique_ptr<LogReader>(std::make_unique<MemoryReader>(all_, "", std::vector{topic}, next));
    }

private:
    MemoryTopics& all_;
};

}  // namespace porta::test
