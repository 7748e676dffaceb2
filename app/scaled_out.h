#pragma once
/// The commands that write, when Kafka and PostgreSQL are configured: they hand over to the roles and wait for them.
#include "app/context.h"
#include "pipeline/gateway.h"

namespace porta::app {

/// One pass over the pull sources (or `source`), or these paths as that source; `-` is stdin. Waits until all is projected.
Result<void> ingestScaledOut(const config::Settings& settings, const std::string& source,
                             const std::vector<std::string>& paths);
/// Quarantined raw records once more, and what became of them. Waits likewise.
Result<pipeline::ReplayCount> replayScaledOut(const config::Settings& settings, const std::string& source,
                                              const std::string& reason);

}  // namespace porta::app
