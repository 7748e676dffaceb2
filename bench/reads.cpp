// Case views as a serving process gives them: assembled from the store, and assembled and logged by 1, 8 and 32 threads that
// share one decision log, paced (200 a second in all) and pressed, beside the fdatasync of the same disk in the same run.
// reads CONFIG STATE USER PURPOSE [SECONDS]
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/decision_log.h"
#include "pipeline/disclosure.h"
#include "pipeline/read.h"
#include "pipeline/world.h"

namespace {

using namespace porta;
using Clock = std::chrono::steady_clock;

/// CPU time of this thread: what a look costs, whoever else uses the machine.
double cpuMillis() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

double millisSince(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void report(const std::string& what, std::vector<double> millis, double seconds) {
    if (millis.empty()) {
        std::printf("%-28s nothing was read\n", what.c_str());
        return;
    }
    std::sort(millis.begin(), millis.end());
    auto at = [&](double share) {
        return millis[static_cast<std::size_t>(share * static_cast<double>(millis.size() - 1))];
    };
    std::printf("%-28s p50 %8.3f ms   p99 %8.3f ms   max %8.3f ms   %9.0f a second   %zu\n", what.c_str(), at(0.5),
                at(0.99), millis.back(), static_cast<double>(millis.size()) / seconds, millis.size());
}

[[noreturn]] void stop(const Error& error) {
    std::fprintf(stderr, "reads: %s\n", error.message.c_str());
    std::exit(1);
}

template <class T>
T need(Result<T> result) {
    if (!result) stop(result.error());
    return std::move(*result);
}

/// Appends of 4 kB, each made durable: what one commit of the log costs the disk at least.
std::vector<double> syncs(const std::string& state, int n) {
    const std::string path = state + "/fdatasync.tmp", page(4096, 'x');
    int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) stop(fail(Errc::unavailable, "no file can be made in the state directory"));
    ::unlink(path.c_str());
    std::vector<double> millis;
    for (int i = 0; i < n; ++i) {
        auto start = Clock::now();
        if (::write(file, page.data(), page.size()) != static_cast<ssize_t>(page.size()) || ::fdatasync(file) != 0)
            stop(fail(Errc::unavailable, "the disk does not take a page"));
        millis.push_back(millisSince(start));
    }
    ::close(file);
    return millis;
}

struct Desk {
    const config::Settings& settings;
    policy::Purpose granted;
    policy::Decision decision;
    std::string user, role;
    std::vector<std::int64_t> persons;
};

/// One thread's reader; what `view show` does between permit and answer.
class Counter {
public:
    explicit Counter(const Desk& desk)
        : desk_(desk),
          reader_(need(pipeline::Reader::open(desk.settings))),
          clock_(pipeline::openClock(desk.settings)),
          purpose_(pipeline::viewOf(desk.granted)) {}

    /// Bytes of the view; 0: not there for this purpose.
    std::size_t look(std::int64_t person, pipeline::DecisionLog* log) {
        auto sources = pipeline::sourceFacts(desk_.settings);
        std::int64_t as_of = 0;
        pipeline::Records records;
        reader_->atOneMoment([&] {
            records = reader_->load(person);
            for (auto& s : sources) {
                s.newest_instant = reader_->newestOf(s.id);
                as_of = std::max(as_of, s.newest_instant);
            }
        });
        std::string line;
        if (!records.persons.empty()) {
            auto view =
                views::assemble(pipeline::personText(person), records.persons[0].records, purpose_, sources, as_of);
            if (view.visible) line = print(views::toJson(view));
        }
        if (!log) return line.size();
        Json entry =
            pipeline::decisionEntry(clock_->now(), {desk_.user, desk_.role, desk_.granted.id, "", "view.show", person},
                                    desk_.decision, desk_.granted, sources);
        entry["outcome"] = line.empty() ? "nothing" : "shown";
        pipeline::addPersons(entry, {person}, false);
        if (auto done = log->append(entry); !done) stop(done.error());
        return line.size();
    }

private:
    const Desk& desk_;
    std::unique_ptr<pipeline::Reader> reader_;
    std::unique_ptr<pipeline::Clock> clock_;
    views::PurposeView purpose_;
};

/// Random people, for this time, by so many threads at once; each rests for `pause_ms` on average between two looks.
void measure(const std::string& what, const Desk& desk, int threads, double seconds, pipeline::DecisionLog* log,
             double pause_ms) {
    std::vector<std::vector<double>> millis(static_cast<std::size_t>(threads)), cpu = millis;
    std::atomic<std::size_t> bytes = 0;
    std::atomic<int> ready = 0;
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            Counter counter(desk);
            std::mt19937_64 random(static_cast<std::uint64_t>(t) + 1);
            std::exponential_distribution<double> pause(pause_ms > 0 ? 1 / pause_ms : 1);
            auto anybody = [&] { return desk.persons[random() % desk.persons.size()]; };
            for (int i = 0; i < 50; ++i) counter.look(anybody(), nullptr);
            for (++ready; ready < threads;) std::this_thread::yield();
            for (auto begin = Clock::now(); millisSince(begin) < seconds * 1000;) {
                const std::int64_t person = anybody();
                const double used = cpuMillis();
                const auto start = Clock::now();
                bytes += counter.look(person, log);
                millis[static_cast<std::size_t>(t)].push_back(millisSince(start));
                cpu[static_cast<std::size_t>(t)].push_back(cpuMillis() - used);
                if (pause_ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(pause(random)));
            }
        });
    for (std::thread& t : running) t.join();
    auto all = [](const std::vector<std::vector<double>>& each) {
        std::vector<double> joined;
        for (const auto& one : each) joined.insert(joined.end(), one.begin(), one.end());
        return joined;
    };
    if (!bytes) stop(fail(Errc::not_found, "no view was shown; the user's purpose must see somebody"));
    report(what, all(millis), seconds);
    report("  of it CPU", all(cpu), seconds);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: reads CONFIG STATE USER PURPOSE [SECONDS]\n");
        return 2;
    }
    const double seconds = argc > 5 ? std::atof(argv[5]) : 10;
    const config::Settings settings = need(config::load(argv[1], argv[2], {}));
    const auto purposes = need(pipeline::loadPurposes(settings));
    Desk desk{settings, {}, purposes.decide(argv[3], argv[4], ""), argv[3], "", {}};
    if (!desk.decision.allowed) stop(fail(Errc::denied, "the user does not hold this purpose"));
    desk.granted = *purposes.purpose(argv[4]);
    desk.role = purposes.user(argv[3])->role;
    desk.persons = need(pipeline::Reader::open(settings))->persons();
    if (desk.persons.empty()) stop(fail(Errc::not_found, "the store has nobody; run `porta ingest` first"));
    std::printf("%zu people\n", desk.persons.size());
    auto log = need(pipeline::DecisionLog::open(settings));
    measure("assembled, 1 thread", desk, 1, seconds, nullptr, 0);
    for (int threads : {1, 8, 32}) {
        report("fdatasync", syncs(settings.state, 500), 1);
        const std::string with = " and logged, " + std::to_string(threads);
        // 200 looks a second in all, and as many as the machine gives.
        measure("paced" + with, desk, threads, seconds, log.get(), 5.0 * threads);
        measure("pressed" + with, desk, threads, seconds, log.get(), 0);
    }
    report("fdatasync", syncs(settings.state, 500), 1);
    const std::int64_t entries = need(log->verify());
    std::printf("the log's chain holds over %lld entries\n", static_cast<long long>(entries));
    return 0;
}
