#pragma once
/// The topics that a scaled-out configuration needs.
#include <vector>

#include "config/settings.h"
#include "pipeline/kafka/kafka_log.h"

namespace porta::app {

/// Errors: misconfigured (the purposes cannot be read).
Result<std::vector<pipeline::TopicPlan>> plannedTopics(const config::Settings& settings);

}  // namespace porta::app
