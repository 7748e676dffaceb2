// `porta map test`: mappings, compared with the goldens beside them, and the goldens with broken mappings.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/context.h"
#include "app/map_verbs.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/mutate.h"

namespace porta::app {

namespace {

/// Of a thousand mutants, over all the mappings that are tested together.
constexpr std::size_t kGate = 950;

std::string percent(std::size_t of_a_thousand) {
    return std::to_string(of_a_thousand / 10) + "." + std::to_string(of_a_thousand % 10) + " %";
}

int test(const std::string& file, const std::string& goldens, bool bless) {
    auto report = mapping::testMapping(file, goldens, bless);
    if (!report) return complain(report.error());
    std::size_t same = 0;
    for (const auto& c : report->cases) {
        same += c.difference.empty();
        if (!c.difference.empty()) std::cerr << file << ": " << c.name << ":\n" << c.difference;
        if (!c.change.empty()) std::cout << file << ": " << c.name << " is blessed:\n" << c.change;
    }
    for (const auto& rule : report->unused)
        std::cerr << rule.file << ":" << rule.line << ": " << rule.name << " is reached by no golden\n";
    std::cout << file << ": " << same << " of " << report->cases.size() << " goldens as expected, "
              << report->rules - report->unused.size() << " of " << report->rules << " rules covered\n";
    return report->ok() ? 0 : 1;
}

int mutants(const std::vector<std::string>& files, const std::string& goldens) {
    mapping::MutationReport all;
    for (const std::string& file : files) {
        auto report = mapping::testMutants(file, goldens);
        if (!report) return complain(report.error());
        for (const auto& m : report->survived)
            std::cerr << report->file << ":" << m.line << ":" << m.column << ": survived: " << m.rule << ": " << m.what
                      << "\n";
        std::cout << file << ": " << report->killed << " of " << report->judged() << " mutants killed ("
                  << percent(report->share()) << "), " << report->refused << " refused at load\n";
        all.killed += report->killed;
        all.refused += report->refused;
        all.survived.insert(all.survived.end(), report->survived.begin(), report->survived.end());
    }
    const bool holds = all.share() >= kGate;
    std::cout << "mutation gate: " << percent(all.share()) << " of " << all.judged() << " mutants killed, "
              << percent(kGate) << " wanted: " << (holds ? "holds" : "does not hold") << "\n";
    return holds ? 0 : 1;
}

}  // namespace

int mapTest(const Arguments& args) {
    CLI::App app{"porta map test: compare with the goldens beside the mapping"};
    app.footer(
        "Examples: porta map test mapping/library/hl7v2-adt.yaml\n"
        "          porta map test mapping/library/*.yaml --mutants\n"
        "          porta map test my.yaml --bless && git diff goldens/my");
    std::vector<std::string> files;
    std::string goldens;
    bool bless = false, mutate = false;
    app.add_option("files", files, "mapping files")->required();
    app.add_option("--goldens", goldens, "folder of the cases; default goldens/NAME beside the mapping");
    app.add_flag("--bless", bless, "write what came out as expected, and print what changed");
    app.add_flag("--mutants", mutate, "break the mapping in every way that is known: at least 95 % must be noticed");
    if (auto ended = parse(app, args)) return *ended;
    int worst = 0;
    for (const std::string& file : files)
        if (int code = test(file, goldens, bless); worst == 0) worst = code;
    if (!mutate) return worst;
    const int gate = mutants(files, goldens);
    return worst != 0 ? worst : gate;
}

}  // namespace porta::app
