// `porta bench ingest`: whole sources, or files of one, into an embedded store that is made for it and removed.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include "app/bar.h"
#include "app/bench_rounds.h"
#include "app/bench_verbs.h"
#include "app/context.h"
#include "base/durable.h"
#include "pipeline/gateway.h"

namespace porta::app {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

double processorSeconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Result<std::string> workplaceBelow(const std::string& directory) {
    std::string path = (fs::path(directory) / "porta-bench-XXXXXX").string();
    if (!::mkdtemp(path.data()))
        return fail(Errc::unavailable, directory + ": no directory can be made there; name another one with --in");
    return path;
}

/// Does the work in a process of its own and removes the directory when that ends, also when somebody stops the command: it
/// holds the records. Threads: none may run yet.
int thenRemove(const std::string& directory, const std::function<int()>& work) {
    sigset_t awaited, before;
    sigemptyset(&awaited);
    for (int s : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&awaited, s);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        const int code = work();
        std::cout.flush();
        std::fflush(stdout);
        ::_exit(code);
    }
    int signal = SIGCHLD, status = 1;
    if (child > 0) {
        sigwait(&awaited, &signal);
        if (signal != SIGCHLD) ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
    }
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    if (signal != SIGCHLD) return 128 + signal;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The disk's share in every figure beside it: 4 KiB appended and made durable, milliseconds.
Spread probe(const fs::path& directory) {
    std::vector<double> times;
    const fs::path file = directory / "probe";
    if (std::FILE* f = std::fopen(file.c_str(), "wb")) {
        const std::string block(4096, '\0');
        for (int i = 0; i < 100; ++i) {
            std::fwrite(block.data(), 1, block.size(), f);
            std::fflush(f);
            const auto start = Clock::now();
            ::fdatasync(::fileno(f));
            times.push_back(1000 * seconds(start));
        }
        std::fclose(f);
        fs::remove(file);
    }
    return times.empty() ? Spread{} : spreadOf(times);
}

/// An embedded store at `state`, whatever the configuration has; sources keep their files.
config::Settings asideOf(const config::Settings& settings, const fs::path& state) {
    config::Settings own = settings;
    own.state = state.string();
    own.store_path = (state / "porta.db").string();
    own.key_file = (state / "master.key").string();
    own.kafka = {};
    own.postgres = {};
    own.testing = false;
    for (auto& source : own.sources) source.on_done = "keep";
    return own;
}

struct Run {
    double wall = 0, processor = 0;
    Spread disk;
    Json account;
};

Result<Run> ingestOnce(const config::Settings& settings, const std::string& source, const Arguments& paths,
                       const pipeline::Progress& progress) {
    Run run;
    const auto start = Clock::now();
    const double before = processorSeconds();
    {
        auto gateway = pipeline::Gateway::open(settings);
        if (!gateway) return gateway.error();
        if (paths.empty())
            if (auto done = (*gateway)->ingestAll(source, progress); !done) return done.error();
        for (const std::string& path : paths)
            if (auto done = (*gateway)->ingestFile(source, path, progress); !done) return done.error();
    }
    run.wall = seconds(start);
    run.processor = processorSeconds() - before;
    auto reader = pipeline::Reader::open(settings);
    if (!reader) return reader.error();
    run.account = (*reader)->account();
    return run;
}

/// Over all sources; `of` is one of received, published, quarantined, skipped.
std::uint64_t total(const Json& account, const char* of) {
    std::uint64_t sum = 0;
    for (const Json& s : account.find("sources")->items()) sum += static_cast<std::uint64_t>(s.find(of)->integer());
    return sum;
}

Result<std::vector<Run>> runs(const config::Settings& settings, const Options& o, std::int64_t count,
                              const fs::path& directory) {
    std::vector<Run> all;
    Bar bar;
    for (std::int64_t n = 0; n < count; ++n) {
        const fs::path state = directory / ("state-" + std::to_string(n));
        if (auto made = makeDirectory(state.string()); !made) return made.error();
        const Spread disk = probe(directory);
        auto run = ingestOnce(asideOf(settings, state), o.get("--source"), o.operands, bar.progress());
        fs::remove_all(state);
        if (!run) return run.error();
        run->disk = disk;
        if (total(run->account, "received") == 0)
            return fail(Errc::not_found, "nothing was received; check the paths of the sources", "bench.input");
        if (!all.empty() && !(run->account == all[0].account))
            return fail(Errc::internal, "two runs over the same files gave different accounts; no time is given",
                        "bench.answers");
        all.push_back(std::move(*run));
    }
    return all;
}

void report(const std::vector<Run>& all, bool json) {
    const Json& account = all[0].account;
    const double records = static_cast<double>(total(account, "received"));
    std::vector<double> rate, processor, disk;
    for (const Run& r : all) {
        rate.push_back(records / r.wall);
        processor.push_back(1e6 * r.processor / records);
        disk.push_back(r.disk.median);
    }
    const Spread rates = spreadOf(rate), us = spreadOf(processor), syncs = spreadOf(disk);
    if (json) {
        Json j = Json::object();
        for (const char* of : {"received", "published", "quarantined", "skipped"}) j[of] = total(account, of);
        j["runs"] = static_cast<std::uint64_t>(all.size());
        j["records_a_second"] = asJson(rates);
        j["processor_us_a_record"] = asJson(us);
        j["fdatasync_ms"] = asJson(syncs);
        std::cout << print(j) << "\n";
        return;
    }
    auto line = [](const char* what, const Spread& s) {
        std::printf("%-28s %10s  (%s to %s)\n", what, figure(s.median).c_str(), figure(s.least).c_str(),
                    figure(s.most).c_str());
    };
    std::printf("%.0f raw records: %llu published, %llu quarantined, %llu skipped; the same in each of %zu runs\n\n",
                records, static_cast<unsigned long long>(total(account, "published")),
                static_cast<unsigned long long>(total(account, "quarantined")),
                static_cast<unsigned long long>(total(account, "skipped")), all.size());
    line("raw records a second", rates);
    line("processor us a record", us);
    line("fdatasync beside it, ms", syncs);
}

}  // namespace

int benchIngest(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--source", "--runs", "--in"});
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta bench ingest [--source ID [PATH…]] [--runs N] [--in DIR] [--json] [-c DIR]\n"
        "One pass over the pull sources of a configuration, or over these files as that source, into an embedded store "
        "of\n"
        "its own: received, sealed, mapped, resolved, durable. Each of N (3) runs starts with an empty store below DIR "
        "(the\n"
        "directory for temporary files; choose a disk like the real one's), which is removed; the configuration's own "
        "store\n"
        "is not touched and files stay where they are. Beside it stands the fdatasync of the same disk.\n"
        "Example: porta bench ingest -c config --source hospital adt_20240301.hl7 --in /srv\n";
    const std::int64_t count = o->has("--runs") ? std::strtoll(o->get("--runs").c_str(), nullptr, 10) : 3;
    if (o->help || count < 1 || count > 1000 || (!o->operands.empty() && !o->has("--source")))
        return usage(text, o->help);
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    auto directory = workplaceBelow(o->get("--in", fs::temp_directory_path().string()));
    if (!directory) return complain(directory.error());
    return thenRemove(*directory, [&] {
        auto all = runs(*settings, *o, count, *directory);
        if (!all) return complain(all.error());
        report(*all, o->has("--json"));
        return 0;
    });
}

}  // namespace porta::app
