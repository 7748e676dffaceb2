#include "app/bench_rounds.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "app/bar.h"

namespace porta::app {

namespace {

/// Of this thread: what others do meanwhile is not counted.
double processorNs() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

/// Runs of one pair belong together: the ratio of their medians could come from different moments.
Spread ratioOf(const Timing& a, const Timing& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.pass_ns.size(); ++i) ratios.push_back(a.pass_ns[i] / b.pass_ns[i]);
    return spreadOf(std::move(ratios));
}

Spread scaled(const Timing& t, double by) {
    Spread s = spreadOf(t.pass_ns);
    return {s.median * by, s.least * by, s.most * by};
}

}  // namespace

void addRounds(CLI::App& app, BenchOptions& how) {
    app.add_option("--runs", how.runs, "runs of each task (10)")->check(CLI::Range(1, 10000));
    app.add_option("--seconds", how.seconds, "processor time of each task in a run, at least (0.1)")
        ->check(CLI::Range(0.0, 600.0));
    app.add_flag("--json", how.json, "one object; times in nanoseconds");
}

Spread spreadOf(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return {values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2, values.front(), values.back()};
}

std::string figure(double value) {
    const int before = value >= 1 ? static_cast<int>(std::log10(value)) + 1 : 1;
    const int zeros = value > 0 && value < 0.1 ? static_cast<int>(-std::log10(value)) : 0;
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", std::max(0, 3 - before + zeros), value);
    return text;
}

Json asJson(const Spread& spread) {
    Json j = Json::object();
    j["median"] = figure(spread.median);
    j["min"] = figure(spread.least);
    j["max"] = figure(spread.most);
    return j;
}

Result<std::vector<Timing>> timeRounds(const std::vector<BenchTask>& tasks, const BenchOptions& how) {
    std::vector<Timing> timings;
    Bar bar;
    const auto progress = bar.progress();
    const auto total = static_cast<std::uint64_t>(how.runs) * tasks.size();
    // The first time also warms up, and says how many passes a run needs.
    for (std::int64_t run = -1; run < how.runs; ++run) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const BenchTask& task = tasks[i];
            if (run < 0) timings.push_back({task.name, {}, 1});
            Timing& timing = timings[i];
            bool same = true;
            const double start = processorNs();
            double took = 0;
            std::uint64_t done = 0;
            do {
                same = task.pass() == task.answers && same;
                ++done;
                if (run < 0) took = processorNs() - start;
            } while (run < 0 ? took < 1e9 * how.seconds : done < timing.passes);
            if (run >= 0) timing.pass_ns.push_back((processorNs() - start) / static_cast<double>(done));
            else timing.passes = done;
            if (!same)
                return fail(Errc::internal,
                            task.name + ": the same bytes gave other answers than before; no time is given for that. " +
                                "Report the mapping",
                            "bench.answers");
            if (progress && run >= 0)
                progress(task.name, static_cast<std::uint64_t>(run) * tasks.size() + i + 1, total);
        }
    }
    return timings;
}

namespace {

void printTimings(const std::vector<Timing>& timings, const BenchInput& input) {
    const double records = static_cast<double>(input.records), bytes = static_cast<double>(input.bytes);
    std::printf("%-8s %12s  %-20s %9s %11s", "", "us a record", "(min to max)", "MB/s", "records/s");
    if (timings.size() > 1) std::printf(" %10s", ("to " + timings[0].name).c_str());
    std::printf("\n");
    for (const Timing& t : timings) {
        const Spread us = scaled(t, 1e-3 / records);
        const double pass = spreadOf(t.pass_ns).median * 1e-9;
        std::printf("%-8s %12s  %-20s %9s %11.0f", t.name.c_str(), figure(us.median).c_str(),
                    ("(" + figure(us.least) + " to " + figure(us.most) + ")").c_str(),
                    figure(bytes / pass / 1e6).c_str(), records / pass);
        if (timings.size() > 1) std::printf(" %10s", figure(ratioOf(t, timings[0]).median).c_str());
        std::printf("\n");
    }
}

Json asJson(const std::vector<Timing>& timings, const BenchInput& input) {
    Json all = Json::object();
    for (const Timing& t : timings) {
        const double pass = spreadOf(t.pass_ns).median * 1e-9;
        Json& j = all[t.name];
        j = Json::object();
        j["ns_a_record"] = asJson(scaled(t, 1.0 / static_cast<double>(input.records)));
        j["ns_a_byte"] = asJson(scaled(t, 1.0 / static_cast<double>(input.bytes)));
        j["bytes_a_second"] = static_cast<std::int64_t>(static_cast<double>(input.bytes) / pass);
        j["records_a_second"] = static_cast<std::int64_t>(static_cast<double>(input.records) / pass);
        j["passes"] = t.passes;
        if (timings.size() > 1) j["to_" + timings[0].name] = asJson(ratioOf(t, timings[0]));
    }
    return all;
}

}  // namespace

void report(const BenchOptions& how, const std::vector<Timing>& timings, const BenchInput& input,
            const std::string& answers, Json facts, const std::string& line) {
    if (how.json) {
        facts["records"] = input.records;
        facts["bytes"] = input.bytes;
        facts["answers"] = answers;
        facts["runs"] = how.runs;
        facts["tasks"] = asJson(timings, input);
        std::cout << print(facts) << "\n";
        return;
    }
    std::cout << line << "\n"
              << how.runs << " runs, each with the same answers " << answers.substr(0, 16)
              << "; processor time of one thread\n\n"
              << std::flush;
    printTimings(timings, input);
}

}  // namespace porta::app
