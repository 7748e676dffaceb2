// porta sim: schedules of the simulated pipeline by their seeds.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "app/context.h"
#include "pipeline/simulation/simulation.h"

namespace porta::app {

namespace {

using pipeline::simulation::Failed;
using pipeline::simulation::Simulation;

const char* const kUsage =
    "usage: porta sim --seeds A..B [--faults KIND,…] [--jobs N] [--shrink] [--all] [--json]\n"
    "Runs the pipeline in a simulated world, one schedule a seed: some 40 raw records, faults from the seed, every law "
    "checked\n"
    "at the end. Stops at the first schedule that breaks a law (with --all: at none), prints its seed, the law, what "
    "was sent\n"
    "and what went wrong; exit code 1. --shrink leaves out whatever the failure does not need.\n"
    "--faults: only these kinds (fail, lost, torn, full, crash, pause, lapse, again, slow; all, none).\n"
    "Examples: porta sim --seeds 0..999\n"
    "          porta sim --seeds 0..9999 --jobs 2\n"
    "          porta sim --seeds 0..999 --faults crash,lost\n"
    "          porta sim --seeds 812..812 --shrink      the one schedule again, exactly, and reduced\n";

struct Seeds {
    std::uint64_t from = 0, to = 0;
};

bool parseSeeds(const std::string& text, Seeds& seeds) {
    const std::size_t dots = text.find("..");
    const std::string a = text.substr(0, dots), b = dots == std::string::npos ? a : text.substr(dots + 2);
    auto digits = [](const std::string& t) {
        return !t.empty() && t.size() < 19 && t.find_first_not_of("0123456789") == std::string::npos;
    };
    if (!digits(a) || !digits(b)) return false;
    seeds = {std::strtoull(a.c_str(), nullptr, 10), std::strtoull(b.c_str(), nullptr, 10)};
    return seeds.from <= seeds.to;
}

/// Seeds are handed out in pieces, so that schedules of one history stay together.
struct Work {
    Seeds seeds;
    pipeline::simulation::Kinds kinds;
    bool shrink = false, all = false;
    std::atomic<std::uint64_t> next{0}, done{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::map<std::uint64_t, Failed> failed;
    std::optional<Error> error;
};
constexpr std::uint64_t kPiece = 16;

void worker(Work& work) {
    auto simulation = Simulation::open(work.kinds);
    if (!simulation) {
        std::lock_guard lock(work.mutex);
        work.error = simulation.error();
        work.stop = true;
        return;
    }
    while (!work.stop) {
        // A piece ends where the next history begins, whatever the first seed is.
        const std::uint64_t from = work.next.fetch_add(1);
        const std::uint64_t first = (work.seeds.from / kPiece + from) * kPiece;
        if (first > work.seeds.to) return;
        for (std::uint64_t seed = std::max(first, work.seeds.from); seed < first + kPiece && seed <= work.seeds.to;
             ++seed) {
            if (work.stop) return;
            if (auto failed = (*simulation)->run(seed, work.shrink)) {
                std::lock_guard lock(work.mutex);
                work.failed.emplace(seed, std::move(*failed));
                if (!work.all) work.stop = true;
            }
            ++work.done;
        }
    }
}

void showProgress(const Work& work, std::uint64_t total) {
    std::string bar(work.done * 30 / total, '#');
    bar.resize(30, '.');
    std::cerr << "\r" << bar << " " << work.done << "/" << total << " schedules " << std::flush;
}

}  // namespace

int commandSim(const Arguments& args) {
    auto o = parseOptions(args, {"--shrink", "--all", "--json"}, {"--seeds", "--jobs", "--faults"});
    if (!o) return complain(o.error());
    if (o->help) return usage(kUsage, true);
    Work work;
    const long jobs = std::strtol(o->get("--jobs", "1").c_str(), nullptr, 10);
    if (!o->operands.empty() || !parseSeeds(o->get("--seeds"), work.seeds) || jobs < 1 || jobs > 64)
        return usage(kUsage, false);
    auto kinds = pipeline::simulation::parseKinds(o->get("--faults", "all"));
    if (!kinds) return complain(kinds.error());
    work.kinds = std::move(*kinds);
    work.shrink = o->has("--shrink");
    work.all = o->has("--all");
    const std::uint64_t total = work.seeds.to - work.seeds.from + 1;
    const bool terminal = ::isatty(2);
    {
        std::vector<std::jthread> threads;
        std::atomic<long> running{jobs};
        for (long i = 0; i < jobs; ++i)
            threads.emplace_back([&] {
                worker(work);
                --running;
            });
        while (terminal && running) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            showProgress(work, total);
        }
    }
    if (terminal) std::cerr << "\r" << std::string(78, ' ') << "\r";
    if (work.error) return complain(*work.error);
    for (const auto& [seed, failed] : work.failed) {
        if (o->has("--json")) {
            Json line = Json::object();
            line["seed"] = static_cast<std::int64_t>(seed);
            line["broken"] = failed.text;
            std::cout << print(line) << "\n";
        } else {
            std::cout << "seed " << seed << ": " << failed.text << "\n"
                      << failed.history << "repeat it with: porta sim --seeds " << seed << ".." << seed
                      << (o->has("--faults") ? " --faults " + o->get("--faults") : "")
                      << (work.shrink ? "" : " --shrink") << "\n";
        }
    }
    if (o->has("--json")) {
        Json line = Json::object();
        line["schedules"] = static_cast<std::int64_t>(work.done.load());
        line["failed"] = static_cast<std::int64_t>(work.failed.size());
        std::cout << print(line) << "\n";
    } else {
        std::cout << work.done << " schedules, " << work.failed.size() << " failed\n";
    }
    return work.failed.empty() ? 0 : 1;
}

}  // namespace porta::app
