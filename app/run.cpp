// porta run: the service. Embedded one process with every stage; scaled out one or several roles.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

#include "app/context.h"
#include "app/desk.h"
#include "connectors/door.h"
#include "pipeline/crash_points.h"
#include "pipeline/gateway.h"
#include "pipeline/intake.h"
#include "pipeline/metrics.h"
#include "pipeline/roles.h"
#include "server/http_server.h"

namespace porta::app {

namespace {

using namespace std::chrono_literals;

const std::vector<std::string> kRoles{"connect", "map", "resolve", "project", "serve"};

/// A full disk has a counter of its own: it is the one failure that somebody has to do something about.
void countFailure(pipeline::Metrics& metrics, const std::string& role, const Error& error) {
    metrics.add("porta_role_restarts_total", "role=\"" + role + "\",code=\"" + std::string(name(error.code)) + "\"");
    if (error.rule == "store.full") metrics.add("porta_store_full_total", "role=\"" + role + "\"");
}

/// One role: worked on by a thread of its own, thrown away and opened again after a failure, with growing pauses.
class Supervised {
public:
    Supervised(std::string name, const config::Settings& settings, pipeline::Metrics& metrics, std::atomic<bool>& stop)
        : name_(std::move(name)), settings_(settings), metrics_(metrics), stop_(stop), thread_([this] { work(); }) {}
    ~Supervised() { thread_.join(); }
    bool ready() const { return ready_; }

private:
    std::string name_, told_;
    const config::Settings& settings_;
    pipeline::Metrics& metrics_;
    std::atomic<bool>& stop_;
    std::atomic<bool> ready_ = false;
    std::thread thread_;

    void tell(const Error& error) {
        if (error.message == told_) return;
        told_ = error.message;
        std::cerr << "porta: " + name_ + ": " + std::string(name(error.code)) + ": " + error.message + "\n";
    }

    void work() {
        for (auto pause = 100ms; !stop_;) {
            Error error = round(pause);
            ready_ = false;
            if (stop_) return;
            tell(error);
            countFailure(metrics_, name_, error);
            for (auto waited = 0ms; waited < pause && !stop_; waited += 50ms) std::this_thread::sleep_for(50ms);
            pause = std::min<std::chrono::milliseconds>(2 * pause, 2000ms);
        }
    }

    /// Until the first failure; an exception of a library ends the round like one.
    Error round(std::chrono::milliseconds& pause) {
        try {
            auto role = pipeline::openRole(name_, settings_, metrics_);
            if (!role) return role.error();
            while (!stop_) {
                auto did = (*role)->step();
                if (!did) return did.error();
                ready_ = true;
                pause = 100ms;
            }
        } catch (const std::exception&) {
            return fail(Errc::internal, "an unexpected failure; the role starts again", "role");
        }
        return fail(Errc::unavailable, "stopped", "role.stopped");
    }
};

/// The sources of kind `http`: each has a token.
connectors::Door::Sources httpSources(const config::Settings& settings) {
    connectors::Door::Sources sources;
    for (const config::SourceSettings& s : settings.sources)
        if (s.kind == "http") sources[s.id] = s.token_file;
    return sources;
}

/// Waits for SIGTERM or SIGINT, which every thread has blocked; false when the time is over first.
bool stopped(std::chrono::milliseconds wait) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    timespec t{wait.count() / 1000, (wait.count() % 1000) * 1000000};
    return sigtimedwait(&set, nullptr, &t) > 0;
}

void blockSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

template <class Ask>
std::function<Result<Json>()> asking(const config::Settings& settings, Ask ask) {
    return [&settings, ask]() -> Result<Json> {
        auto reader = pipeline::Reader::open(settings);
        if (!reader) return reader.error();
        try {
            return ask(**reader);
        } catch (const pipeline::Failure& f) {
            return f.error;
        }
    };
}

void serveReads(server::Routes& routes, const config::Settings& settings) {
    routes.account = asking(settings, [](pipeline::Reader& r) { return r.account(); });
    routes.status = asking(settings, [](pipeline::Reader& r) { return r.status(); });
}

void announce(int port) {
    Json ports = Json::object();
    ports["http"] = port;
    Json j = Json::object();
    j["ready"] = true;
    j["ports"] = std::move(ports);
    std::cout << print(j) << std::endl;
}

/// Every stage in this process: the Gateway is asked by one caller at a time.
int runEmbedded(const config::Settings& settings) {
    pipeline::Metrics metrics;
    auto gateway = pipeline::Gateway::open(settings);
    if (!gateway) return complain(gateway.error());
    std::mutex one;
    std::atomic<bool> ready = true;
    std::string told;
    // The world is at fault, not one object: what is in memory no longer fits the store, and both are opened anew.
    auto failed = [&](const Error& error) {
        if (error.code != Errc::unavailable) return;
        if (error.message != told) complain(error);
        told = error.message;
        ready = false;
        countFailure(metrics, "all", error);
        gateway->reset();
    };
    auto deliver = [&](const std::string& source, std::string body) -> Result<std::int64_t> {
        std::lock_guard lock(one);
        std::int64_t raws = 0;
        if (!*gateway)
            return fail(Errc::unavailable, "the store is being opened again; try again in a moment", "store");
        auto done = (*gateway)->ingestBytes(
            source, "push", std::move(body),
            [&](const std::string&, std::uint64_t, std::uint64_t n) { raws = static_cast<std::int64_t>(n); });
        if (!done) {
            failed(done.error());
            return done.error();
        }
        metrics.add("porta_connect_raw_records_total", "source=\"" + source + "\"", raws);
        return raws;
    };
    connectors::Queue queue;
    connectors::Door senders(httpSources(settings), queue, deliver);
    // The socket is the user's own: the file system says who may push.
    connectors::Door people({{kDesk, std::nullopt}}, queue, deliver);
    server::Routes routes;
    routes.ready = [&] { return ready.load(); };
    routes.metrics = [&] { return metrics.text(); };
    serveReads(routes, settings);
    server::Routes local;
    local.push = &people;
    routes.push = &senders;
    auto http = server::HttpServer::start(settings.host, settings.port, routes);
    if (!http) return complain(http.error());
    auto socket = server::HttpServer::startLocal(ownerSocket(settings), local);
    if (!socket) return complain(socket.error());
    announce((*http)->port());
    while (!stopped(200ms)) {
        std::lock_guard lock(one);
        if (!*gateway) {
            auto again = pipeline::Gateway::open(settings);
            if (!again && again.error().code == Errc::misconfigured) return complain(again.error());
            if (!again) {
                failed(again.error());
                continue;
            }
            *gateway = std::move(*again);
        }
        auto done = (*gateway)->ingestAll("", [&](const std::string& source, std::uint64_t, std::uint64_t) {
            metrics.add("porta_map_batches_total", "source=\"" + source + "\"");
        });
        ready = true;
        if (done) told.clear();
        else if (done.error().code == Errc::unavailable) failed(done.error());
        else complain(done.error());
    }
    return 0;
}

int runRoles(const config::Settings& settings, const std::vector<std::string>& roles) {
    pipeline::Metrics metrics;
    std::atomic<bool> stop = false;
    std::vector<std::unique_ptr<Supervised>> working;
    bool connects = false, serves = false;
    for (const std::string& role : roles) {
        connects = connects || role == "connect";
        serves = serves || role == "serve";
        if (role != "serve") working.push_back(std::make_unique<Supervised>(role, settings, metrics, stop));
    }
    std::unique_ptr<pipeline::Intake> intake;
    connectors::Queue queue;
    connectors::Door senders(httpSources(settings), queue,
                             [&](const std::string& source, std::string body) -> Result<std::int64_t> {
                                 if (!intake) {
                                     auto world = pipeline::openWorld(settings);
                                     if (!world) return world.error();
                                     auto opened = pipeline::Intake::open(settings, std::move(*world));
                                     if (!opened) return opened.error();
                                     intake = std::move(*opened);
                                 }
                                 auto raws = intake->deliver(source, "push", std::move(body), false);
                                 if (!raws) {
                                     intake.reset();
                                     countFailure(metrics, "push", raws.error());
                                     return raws;
                                 }
                                 metrics.add("porta_connect_raw_records_total", "source=\"" + source + "\"", *raws);
                                 return raws;
                             });
    server::Routes routes;
    routes.ready = [&] {
        return std::all_of(working.begin(), working.end(), [](const auto& w) { return w->ready(); });
    };
    routes.metrics = [&] { return metrics.text(); };
    if (serves) serveReads(routes, settings);
    if (connects) routes.push = &senders;
    auto http = server::HttpServer::start(settings.host, settings.port, routes);
    bool announced = false;
    while (http && !stopped(200ms))
        if (!announced && routes.ready()) {
            announced = true;
            announce((*http)->port());
        }
    stop = true;
    working.clear();
    return http ? 0 : complain(http.error());
}

}  // namespace

std::string ownerSocket(const config::Settings& settings) { return settings.state + "/owner.sock"; }

int commandRun(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--role"});
    if (!o) return complain(o.error());
    if (o->help || !o->operands.empty())
        return usage(
            "usage: porta run [--role connect,map,resolve,project,serve] [-c DIR] [--state DIR] [--set key=value]\n"
            "The service: pulls the sources, maps, resolves, and answers /livez /readyz /metrics on server.port. "
            "Prints\n"
            "{\"ready\":true,\"ports\":{…}} once, then nothing; SIGTERM stops it. Roles of their own need log.kafka "
            "and\n"
            "store.postgresql.\nExample: porta run --role map -c config --set server.port=0\n",
            o->help);
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    if (settings->testing) pipeline::armCrashPoint();
    std::vector<std::string> roles = kRoles;
    if (o->has("--role")) {
        roles.clear();
        std::istringstream in(o->get("--role"));
        for (std::string role; std::getline(in, role, ',');) {
            if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end())
                return complain(fail(Errc::malformed,
                                     "there is no role `" + role + "`; known: connect, map, resolve, project, serve",
                                     "option"));
            roles.push_back(role);
        }
    }
    blockSignals();
    if (settings->scaledOut()) return runRoles(*settings, roles);
    if (o->has("--role"))
        return complain(fail(Errc::misconfigured,
                             "one directory has one process with every stage; roles of their own need log.kafka and "
                             "store.postgresql",
                             "role"));
    return runEmbedded(*settings);
}

}  // namespace porta::app
