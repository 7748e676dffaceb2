// `porta map test`: mappings, compared with the goldens beside them.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/context.h"
#include "app/map_verbs.h"
#include "mapping/engine/golden.h"

namespace porta::app {

namespace {

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

int mapTest(const Arguments& args) {
    CLI::App app{"porta map test: compare with the goldens beside the mapping"};
    app.footer("Example: porta map test mapping/library/hl7v2-adt.yaml");
    std::vector<std::string> files;
    bool update = false;
    app.add_option("files", files, "mapping files")->required();
    app.add_flag("--update", update, "write what came out as expected");
    try {
        app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::ParseError& e) {
        return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    }
    return test(files, update);
}

}  // namespace porta::app
