// One record of each kind, on one core, with the libraries alone: read, mapped, and mapped with everything that makes it a
// stored record (digests, compression, encryption, a wrapped key); beside them what no way around them could undercut: the
// reader alone on the same bytes, SHA-256, zstd and AES-256-GCM. Google Benchmark chooses the rounds; `make bench` runs it.
// Before any time is taken each input must give the answer that is written here.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>

#include "base/compression.h"
#include "base/crypto.h"
#include "bench/inputs.h"
#include "mapping/engine/program.h"
#include "mapping/engine/reuse.h"

namespace {

using porta::bench::Sample;
using porta::mapping::Outcome;
using porta::mapping::Program;

struct Task {
    Sample sample;
    std::shared_ptr<const Program> program;  ///< null: the reader alone
    porta::formats::Settings format;
    porta::mapping::Input input;
};

[[noreturn]] void refuse(const Task& task, const std::string& why) {
    std::fprintf(stderr, "micro: %s: %s\n", task.sample.name.c_str(), why.c_str());
    std::exit(1);
}

Task taskOf(Sample sample) {
    Task task;
    task.sample = std::move(sample);
    task.format = task.sample.format;
    if (!task.sample.mapping.empty()) {
        auto program = Program::load(task.sample.mapping);
        if (!program) refuse(task, program.error().message);
        task.program = *program;
        task.format = task.program->format();
    }
    return task;
}

/// A figure for a record that is refused, or that says less than it should, would be a figure for nothing.
void check(Task& task) {
    task.input.bytes = task.sample.bytes;
    task.input.context = task.sample.context;
    task.input.source = "source";
    task.input.time_zone = "Europe/Rome";
    task.input.object_time = "2024-03-01";
    porta::formats::NodeTree tree;
    auto read = porta::formats::parse(task.format, task.input.bytes, task.input.context, tree);
    if (!read) refuse(task, read.error().message);
    if (tree.size() != task.sample.nodes)
        refuse(task, std::to_string(tree.size()) + " nodes, " + std::to_string(task.sample.nodes) + " expected");
    if (!task.program) return;
    Outcome outcome = task.program->map(task.format, task.input, tree);
    std::size_t leaves = 0;
    for (const auto& op : outcome.operations) leaves += op.leaves.size();
    if (outcome.operations.size() != task.sample.operations || leaves != task.sample.leaves)
        refuse(task, std::to_string(outcome.operations.size()) + " operations with " + std::to_string(leaves) +
                         " leaves, " + std::to_string(task.sample.operations) + " with " +
                         std::to_string(task.sample.leaves) + " expected; " + outcome.error.message);
    auto back = porta::schemas::decode(porta::schemas::encode(outcome.operations));
    if (!back || back->size() != outcome.operations.size() || back->front().digest != outcome.operations.front().digest)
        refuse(task, "the stored form does not give the operations back");
}

void bytes(benchmark::State& state, std::size_t size) {
    state.SetBytesProcessed(static_cast<std::int64_t>(size) * state.iterations());
    state.SetItemsProcessed(state.iterations());
}

void parse(benchmark::State& state, const Task& task) {
    porta::formats::NodeTree tree;
    for (auto _ : state) {
        auto read = porta::formats::parse(task.format, task.input.bytes, task.input.context, tree);
        benchmark::DoNotOptimize(read);
        benchmark::DoNotOptimize(tree);
    }
    bytes(state, task.sample.bytes.size());
}

/// Into one outcome, filled again and again.
void map(benchmark::State& state, const Task& task) {
    porta::formats::NodeTree tree;
    Outcome outcome;
    for (auto _ : state) {
        porta::mapping::mapInto(*task.program, task.format, task.input, tree, outcome);
        benchmark::DoNotOptimize(outcome);
    }
    bytes(state, task.sample.bytes.size());
}

/// An outcome of its own for each record, as somebody needs who keeps it.
void mapKept(benchmark::State& state, const Task& task) {
    porta::formats::NodeTree tree;
    for (auto _ : state) {
        Outcome outcome = task.program->map(task.format, task.input, tree);
        benchmark::DoNotOptimize(outcome);
    }
    bytes(state, task.sample.bytes.size());
}

std::string_view view(const porta::Key& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

/// As connect and map make a stored record of it: a data key of its own, made in bulk and wrapped, the raw bytes
/// compressed and sealed, the operations encoded and sealed.
void mapSealed(benchmark::State& state, const Task& task) {
    porta::formats::NodeTree tree;
    const porta::Key wrapping = porta::deriveKey(porta::randomKey(), "bench");
    for (auto _ : state) {
        const porta::Key key = porta::randomKey();
        porta::Nonce nonce;
        porta::randomBytes(nonce.data(), nonce.size());
        std::string wrapped = porta::sealBox(wrapping, nonce, view(key));
        std::string raw = porta::sealBox(key, porta::Nonce{1}, porta::compress(task.input.bytes));
        Outcome outcome = task.program->map(task.format, task.input, tree);
        std::string box = porta::sealBox(key, porta::Nonce{2}, porta::schemas::encode(outcome.operations));
        benchmark::DoNotOptimize(wrapped);
        benchmark::DoNotOptimize(raw);
        benchmark::DoNotOptimize(box);
    }
    bytes(state, task.sample.bytes.size());
}

void sha256(benchmark::State& state, const std::string& text) {
    for (auto _ : state) {
        auto digest = porta::sha256(text);
        benchmark::DoNotOptimize(digest);
    }
    bytes(state, text.size());
}

void zstd(benchmark::State& state, const std::string& text) {
    for (auto _ : state) {
        auto small = porta::compress(text);
        benchmark::DoNotOptimize(small);
    }
    bytes(state, text.size());
}

void aesGcm(benchmark::State& state, const std::string& text) {
    porta::Key key = porta::randomKey();
    for (auto _ : state) {
        ++key[0];  // each record has its own
        auto box = porta::sealBox(key, porta::Nonce{1}, text);
        benchmark::DoNotOptimize(box);
    }
    bytes(state, text.size());
}

/// For those who time others on a record, or take this program apart: `--sample NAME` prints it, the header of a CSV before it;
/// `--repeat NAME N` maps it so often and prints the processor time of one, in nanoseconds.
int withSample(const std::string& what, const std::string& name, std::int64_t times) {
    for (Sample& sample : porta::bench::samples(PORTA_ROOT)) {
        if (sample.name != name) continue;
        if (what == "--sample") {
            if (!sample.context.empty()) std::puts(sample.context.c_str());
            return std::fwrite(sample.bytes.data(), 1, sample.bytes.size(), stdout), 0;
        }
        Task task = taskOf(std::move(sample));
        check(task);
        porta::formats::NodeTree tree;
        Outcome outcome;
        const std::clock_t start = std::clock();
        for (std::int64_t i = 0; i < times; ++i)
            porta::mapping::mapInto(*task.program, task.format, task.input, tree, outcome);
        std::printf("%.1f\n", 1e9 / CLOCKS_PER_SEC * static_cast<double>(std::clock() - start) /
                                  static_cast<double>(std::max<std::int64_t>(times, 1)));
        return 0;
    }
    std::fprintf(stderr, "micro: no sample of this name; --benchmark_list_tests lists them\n");
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if ((what == "--sample" && argc == 3) || (what == "--repeat" && argc == 4))
        return withSample(what, argv[2], argc == 4 ? std::strtoll(argv[3], nullptr, 10) : 0);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    static std::vector<Task> tasks;
    for (Sample& sample : porta::bench::samples(PORTA_ROOT)) tasks.push_back(taskOf(std::move(sample)));
    for (Task& task : tasks) {
        check(task);
        const std::string& name = task.sample.name;
        benchmark::RegisterBenchmark((name + "/parse").c_str(), parse, std::cref(task));
        if (!task.program) continue;
        benchmark::RegisterBenchmark((name + "/map").c_str(), map, std::cref(task));
        benchmark::RegisterBenchmark((name + "/map, kept").c_str(), mapKept, std::cref(task));
        benchmark::RegisterBenchmark((name + "/map+seal").c_str(), mapSealed, std::cref(task));
    }
    const std::string& message = tasks.front().sample.bytes;
    benchmark::RegisterBenchmark((tasks.front().sample.name + "/sha256").c_str(), sha256, message);
    benchmark::RegisterBenchmark((tasks.front().sample.name + "/zstd").c_str(), zstd, message);
    benchmark::RegisterBenchmark((tasks.front().sample.name + "/aes-gcm").c_str(), aesGcm, message);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
