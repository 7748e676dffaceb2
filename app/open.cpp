#include "app/open.h"

#include "pipeline/crash_points.h"

namespace porta::app {

Result<std::unique_ptr<pipeline::Gateway>> openGateway(const config::Settings& settings) {
    if (settings.testing) pipeline::armCrashPoint();
    return pipeline::Gateway::open(settings);
}

}  // namespace porta::app
