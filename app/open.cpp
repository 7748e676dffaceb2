#include "app/open.h"

#include "pipeline/crash_points.h"

namespace porta::app {

Result<std::unique_ptr<pipeline::Gateway>> openGateway(const Options& o, config::Settings& settings) {
    auto loaded = loadSettings(o);
    if (!loaded) return loaded.error();
    settings = std::move(*loaded);
    if (settings.testing) pipeline::armCrashPoint();
    return pipeline::Gateway::open(settings);
}

}  // namespace porta::app
