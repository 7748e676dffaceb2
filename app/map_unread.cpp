// `porta map unread`: the input that no rule has read, by path.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <map>

#include "app/context.h"
#include "app/map_input.h"
#include "app/map_verbs.h"
#include "mapping/engine/explain.h"

namespace porta::app {

namespace {

struct Found {
    std::size_t count = 0;
    std::uint64_t example = 0;
};

}  // namespace

int mapUnread(const Arguments& args) {
    CLI::App app{
        "porta map unread: the parts of the input that no rule and no condition has read, by path, the most frequent\n"
        "first. Of records that the mapping does not take nothing is read but what its `when` looks at."};
    app.footer(
        "Examples: porta map unread mapping/library/hl7v2-adt.yaml adt.hl7\n"
        "          porta map unread my.yaml register.csv --json");
    std::string file, path;
    mapping::Input declared;
    bool json = false;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_option("input", path, "input file, or - for stdin")->required();
    app.add_flag("--json", json, "one line a path: {path, count, example_offset}");
    addDeclared(app, declared);
    try {
        app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::ParseError& e) {
        return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    }
    standIn(declared);
    auto in = readMapInput(file, path, declared);
    if (!in) return complain(in.error());
    mapping::Explainer explainer(*in->program);
    std::map<std::string, Found> found;
    for (std::size_t i = 0; i < in->units.units.size(); ++i)
        for (const mapping::Unread& u : explainer.explain(in->program->format(), in->record(i)).unread) {
            Found& f = found[u.path];
            if (f.count++ == 0) f.example = in->units.units[i].offset + u.span.offset;
        }
    std::vector<std::pair<std::string, Found>> sorted(found.begin(), found.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
    for (const auto& [name, f] : sorted) {
        Json line = Json::object();
        line["path"] = name;
        line["count"] = static_cast<std::uint64_t>(f.count);
        line["example_offset"] = f.example;
        if (json) std::cout << print(line) << "\n";
        else std::cout << name << "  " << f.count << " times, first at " << f.example << "\n";
    }
    if (!json && sorted.empty()) std::cerr << "everything is read\n";
    return 0;
}

}  // namespace porta::app
