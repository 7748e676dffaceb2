#pragma once
/// librdkafka's C handles. Deleters only release; flushing and waiting is the owner's business.
#include <librdkafka/rdkafka.h>

#include <memory>

namespace porta::pipeline {

struct ReleaseKafka {
    void operator()(rd_kafka_t* k) const { rd_kafka_destroy_flags(k, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
    void operator()(rd_kafka_conf_t* c) const { rd_kafka_conf_destroy(c); }
    void operator()(rd_kafka_topic_partition_list_t* l) const { rd_kafka_topic_partition_list_destroy(l); }
    void operator()(rd_kafka_message_t* m) const { rd_kafka_message_destroy(m); }
    void operator()(rd_kafka_queue_t* q) const { rd_kafka_queue_destroy(q); }
    void operator()(rd_kafka_event_t* e) const { rd_kafka_event_destroy(e); }
    void operator()(rd_kafka_AdminOptions_t* o) const { rd_kafka_AdminOptions_destroy(o); }
    void operator()(rd_kafka_NewTopic_t* t) const { rd_kafka_NewTopic_destroy(t); }
    void operator()(const rd_kafka_metadata_t* m) const { rd_kafka_metadata_destroy(m); }
};
template <class T>
using KafkaHandle = std::unique_ptr<T, ReleaseKafka>;

}  // namespace porta::pipeline
