#pragma once
/// Rounds of `porta bench`: in each run every task goes over the same input, one after the other, so that whatever else the
/// machine does meets all of them.
///
///     auto timings = timeRounds({{"read", read}, {"mapped", map}}, how);
#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "base/result.h"

namespace porta::app {

struct BenchTask {
    std::string name;
    /// Once over the whole input. Shape: a number made of the answers, the same each time.
    std::function<std::uint64_t()> pass;
    std::uint64_t answers = 0;  ///< what `pass` must give
};

struct BenchOptions {
    std::int64_t runs = 10;
    double seconds = 0.1;  ///< at least, of each task in each run
    bool json = false;
};
void addRounds(CLI::App& app, BenchOptions& how);

struct Spread {
    double median = 0, least = 0, most = 0;
};
/// `values` is not empty.
Spread spreadOf(std::vector<double> values);
/// Three significant digits or all before the point: `0.0214`, `70.9`, `12345`.
std::string figure(double value);
/// `{median, min, max}`, figures as text: records hold no fractions.
Json asJson(const Spread& spread);

struct Timing {
    std::string name;
    std::vector<double> pass_ns;  ///< of each run; processor time of the calling thread
    std::uint64_t passes = 0;     ///< in a run
};
/// Errors: internal: a pass gave other answers than it must; a time for that would be a time for nothing.
Result<std::vector<Timing>> timeRounds(const std::vector<BenchTask>& tasks, const BenchOptions& how);

/// What was gone over.
struct BenchInput {
    std::uint64_t records = 0, bytes = 0;
};
/// To standard output: `facts` with input, answers, runs and tasks as one line of JSON; else `line`, the answers and a table
/// `task {µs a record, bytes a second, records a second, to the first task}`. `answers`: a digest in hexadecimal.
void report(const BenchOptions& how, const std::vector<Timing>& timings, const BenchInput& input,
            const std::string& answers, Json facts, const std::string& line);

}  // namespace porta::app
