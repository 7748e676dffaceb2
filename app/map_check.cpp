// `porta map check`: mapping files, compiled and checked.
#include <CLI/CLI.hpp>

#include "app/map_verbs.h"
#include "mapping/engine/program.h"

namespace porta::app {

namespace {

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

}  // namespace

int mapCheck(const Arguments& args) {
    CLI::App app{"porta map check: compile and check mapping files"};
    app.footer("Example: porta map check mapping/library/hl7v2-adt.yaml");
    std::vector<std::string> files;
    app.add_option("files", files, "mapping files")->required();
    try {
        app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::ParseError& e) {
        return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    }
    return check(files);
}

}  // namespace porta::app
