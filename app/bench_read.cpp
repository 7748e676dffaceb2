// `porta bench read`: how long the reader of a format takes for a file.
#include <CLI/CLI.hpp>

#include <iostream>

#include "app/bench_rounds.h"
#include "app/bench_verbs.h"
#include "app/context.h"
#include "app/input_file.h"
#include "app/reader_options.h"
#include "base/hash.h"
#include "formats/zip.h"

namespace porta::app {

namespace {

struct Found {
    BenchInput input;
    std::uint64_t nodes = 0, answers = 0;
    std::string digest;  ///< SHA-256 of what `porta read` prints
};

/// Once, with everything that the reader says; the first record that it refuses ends it, as in `porta read`.
Result<Found> look(const formats::Settings& settings, const std::string& path, const std::string& bytes) {
    auto units = formats::split(settings, bytes);
    if (!units) return units.error();
    Found f;
    f.input = {units->units.size(), bytes.size()};
    formats::NodeTree tree;
    std::size_t next = 0;
    std::string lines;
    Result<void> read;
    f.digest = hex(sha256([&]() -> std::string_view {
        lines.clear();
        if (next == units->units.size() || !read) return lines;
        const formats::Unit& unit = units->units[next];
        read = formats::parse(settings, std::string_view(bytes).substr(unit.offset, unit.length), units->context, tree);
        if (!read) return lines;
        f.nodes += tree.size();
        f.answers = 31 * f.answers + tree.size();
        describeUnit(next++, unit, tree, settings.groups, [&](std::string_view part) { lines += part; });
        return lines;
    }));
    if (!read)
        return fail(read.error().code,
                    path + ": record " + std::to_string(next) + " at byte " +
                        std::to_string(units->units[next].offset + read.error().offset) + ": " + read.error().rule +
                        ": " + read.error().message + "; nothing is timed",
                    "bench.input");
    if (f.input.records == 0) return fail(Errc::malformed, path + ": no record in it; nothing is timed", "bench.input");
    return f;
}

int run(const formats::Settings& settings, const std::string& path, const BenchOptions& how) {
    auto bytes = readInput(path);
    if (!bytes) return complain(bytes.error());
    if (formats::looksZipped(*bytes))
        return complain(
            fail(Errc::malformed, path + ": a ZIP archive; unpack it and time one of its files", "bench.input"));
    auto found = look(settings, path, *bytes);
    if (!found) return complain(found.error());
    formats::NodeTree tree;
    auto pass = [&] {
        std::uint64_t answers = 0;
        auto units = formats::split(settings, *bytes);
        for (std::size_t i = 0; units && i < units->units.size(); ++i) {
            const formats::Unit& u = units->units[i];
            static_cast<void>(
                formats::parse(settings, std::string_view(*bytes).substr(u.offset, u.length), units->context, tree));
            answers = 31 * answers + tree.size();
        }
        return answers;
    };
    auto timings = timeRounds({{"read", pass, found->answers}}, how);
    if (!timings) return complain(timings.error());
    Json facts = Json::object();
    facts["nodes"] = found->nodes;
    report(how, *timings, found->input, found->digest, std::move(facts),
           std::to_string(found->input.records) + " records, " + std::to_string(found->input.bytes) + " bytes, " +
               std::to_string(found->nodes) + " nodes");
    return 0;
}

}  // namespace

int benchRead(const Arguments& args) {
    CLI::App app{
        "porta bench read: splits a file into records and reads each, again and again. Processor time of one thread, "
        "the\n"
        "disk not counted. FORMAT and its options are those of `porta read`: json ndjson csv fixed hl7v2 edifact xml;\n"
        "--dialect fhir, --delimiter C, --encoding NAME, --columns NAME:WIDTH,…, --ragged, --record ELEMENT, "
        "--groups."};
    app.footer(
        "Examples: porta bench read hl7v2 adt.hl7\n"
        "          porta bench read csv register.csv --delimiter ';' --runs 5 --json");
    BenchOptions how;
    ReaderOptions reader;
    std::string format, path;
    app.add_option("format", format, "of the reader")->required();
    app.add_option("input", path, "input file, perhaps gzip, or - for stdin")->required();
    addRounds(app, how);
    // The reader's own options are taken out first; its format stays where it is.
    Arguments rest;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const bool valued = args[i] == "--runs" || args[i] == "--seconds", named = !reader.format.empty();
        const bool own = valued || args[i] == "--json" || args[i] == "--help" || args[i] == "-h";
        if (!own && reader.take(args, i) && (named || reader.format.empty())) continue;
        rest.push_back(args[i]);
        if (valued && i + 1 < args.size()) rest.push_back(args[++i]);
    }
    if (auto ended = parse(app, rest)) return *ended;
    auto settings = reader.settings();
    if (!settings) {
        std::cerr << "porta bench read: " << settings.error().message << "\n";
        return 2;
    }
    ReaderOptions::adapt(*settings, path);
    return run(*settings, path, how);
}

}  // namespace porta::app
