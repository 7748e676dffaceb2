// Mapped records into Kafka as the role map writes them: encoded, appended in its batches, each batch durable before the next.
// Prints messages a second. append BROKERS COUNT SIZE   (the topic porta.records must be there; SIZE of a message in bytes)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "pipeline/messages.h"
#include "pipeline/project.h"
#include "pipeline/roles.h"
#include "pipeline/world.h"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: append BROKERS COUNT SIZE\n");
        return 64;
    }
    porta::config::Settings settings;
    settings.kafka.brokers = argv[1];
    const long count = std::atol(argv[2]), size = std::atol(argv[3]);
    auto log = porta::pipeline::openLog(settings);
    if (!log) {
        std::fprintf(stderr, "append: %s\n", log.error().message.c_str());
        return 1;
    }
    porta::pipeline::RecordMessage record;
    const long head = static_cast<long>(porta::pipeline::encode(record).size());
    record.box.assign(static_cast<std::size_t>(size > head ? size - head : 0), 'x');
    constexpr long kBatch = 2000;
    // The first batch connects.
    std::chrono::steady_clock::time_point start;
    for (long at = -kBatch; at < count; at += kBatch) {
        if (at == 0) start = std::chrono::steady_clock::now();
        std::vector<porta::pipeline::Message> batch;
        for (long i = 0; i < kBatch; ++i) {
            record.raw = at + i;
            batch.push_back({porta::pipeline::kRecordsTopic, record.raw, porta::pipeline::encode(record)});
        }
        if (auto done = (*log)->append(batch); !done) {
            std::fprintf(stderr, "append: %s\n", done.error().message.c_str());
            return 1;
        }
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%.0f\n", static_cast<double>(count) / took.count());
    return 0;
}
