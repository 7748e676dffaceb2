// `porta bench map`: how long a mapping takes for the records of a file: read alone, mapped, and made a stored record.
#include <CLI/CLI.hpp>

#include <cstring>
#include <iostream>
#include <sstream>

#include "app/bench_rounds.h"
#include "app/bench_verbs.h"
#include "app/context.h"
#include "app/map_input.h"
#include "base/compression.h"
#include "base/crypto.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/reuse.h"
#include "pipeline/records.h"

namespace porta::app {

namespace {

using mapping::Outcome;
using mapping::State;

/// What an outcome says, in a number: cheap enough to stand in every pass. Digests are of all that an operation says.
void add(std::uint64_t& answers, const Outcome& outcome) {
    answers = 31 * answers + static_cast<std::uint64_t>(outcome.state);
    for (const schemas::Operation& op : outcome.operations) {
        std::uint64_t digest;
        std::memcpy(&digest, op.digest.data(), sizeof digest);
        answers = 31 * answers + digest + op.leaves.size();
    }
}

/// What one look at the whole file found, by the way that keeps every outcome.
struct Found {
    BenchInput input;
    std::uint64_t published = 0, skipped = 0, quarantined = 0, operations = 0, leaves = 0;
    std::uint64_t nodes = 0, answers = 0;
    std::string digest;  ///< SHA-256 of what `porta map run` prints
};

Result<void> storable(const std::vector<schemas::Operation>& operations) {
    const Key key = randomKey();
    const std::string box = pipeline::seal(key, pipeline::Box::operations, 0, schemas::encode(operations));
    auto plain = pipeline::open(key, pipeline::Box::operations, 0, box);
    if (!plain) return plain.error();
    auto back = schemas::decode(*plain);
    if (!back) return back.error();
    bool same = back->size() == operations.size();
    for (std::size_t i = 0; same && i < back->size(); ++i) same = (*back)[i].digest == operations[i].digest;
    if (!same) return fail(Errc::internal, "the stored form does not give the operations back", "bench.answers");
    return {};
}

Result<Found> look(const MapInput& in, const std::string& path) {
    Found f;
    f.input = {in.units.units.size(), in.bytes.size()};
    if (f.input.records == 0)
        return fail(Errc::malformed, path + ": no record in it; name a file with records of the mapping's format",
                    "bench.input");
    formats::NodeTree tree;
    std::size_t next = 0;
    std::string lines;
    Result<void> stored;
    Error first;
    const Sha256 digest = sha256([&]() -> std::string_view {
        for (lines.clear(); lines.empty() && next < in.units.units.size(); ++next) {
            const Outcome out = in.program->map(in.program->format(), in.record(next), tree);
            f.nodes = 31 * f.nodes + tree.size();
            add(f.answers, out);
            f.published += out.state == State::published;
            f.skipped += out.state == State::skipped;
            if (out.state == State::quarantined && f.quarantined++ == 0) {
                first = out.error;
                first.message = "record " + std::to_string(next) + ": " + out.error.rule + ": " +
                                (out.error.path.empty() ? "" : out.error.path + ": ") + out.error.message;
            }
            f.operations += out.operations.size();
            for (const schemas::Operation& op : out.operations) {
                f.leaves += op.leaves.size();
                lines += print(mapping::describeOperation(op)) + "\n";
            }
            if (auto back = storable(out.operations); !back && stored) stored = back;
        }
        return lines;
    });
    f.digest = hex(digest);
    if (!stored) return stored.error();
    if (f.quarantined)
        std::cerr << "porta bench map: " << f.quarantined << " quarantined, first " << first.message << "\n";
    if (f.published == 0)
        return fail(Errc::malformed,
                    path + ": none of " + std::to_string(f.input.records) + " records is published (" +
                        std::to_string(f.quarantined) + " quarantined, " + std::to_string(f.skipped) +
                        " skipped); `porta map run` tells each, and often --time-zone or --dates is missing",
                    "bench.input");
    return f;
}

/// The parts of connect and map that make a stored record of a raw one, without the store: a key of its own, wrapped; the raw
/// bytes compressed and sealed; the operations encoded and sealed.
void store(const Key& wrapping, std::string_view raw, const Outcome& outcome) {
    using pipeline::Box;
    const Key key = randomKey();
    const std::string_view plain_key(reinterpret_cast<const char*>(key.data()), key.size());
    // Volatile: nothing reads the boxes.
    volatile std::size_t size = pipeline::sealRandom(wrapping, plain_key).size();
    size = pipeline::seal(key, Box::raw_bytes, 0, compress(raw)).size();
    if (outcome.state == State::published)
        size = pipeline::seal(key, Box::operations, 0, schemas::encode(outcome.operations)).size();
    if (outcome.state == State::quarantined)
        size = pipeline::seal(key, Box::detail, 0, pipeline::encodeError(outcome.error)).size();
    static_cast<void>(size);
}

/// Every pass begins with the file's bytes: splitting it into records is part of reading.
template <class F>
void eachRecord(const MapInput& in, F&& record) {
    auto units = formats::split(in.program->format(), in.bytes);
    if (!units) return;  // then the answers are missing, and that is told
    mapping::Input input = in.declared;
    input.context = units->context;
    for (const formats::Unit& u : units->units) {
        input.bytes = std::string_view(in.bytes).substr(u.offset, u.length);
        record(input);
    }
}

/// The memory of one task, kept from pass to pass.
struct Scratch {
    formats::NodeTree tree;
    Outcome outcome;
    Key wrapping = deriveKey(randomKey(), "bench");
};

/// Owner: the tasks view `in`.
std::vector<BenchTask> tasksOver(const MapInput& in, const Found& found) {
    const auto s = std::make_shared<Scratch>();
    auto read = [&in, s] {
        std::uint64_t nodes = 0;
        eachRecord(in, [&](const mapping::Input& record) {
            // A record that cannot be read is told by `look`.
            static_cast<void>(formats::parse(in.program->format(), record.bytes, record.context, s->tree));
            nodes = 31 * nodes + s->tree.size();
        });
        return nodes;
    };
    auto map = [&in, s](bool stored) {
        std::uint64_t answers = 0;
        eachRecord(in, [&](const mapping::Input& record) {
            mapping::mapInto(*in.program, in.program->format(), record, s->tree, s->outcome);
            if (stored) store(s->wrapping, record.bytes, s->outcome);
            add(answers, s->outcome);
        });
        return answers;
    };
    return {{"read", read, found.nodes},
            {"mapped", [map] { return map(false); }, found.answers},
            {"stored", [map] { return map(true); }, found.answers}};
}

void reportOf(const MapInput& in, const Found& found, const std::vector<Timing>& timings, const BenchOptions& how) {
    Json facts = Json::object();
    facts["mapping"] = in.program->name();
    facts["published"] = found.published;
    facts["skipped"] = found.skipped;
    facts["quarantined"] = found.quarantined;
    facts["operations"] = found.operations;
    facts["leaves"] = found.leaves;
    std::ostringstream line;
    line << in.program->name() << ": " << found.input.records << " records, " << found.input.bytes
         << " bytes: " << found.published << " published, " << found.quarantined << " quarantined, " << found.skipped
         << " skipped; " << found.operations << " operations with " << found.leaves << " leaves";
    report(how, timings, found.input, found.digest, std::move(facts), line.str());
}

}  // namespace

int benchMap(const Arguments& args) {
    CLI::App app{
        "porta bench map: the records of a file, in each run: read alone (the parse that nothing can undercut); "
        "mapped,\n"
        "with the source bytes and digests that every operation carries; and stored: mapped, the raw bytes compressed "
        "and\n"
        "encrypted, the operations encoded and encrypted, under a key of their own, which is wrapped. Processor time "
        "of\n"
        "one thread, start-up and the disk not counted; splitting the file into records is part of each."};
    app.footer(
        "Examples: porta bench map mapping/library/hl7v2-adt.yaml adt.hl7 --time-zone Europe/Rome\n"
        "          porta bench map mapping/library/fhir-r4.yaml Patient.ndjson.gz --runs 5 --json");
    std::string file, path;
    mapping::Input declared;
    BenchOptions how;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_option("input", path, "input file, or - for stdin")->required();
    addRounds(app, how);
    addDeclared(app, declared);
    if (auto ended = parse(app, args)) return *ended;
    standIn(declared);
    auto in = readMapInput(file, path, declared);
    if (!in) return complain(in.error());
    auto found = look(*in, path);
    if (!found) return complain(found.error());
    auto timings = timeRounds(tasksOver(*in, *found), how);
    if (!timings) return complain(timings.error());
    reportOf(*in, *found, *timings, how);
    return 0;
}

}  // namespace porta::app
