// `porta bench fhirpath`: how long expressions take for the records of a file, from their bytes.
#include <CLI/CLI.hpp>

#include <iostream>

#include "app/bench_rounds.h"
#include "app/bench_verbs.h"
#include "app/context.h"
#include "app/input_file.h"
#include "base/hash.h"
#include "fhirpath/expression.h"
#include "formats/format.h"

namespace porta::app {

namespace {

using fhirpath::Collection;
using fhirpath::Expression;
using formats::NodeTree;

/// The records of one file, their reader and the expressions; one record at a time.
struct Bench {
    formats::Settings settings = {};
    std::string bytes = {};
    formats::Units units = {};
    std::vector<Expression> expressions = {};
    NodeTree tree = {};
    Arena arena = {};
    Collection values = {};

    Result<void> read(std::size_t record) {
        const formats::Unit& u = units.units[record];
        return formats::parse(settings, std::string_view(bytes).substr(u.offset, u.length), units.context, tree);
    }
    Result<void> evaluate(const Expression& e) {
        values.clear();
        return e.evaluate(tree, tree.root(), {}, arena, values);
    }
    /// `[[values of the first expression], …]`, a line.
    Result<std::string> answers(std::size_t record) {
        if (auto done = read(record); !done) return done.error();
        arena.clear();
        Json all = Json::array();
        for (const Expression& e : expressions) {
            if (auto done = evaluate(e); !done) return done.error();
            Json found = Json::array();
            for (const fhirpath::Value& v : values) found.push(v.str(tree));
            all.push(std::move(found));
        }
        return print(all) + "\n";
    }
    std::uint64_t readAll() {
        std::uint64_t nodes = 0;
        for (std::size_t i = 0; i < units.units.size(); ++i) nodes = 31 * nodes + (read(i) ? tree.size() : 0);
        return nodes;
    }
    std::uint64_t evaluateAll() {
        std::uint64_t answers = 0;
        for (std::size_t i = 0; i < units.units.size(); ++i) {
            if (!read(i)) continue;
            arena.clear();
            for (const Expression& e : expressions) {
                if (!evaluate(e)) continue;
                for (const fhirpath::Value& v : values) answers = 31 * answers + formats::Name::tagOf(v.str(tree));
            }
        }
        return answers;
    }
};

Result<Bench> benchOf(const std::string& path, const std::vector<std::string>& texts) {
    auto bytes = readInput(path);
    if (!bytes) return bytes.error();
    Bench b;
    b.settings.kind = formats::Kind::ndjson;
    b.settings.fhir = true;
    b.bytes = std::move(*bytes);
    for (const std::string& text : texts) {
        auto e = Expression::compile(text);
        if (!e) return std::move(e.error());
        b.expressions.push_back(std::move(*e));
    }
    auto units = formats::split(b.settings, b.bytes);
    if (!units) return units.error();
    b.units = std::move(*units);
    if (b.units.units.empty())
        return fail(Errc::malformed, path + ": no record in it; nothing is timed", "bench.input");
    return b;
}

/// The answers of every record, given to `to`; the first that is refused ends it.
Result<void> each(Bench& b, const std::string& path, const std::function<void(const std::string&)>& to) {
    for (std::size_t i = 0; i < b.units.units.size(); ++i) {
        auto line = b.answers(i);
        if (!line)
            return fail(line.error().code,
                        path + ": record " + std::to_string(i) + ": " + line.error().message + "; nothing is timed",
                        "bench.input");
        to(*line);
    }
    return {};
}

int run(Bench& b, const std::string& path, const BenchOptions& how) {
    std::string all;
    if (auto done = each(b, path, [&](const std::string& line) { all += line; }); !done) return complain(done.error());
    const std::string digest = hex(sha256(all));
    const BenchInput input{b.units.units.size(), b.bytes.size()};
    auto timings = timeRounds({{"read", [&] { return b.readAll(); }, b.readAll()},
                               {"evaluated", [&] { return b.evaluateAll(); }, b.evaluateAll()}},
                              how);
    if (!timings) return complain(timings.error());
    report(how, *timings, input, digest, Json::object(),
           std::to_string(input.records) + " records, " + std::to_string(input.bytes) +
               " bytes; expressions: " + std::to_string(b.expressions.size()));
    return 0;
}

}  // namespace

int benchFhirpath(const Arguments& args) {
    CLI::App app{
        "porta bench fhirpath: reads each record of FHIR in JSON, one a line, and evaluates expressions on it, again "
        "and\n"
        "again. Processor time of one thread, the disk not counted. --print shows the answers instead, a line for "
        "each\n"
        "record: a list of values for each expression; they are personal data."};
    app.footer("Example: porta bench fhirpath patients.ndjson identifier.value name.family birthDate --runs 5");
    BenchOptions how;
    std::string path;
    std::vector<std::string> texts;
    bool show = false;
    app.add_option("input", path, "input file, perhaps gzip, or - for stdin")->required();
    app.add_option("expression", texts, "FHIRPath")->required();
    app.add_flag("--print", show, "the answers; nothing is timed");
    addRounds(app, how);
    if (auto ended = parse(app, args)) return *ended;
    auto bench = benchOf(path, texts);
    if (!bench) return complain(bench.error());
    if (!show) return run(*bench, path, how);
    auto done = each(*bench, path, [](const std::string& line) { std::cout << line; });
    return done ? 0 : complain(done.error());
}

}  // namespace porta::app
