#include "app/scaled_out.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "connectors/files.h"
#include "pipeline/intake.h"
#include "pipeline/read.h"
#include "pipeline/roles.h"

namespace porta::app {

namespace {

using namespace std::chrono_literals;

Result<std::unique_ptr<pipeline::Intake>> openIntake(const config::Settings& settings) {
    if (auto r = pipeline::prepareStores(settings); !r) return r.error();
    auto world = pipeline::openWorld(settings);
    if (!world) return world.error();
    return pipeline::Intake::open(settings, std::move(*world));
}

/// Shows what is left, and says once what to look at when nothing moves for a while.
class Waiting {
public:
    void operator()(std::int64_t left) {
        if (::isatty(2)) std::cerr << "\r" << left << " on their way   " << (left ? "" : "\n") << std::flush;
        if (left != before_) since_ = std::chrono::steady_clock::now();
        before_ = left;
        if (told_ || std::chrono::steady_clock::now() - since_ < 10s) return;
        told_ = true;
        std::cerr << "porta: nothing moves; do `porta run --role map`, `resolve` and `project` run?\n";
    }

private:
    std::int64_t before_ = -1;
    bool told_ = false;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

Result<void> waitUntilQuiet(const config::Settings& settings) {
    auto reader = pipeline::Reader::open(settings);
    if (!reader) return reader.error();
    for (Waiting waiting;; std::this_thread::sleep_for(200ms)) {
        std::int64_t pending = 0;
        try {
            Json status = (*reader)->status();
            for (const Json& n : status.find("pending")->items()) pending += n.integer();
        } catch (const pipeline::Failure& f) {
            return f.error;
        }
        waiting(pending);
        if (!pending) return {};
    }
}

}  // namespace

Result<void> ingestScaledOut(const config::Settings& settings, const std::string& only,
                             const std::vector<std::string>& paths) {
    auto opened = openIntake(settings);
    if (!opened) return opened.error();
    pipeline::Intake& intake = **opened;
    auto deliver = [&](const std::string& source, const std::string& path, std::string bytes,
                       bool pulled) -> Result<void> {
        auto delivered = intake.deliver(source, path, std::move(bytes), pulled);
        return delivered ? Result<void>{} : delivered.error();
    };
    for (const std::string& given : paths) {
        if (given == "-") {
            auto r = deliver(only, "stdin", std::string(std::istreambuf_iterator<char>(std::cin), {}), false);
            if (!r) return r;
            continue;
        }
        const std::string path = std::filesystem::absolute(given).lexically_normal().string();
        const config::SourceSettings* source = settings.source(only);
        auto bytes = connectors::readFile(path, source ? source->max_object_bytes : 1u << 30);
        if (!bytes) return bytes.error();
        if (auto r = deliver(only, path, std::move(*bytes), false); !r) return r;
    }
    Result<void> first;  // the first file that was refused; the pass goes on
    const auto pulled = pipeline::pullSources(settings);
    for (const auto& [id, from] : pulled) {
        if (!paths.empty() || (!only.empty() && id != only)) continue;
        const std::string& source = id;
        auto done = pipeline::pull(
            *from,
            [&](connectors::Object& object) { return deliver(source, object.path, std::move(object.bytes), true); },
            [&](const Error& error) {
                if (first) first = error;
            });
        if (!done) return done;
    }
    if (!first) return first;
    return waitUntilQuiet(settings);
}

Result<pipeline::ReplayCount> replayScaledOut(const config::Settings& settings, const std::string& source,
                                              const std::string& reason) {
    Waiting waiting;
    return pipeline::replayScaledOut(settings, source, reason,
                                     [&](std::size_t left) { waiting(static_cast<std::int64_t>(left)); });
}

}  // namespace porta::app
