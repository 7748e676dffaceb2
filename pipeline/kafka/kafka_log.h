#pragma once
/// Apache Kafka (4.1 or newer) behind Log, by librdkafka: an idempotent producer with acks=all, readers that never skip
/// silently. No transactions: effects and positions meet in the store (docs/decisions/0009).
#include "config/settings.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// Connects lazily. Errors: misconfigured (a property that librdkafka does not know).
Result<std::unique_ptr<Log>> openKafka(const config::KafkaSettings& settings);

/// A topic as it should be.
struct TopicPlan {
    std::string name;
    int partitions = 1;
    std::vector<std::pair<std::string, std::string>> properties;
    int existing = 0;  ///< partitions it has; 0: missing
};
/// Fills in `existing`. Errors: unavailable.
Result<void> describeTopics(const config::KafkaSettings& settings, std::vector<TopicPlan>& topics);
/// Makes those that are missing. Errors: unavailable, misconfigured.
Result<void> createTopics(const config::KafkaSettings& settings, const std::vector<TopicPlan>& topics);

}  // namespace porta::pipeline
