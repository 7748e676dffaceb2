#pragma once
/// Opening the store for a command: as its owner, or beside it.
#include <memory>
#include <utility>

#include "app/context.h"
#include "pipeline/gateway.h"
#include "pipeline/read.h"

namespace porta::app {

/// Takes the lease. Errors: unavailable when another process owns the store.
Result<std::unique_ptr<pipeline::Gateway>> openGateway(const config::Settings& settings);

/// For commands that show no personal value: everything else asks `permit` first (`app/permit.h`).
template <class F>
int withReader(const Options& o, F&& work) {
    auto settings = loadSettings(o);
    if (!settings) return complain(settings.error());
    auto reader = pipeline::Reader::open(*settings);
    if (!reader) return complain(reader.error());
    try {
        return work(**reader);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

}  // namespace porta::app
