// `porta map check | run | test`: mappings without a gateway around them.
#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/program.h"

namespace porta::app {

namespace {

int complain(const Error& error) {
    std::cerr << error.message << "\n";
    return exitCode(error.code);
}

int check(const std::vector<std::string>& files) {
    int worst = 0;
    for (const std::string& file : files) {
        auto program = mapping::Program::load(file);
        if (!program) {
            worst = complain(program.error());
            continue;
        }
        std::cout << file << ": " << (*program)->name() << ", " << (*program)->rules().size() << " rules, "
                  << hex((*program)->digest()) << "\n";
    }
    return worst;
}

int run(const std::string& file, const std::string& path, mapping::Input declared) {
    auto program = mapping::Program::load(file);
    if (!program) return complain(program.error());
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream in(path, std::ios::binary);
        if (!in)
            return complain(fail(Errc::not_found, path + ": cannot be opened; check the path and its permissions"));
        text << in.rdbuf();
    }
    std::string bytes = text.str();
    if (formats::looksGzipped(bytes)) {
        auto plain = formats::gunzip(bytes, std::uint64_t(1) << 30);
        if (!plain) return complain(plain.error());
        bytes = std::move(*plain);
    }
    const formats::Settings& format = (*program)->format();
    auto units = formats::split(format, bytes);
    if (!units) return complain(units.error());
    formats::NodeTree tree;
    std::size_t published = 0, skipped = 0, quarantined = 0;
    for (std::size_t i = 0; i < units->units.size(); ++i) {
        const formats::Unit& u = units->units[i];
        mapping::Input input = declared;
        input.bytes = std::string_view(bytes).substr(u.offset, u.length);
        input.context = units->context;
        mapping::Outcome out = (*program)->map(format, input, tree);
        for (const auto& op : out.operations) std::cout << print(mapping::describeOperation(op)) << "\n";
        published += out.state == mapping::State::published;
        skipped += out.state == mapping::State::skipped;
        quarantined += out.state == mapping::State::quarantined;
        if (out.state == mapping::State::skipped) std::cerr << "record " << i << ": skipped: " << out.rule << "\n";
        if (out.state == mapping::State::quarantined)
            std::cerr << "record " << i << " at " << u.offset + out.error.offset << ": " << name(out.error.code) << ": "
                      << out.error.rule << ": " << out.error.path << ": " << out.error.message << "\n";
    }
    std::cerr << published << " published, " << quarantined << " quarantined, " << skipped << " skipped\n";
    return 0;
}

int test(const std::vector<std::string>& files, bool update) {
    int worst = 0;
    for (const std::string& file : files) {
        auto report = mapping::testMapping(file, {}, update);
        if (!report) {
            worst = complain(report.error());
            continue;
        }
        std::size_t same = 0;
        for (const auto& c : report->cases) {
            same += c.difference.empty();
            if (!c.difference.empty()) std::cerr << file << ": " << c.name << ": " << c.difference << "\n";
        }
        for (const auto& rule : report->unused)
            std::cerr << rule.file << ":" << rule.line << ": " << rule.name << " is reached by no golden\n";
        std::cout << file << ": " << same << " of " << report->cases.size() << " goldens as expected, "
                  << report->rules - report->unused.size() << " of " << report->rules << " rules covered\n";
        if (!report->ok() && worst == 0) worst = 1;
    }
    return worst;
}

}  // namespace

int commandMap(const Arguments& args) {
    CLI::App app{"porta map: mappings, checked, run and tested"};
    app.footer("Example: porta map test mapping/library/hl7v2-adt.yaml");
    app.require_subcommand(1);
    std::vector<std::string> files;
    std::string file, input;
    mapping::Input declared;
    declared.source = "local";
    bool update = false;
    CLI::App* checking = app.add_subcommand("check", "compile and check mapping files");
    checking->add_option("files", files, "mapping files")->required();
    CLI::App* running = app.add_subcommand("run", "map a file; NDJSON of operations");
    running->add_option("mapping", file, "mapping file")->required();
    running->add_option("input", input, "input file, or - for stdin")->required();
    running->add_option("--source", declared.source, "source id of the keys");
    running->add_option("--time-zone", declared.time_zone, "IANA zone of times without offset");
    running->add_option("--object-time", declared.object_time, "time of the object, ISO 8601");
    running->add_option("--dates", declared.date_pattern, "date pattern, e.g. dd/MM/yyyy");
    running->add_flag("--full", declared.full_snapshot, "the input is a full snapshot");
    CLI::App* testing = app.add_subcommand("test", "compare with the goldens beside the mapping");
    testing->add_option("files", files, "mapping files")->required();
    testing->add_flag("--update", update, "write what came out as expected");
    try {
        std::vector<std::string> reversed(args.rbegin(), args.rend());
        app.parse(reversed);
    } catch (const CLI::ParseError& e) {
        int code = app.exit(e, std::cout, std::cerr);
        return code == 0 ? 0 : 2;
    }
    if (checking->parsed()) return check(files);
    if (running->parsed()) return run(file, input, declared);
    return test(files, update);
}

}  // namespace porta::app
