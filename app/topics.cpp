// porta topics plan | apply: the topics of the log, made before anything runs; never by a producer on the way.
#include "app/topics.h"

#include <cstdio>
#include <iostream>

#include "app/context.h"
#include "pipeline/roles.h"

namespace porta::app {

/// Raw topics keep everything: they are what views are computed from. Of persons any message is enough, it names who
/// changed. Views are kept too: two workers may append out of order, and compaction would keep the older one alone. The broker's clock stamps messages: one that came from a machine with a wrong
/// clock would be refused for its time.
Result<std::vector<pipeline::TopicPlan>> plannedTopics(const config::Settings& settings) {
    using Properties = std::vector<std::pair<std::string, std::string>>;
    const Properties for_ever{{"retention.ms", "-1"}, {"max.message.bytes", "16777216"}};
    const Properties one_of_each{{"cleanup.policy", "compact"}};
    std::vector<pipeline::TopicPlan> topics;
    auto plan = [&](const std::string& name, Properties properties) {
        properties.emplace_back("message.timestamp.type", "LogAppendTime");
        if (settings.kafka.min_insync_replicas > 0)
            properties.emplace_back("min.insync.replicas", std::to_string(settings.kafka.min_insync_replicas));
        topics.push_back({name, settings.kafka.partitions, std::move(properties), 0});
    };
    for (const auto& s : settings.sources) plan(pipeline::rawTopic(s.id), for_ever);
    plan(pipeline::kRecordsTopic, for_ever);
    plan(pipeline::kPersonsTopic, one_of_each);
    auto purposes = pipeline::loadPurposes(settings);
    if (!purposes) return purposes.error();
    for (const auto& p : purposes->delivered()) plan(pipeline::viewsTopic(p.id), for_ever);
    for (auto& t : topics) t.name = settings.kafka.prefix + t.name;
    return topics;
}

int commandTopics(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    if (o->help || o->operands.size() != 1 || (o->operands[0] != "plan" && o->operands[0] != "apply"))
        return usage(
            "usage: porta topics plan | apply [--json] [-c DIR] [--set key=value]\n"
            "`plan` shows the topics of this configuration and which are missing; `apply` makes those, and the "
            "stores.\n"
            "Example: porta topics apply -c config --set log.kafka.brokers=127.0.0.1:9092\n",
            o->help);
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    if (!settings->scaledOut())
        return complain(fail(Errc::misconfigured, "this configuration has no log.kafka: there are no topics", "log"));
    auto plan = plannedTopics(*settings);
    if (!plan) return complain(plan.error());
    auto& topics = *plan;
    if (auto r = pipeline::describeTopics(settings->kafka, topics); !r) return complain(r.error());
    if (o->operands[0] == "apply") {
        if (auto r = pipeline::prepareStores(*settings); !r) return complain(r.error());
        if (auto r = pipeline::createTopics(settings->kafka, topics); !r) return complain(r.error());
    }
    for (const auto& t : topics) {
        const char* state = t.existing ? "exists" : o->operands[0] == "apply" ? "made" : "missing";
        if (o->has("--json")) {
            Json j = Json::object();
            j["topic"] = t.name;
            j["partitions"] = t.existing ? t.existing : t.partitions;
            j["state"] = state;
            std::cout << print(j) << "\n";
        } else {
            std::printf("%-40s %3d partitions  %s\n", t.name.c_str(), t.existing ? t.existing : t.partitions, state);
        }
    }
    return 0;
}

}  // namespace porta::app
