#include "pipeline/kafka/kafka_log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "pipeline/kafka/kafka_handles.h"

namespace porta::pipeline {

namespace {

/// Raw records up to this size travel whole (docs/decisions/0009).
constexpr const char* kMessageBytes = "16777216";
constexpr int kAskMs = 5000, kSocketMs = 10000;

Error unreachable(rd_kafka_resp_err_t err) {
    return fail(Errc::unavailable,
                std::string("Kafka does not answer (") + rd_kafka_err2name(err) +
                    "); check log.kafka.brokers and that the brokers run",
                "log.kafka");
}

Error missing(const std::string& topic) {
    return fail(Errc::unavailable, "topic " + topic + " is missing; `porta topics apply` makes it", "log.topic");
}

/// What the log says to a message; it names the topic that is missing, and does not blame the network for a size.
Error refused(rd_kafka_resp_err_t err, const std::string& topic) {
    switch (err) {
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return missing(topic);
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
            return fail(
                Errc::misconfigured,
                "a message is larger than topic " + topic + " takes; give it max.message.bytes=" + kMessageBytes,
                "log.topic");
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            return fail(Errc::unavailable,
                        "the position in topic " + topic +
                            " is not in the log, or the group's coordinator did not say it; it is asked again. If this "
                            "stays, the topic has lost messages: look at its retention.ms (`porta topics plan`)",
                        "log.position");
        default: return unreachable(err);
    }
}

using Properties = std::vector<std::pair<std::string, std::string>>;

/// A connection whose other end is gone without a word is noticed by the kernel: while we wait for what may take long, as the
/// other members of a group, the library's own timeouts are as long.
int watchedSocket(int domain, int type, int protocol, void*) {
    const int fd = ::socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) return fd;
    auto set = [&](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, kSocketMs / 1000);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, kSocketMs + 15000);
    return fd;
}

/// Errors: misconfigured, naming the property.
Result<KafkaHandle<rd_kafka_conf_t>> configure(const config::KafkaSettings& settings, const Properties& properties) {
    KafkaHandle<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    Properties all{{"bootstrap.servers", settings.brokers},
                   {"client.id", "porta"},
                   {"log_level", "2"},
                   {"message.max.bytes", kMessageBytes},
                   {"socket.timeout.ms", std::to_string(std::min(kSocketMs, settings.message_timeout_ms))},
                   {"reconnect.backoff.max.ms", "1000"}};
    all.insert(all.end(), settings.security.begin(), settings.security.end());
    all.insert(all.end(), properties.begin(), properties.end());
    for (const auto& [name, value] : all) {
        char text[256];
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
            return fail(Errc::misconfigured, "log.kafka: librdkafka refuses `" + name + "`", "log.kafka");
    }
    // Lines of the library about lost connections say nothing that our own errors do not say.
    rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    rd_kafka_conf_set_socket_cb(conf.get(), watchedSocket);
    return conf;
}

Result<KafkaHandle<rd_kafka_t>> start(rd_kafka_type_t type, KafkaHandle<rd_kafka_conf_t> conf) {
    char text[512];
    KafkaHandle<rd_kafka_t> kafka(rd_kafka_new(type, conf.get(), text, sizeof text));
    if (!kafka && rd_kafka_last_error() == RD_KAFKA_RESP_ERR__INVALID_ARG)
        return fail(Errc::misconfigured, "log.kafka: librdkafka does not start with these settings", "log.kafka");
    if (!kafka)
        return fail(Errc::unavailable, "librdkafka does not start now: no thread, memory or descriptor is left for it",
                    "log.kafka");
    (void)conf.release();  // taken over by rd_kafka_new
    return kafka;
}

std::int64_t fromBytes(const void* key, std::size_t size) {
    std::int64_t n = 0;
    if (size == sizeof n) std::memcpy(&n, key, sizeof n);
    return n;
}

class KafkaReader : public LogReader {
public:
    KafkaReader(KafkaHandle<rd_kafka_t> kafka, bool shared, std::size_t prefix)
        : kafka_(std::move(kafka)), shared_(shared), prefix_(prefix) {
        rd_kafka_poll_set_consumer(kafka_.get());
    }
    ~KafkaReader() override {
        // Leaves the group, so that its partitions go to the others at once.
        if (shared_) rd_kafka_consumer_close(kafka_.get());
    }
    rd_kafka_t* handle() { return kafka_.get(); }

    Result<std::vector<Message>> poll(std::size_t max, int wait_ms) override {
        std::vector<Message> messages;
        auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
        while (messages.size() < max) {
            auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            if (left.count() < 0) break;
            // Once something is there, what follows at once is taken along.
            int wait = messages.empty() ? static_cast<int>(left.count()) : 1;
            KafkaHandle<rd_kafka_message_t> m(rd_kafka_consumer_poll(kafka_.get(), wait));
            if (!m) {
                if (!messages.empty()) break;
                continue;
            }
            switch (m->err) {
                case RD_KAFKA_RESP_ERR_NO_ERROR: break;
                // The library goes on trying by itself.
                case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                case RD_KAFKA_RESP_ERR__TRANSPORT:
                case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                case RD_KAFKA_RESP_ERR__TIMED_OUT:
                case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: continue;
                default:
                    if (messages.empty()) return refused(m->err, m->rkt ? rd_kafka_topic_name(m->rkt) : "");
                    continue;
            }
            Message out;
            const char* topic = rd_kafka_topic_name(m->rkt);
            out.topic = topic + prefix_;
            out.key = fromBytes(m->key, m->key_len);
            out.value.assign(static_cast<const char*>(m->payload), m->len);
            out.partition = m->partition;
            out.offset = m->offset;
            next_[{topic, out.partition}] = out.offset + 1;
            messages.push_back(std::move(out));
        }
        return messages;
    }

    Result<void> commit() override {
        if (next_.empty()) return {};
        KafkaHandle<rd_kafka_topic_partition_list_t> list(
            rd_kafka_topic_partition_list_new(static_cast<int>(next_.size())));
        for (const auto& [at, offset] : next_)
            rd_kafka_topic_partition_list_add(list.get(), at.first.c_str(), at.second)->offset = offset;
        next_.clear();
        // Without waiting: what is read once more is recognised by the store.
        rd_kafka_commit(kafka_.get(), list.get(), 1);
        return {};
    }

private:
    KafkaHandle<rd_kafka_t> kafka_;
    bool shared_;
    std::size_t prefix_;  ///< length of what stands before the names of our topics
    std::map<std::pair<std::string, std::int32_t>, std::int64_t> next_;
};

/// A partition that nobody of the group has read starts at its first message. `auto.offset.reset` is `error`: a position
/// that is no longer there must not be skipped.
void onRebalance(rd_kafka_t* kafka, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* partitions, void*) {
    if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(kafka, nullptr);
        return;
    }
    if (rd_kafka_committed(kafka, partitions, kAskMs) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (int i = 0; i < partitions->cnt; ++i)
            if (partitions->elems[i].offset < 0) partitions->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(kafka, partitions);
}

class KafkaLog : public Log {
public:
    explicit KafkaLog(config::KafkaSettings settings) : settings_(std::move(settings)) {}

    Result<void> append(const std::vector<Message>& messages) override {
        if (!producer_)
            if (auto r = startProducer(); !r) return r;
        // Lives on until every report has come or the producer is gone.
        Reports reports;
        std::string topic;
        for (const Message& m : messages) {
            topic.assign(settings_.prefix).append(m.topic);
            while (true) {
                rd_kafka_resp_err_t err = rd_kafka_producev(
                    producer_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(&m.key, sizeof m.key),
                    RD_KAFKA_V_VALUE(const_cast<char*>(m.value.data()), m.value.size()),
                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&reports), RD_KAFKA_V_END);
                if (err == RD_KAFKA_RESP_ERR_NO_ERROR) break;
                if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) return giveUp(reports, err, topic);
                rd_kafka_poll(producer_.get(), 100);
            }
            ++reports.waiting;
        }
        // The library itself fails each message in time; twice that is for one that does not come to it.
        auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2 * settings_.message_timeout_ms);
        while (reports.waiting > 0 && std::chrono::steady_clock::now() < until) rd_kafka_poll(producer_.get(), 100);
        if (reports.waiting > 0) return giveUp(reports, RD_KAFKA_RESP_ERR__TIMED_OUT, "");
        if (reports.failed != RD_KAFKA_RESP_ERR_NO_ERROR) return giveUp(reports, reports.failed, reports.topic);
        return {};
    }

    Result<std::unique_ptr<LogReader>> share(const std::string& group,
                                             const std::vector<std::string>& topics) override {
        auto kafka = consumer({{"group.id", settings_.prefix + group},
                               {"session.timeout.ms", std::to_string(settings_.session_timeout_ms)},
                               // How long the group waits for a member to join, and a member for the group.
                               {"max.poll.interval.ms", std::to_string(2 * settings_.session_timeout_ms)},
                               {"heartbeat.interval.ms", std::to_string(settings_.session_timeout_ms / 3)}});
        if (!kafka) return kafka.error();
        auto reader = std::make_unique<KafkaReader>(std::move(*kafka), true, settings_.prefix.size());
        std::vector<TopicPlan> plan;
        for (const std::string& t : topics) plan.push_back({settings_.prefix + t, 1, {}, 0});
        if (auto r = describe(reader->handle(), plan); !r) return r.error();
        for (const TopicPlan& t : plan)
            if (!t.existing) return missing(t.name);
        KafkaHandle<rd_kafka_topic_partition_list_t> list(
            rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
        for (const TopicPlan& t : plan)
            rd_kafka_topic_partition_list_add(list.get(), t.name.c_str(), RD_KAFKA_PARTITION_UA);
        if (auto err = rd_kafka_subscribe(reader->handle(), list.get())) return unreachable(err);
        return std::unique_ptr<LogReader>(std::move(reader));
    }

    Result<std::unique_ptr<LogReader>> read(const std::string& topic,
                                            const std::map<std::int32_t, std::int64_t>& positions) override {
        auto kafka = consumer({{"group.id", settings_.prefix + "porta.reader"}});
        if (!kafka) return kafka.error();
        auto reader = std::make_unique<KafkaReader>(std::move(*kafka), false, settings_.prefix.size());
        std::vector<TopicPlan> plan{{settings_.prefix + topic, 1, {}, 0}};
        if (auto r = describe(reader->handle(), plan); !r) return r.error();
        if (!plan[0].existing) return missing(plan[0].name);
        KafkaHandle<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(plan[0].existing));
        for (int p = 0; p < plan[0].existing; ++p) {
            auto at = positions.find(p);
            rd_kafka_topic_partition_list_add(list.get(), plan[0].name.c_str(), p)->offset =
                at == positions.end() ? RD_KAFKA_OFFSET_BEGINNING : at->second;
        }
        if (auto err = rd_kafka_assign(reader->handle(), list.get())) return unreachable(err);
        return std::unique_ptr<LogReader>(std::move(reader));
    }

    static Result<void> describe(rd_kafka_t* kafka, std::vector<TopicPlan>& topics) {
        const rd_kafka_metadata_t* raw = nullptr;
        if (auto err = rd_kafka_metadata(kafka, 1, nullptr, &raw, kAskMs)) return unreachable(err);
        KafkaHandle<const rd_kafka_metadata_t> metadata(raw);
        for (TopicPlan& t : topics)
            for (int i = 0; i < metadata->topic_cnt; ++i)
                if (t.name == metadata->topics[i].topic) t.existing = metadata->topics[i].partition_cnt;
        return {};
    }

private:
    struct Reports {
        std::int64_t waiting = 0;
        rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
        std::string topic;  ///< of the message that failed
    };

    config::KafkaSettings settings_;
    KafkaHandle<rd_kafka_t> producer_;

    static void onReport(rd_kafka_t*, const rd_kafka_message_t* m, void*) {
        auto* reports = static_cast<Reports*>(m->_private);
        --reports->waiting;
        if (!m->err) return;
        reports->failed = m->err;
        reports->topic = rd_kafka_topic_name(m->rkt);
    }

    Result<void> startProducer() {
        auto conf = configure(settings_, {{"enable.idempotence", "true"},
                                          {"acks", "all"},
                                          {"linger.ms", "1"},
                                          {"topic.metadata.propagation.max.ms", std::to_string(kAskMs)},
                                          {"partitioner", "murmur2_random"},
                                          {"message.timeout.ms", std::to_string(settings_.message_timeout_ms)},
                                          {"compression.type", "none"}});  // what is sealed does not get smaller
        if (!conf) return conf.error();
        rd_kafka_conf_set_dr_msg_cb(conf->get(), onReport);
        auto kafka = start(RD_KAFKA_PRODUCER, std::move(*conf));
        if (!kafka) return kafka.error();
        producer_ = std::move(*kafka);
        return {};
    }

    /// After a failure nobody knows what is in the log: a new producer, and the caller appends all of it again.
    Error giveUp(Reports& reports, rd_kafka_resp_err_t err, const std::string& topic) {
        rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        for (int i = 0; i < 100 && reports.waiting > 0; ++i) rd_kafka_poll(producer_.get(), 50);
        producer_.reset();
        return refused(err, topic);
    }

    Result<KafkaHandle<rd_kafka_t>> consumer(Properties properties) {
        properties.insert(properties.end(), {{"enable.auto.commit", "false"},
                                             {"enable.auto.offset.store", "false"},
                                             {"auto.offset.reset", "error"},
                                             {"check.crcs", "true"},
                                             {"isolation.level", "read_committed"},
                                             {"partition.assignment.strategy", "roundrobin,range"},
                                             {"fetch.wait.max.ms", "50"},
                                             {"fetch.message.max.bytes", "4194304"},
                                             {"receive.message.max.bytes", "100000000"},
                                             {"queued.max.messages.kbytes", "16384"}});
        auto conf = configure(settings_, properties);
        if (!conf) return conf.error();
        rd_kafka_conf_set_rebalance_cb(conf->get(), onRebalance);
        return start(RD_KAFKA_CONSUMER, std::move(*conf));
    }
};

Result<KafkaHandle<rd_kafka_t>> administrator(const config::KafkaSettings& settings) {
    auto conf = configure(settings, {});
    if (!conf) return conf.error();
    return start(RD_KAFKA_PRODUCER, std::move(*conf));
}

}  // namespace

Result<std::unique_ptr<Log>> openKafka(const config::KafkaSettings& settings) {
    return std::unique_ptr<Log>(std::make_unique<KafkaLog>(settings));
}

Result<void> describeTopics(const config::KafkaSettings& settings, std::vector<TopicPlan>& topics) {
    auto kafka = administrator(settings);
    if (!kafka) return kafka.error();
    return KafkaLog::describe(kafka->get(), topics);
}

Result<void> createTopics(const config::KafkaSettings& settings, const std::vector<TopicPlan>& topics) {
    auto kafka = administrator(settings);
    if (!kafka) return kafka.error();
    std::vector<KafkaHandle<rd_kafka_NewTopic_t>> owned;
    std::vector<rd_kafka_NewTopic_t*> wanted;
    for (const TopicPlan& t : topics) {
        if (t.existing) continue;
        char text[256];
        owned.emplace_back(
            rd_kafka_NewTopic_new(t.name.c_str(), t.partitions, settings.replication, text, sizeof text));
        if (!owned.back())
            return fail(Errc::misconfigured, "topic " + t.name + " cannot be asked for: " + text, "log.topic");
        for (const auto& [name, value] : t.properties)
            rd_kafka_NewTopic_set_config(owned.back().get(), name.c_str(), value.c_str());
        wanted.push_back(owned.back().get());
    }
    if (wanted.empty()) return {};
    KafkaHandle<rd_kafka_queue_t> queue(rd_kafka_queue_new(kafka->get()));
    KafkaHandle<rd_kafka_AdminOptions_t> options(
        rd_kafka_AdminOptions_new(kafka->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
    char text[256];
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), 15000, text, sizeof text);
    rd_kafka_CreateTopics(kafka->get(), wanted.data(), wanted.size(), options.get(), queue.get());
    KafkaHandle<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 30000));
    if (!event) return unreachable(RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (auto err = rd_kafka_event_error(event.get())) return unreachable(err);
    std::size_t n = 0;
    const auto* result = rd_kafka_event_CreateTopics_result(event.get());
    const rd_kafka_topic_result_t** each = rd_kafka_CreateTopics_result_topics(result, &n);
    for (std::size_t i = 0; i < n; ++i) {
        auto err = rd_kafka_topic_result_error(each[i]);
        if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return fail(Errc::misconfigured,
                        std::string("Kafka does not make topic ") + rd_kafka_topic_result_name(each[i]) + " (" +
                            rd_kafka_err2name(err) + ")",
                        "log.topic");
    }
    return {};
}

}  // namespace porta::pipeline
