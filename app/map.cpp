// `porta map VERB`: finds the verb. `run` lives here: a file mapped without a gateway around it.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/context.h"
#include "app/map_input.h"
#include "app/map_verbs.h"
#include "base/yaml.h"
#include "mapping/engine/golden.h"
#include "mapping/engine/program.h"

namespace porta::app {

namespace {

int run(const std::string& file, const std::string& path, const mapping::Input& declared) {
    auto in = readMapInput(file, path, declared);
    if (!in) return complain(in.error());
    formats::NodeTree tree;
    std::size_t published = 0, skipped = 0, quarantined = 0;
    for (std::size_t i = 0; i < in->units.units.size(); ++i) {
        mapping::Outcome out = in->program->map(in->program->format(), in->record(i), tree);
        for (const auto& op : out.operations) std::cout << print(mapping::describeOperation(op)) << "\n";
        published += out.state == mapping::State::published;
        skipped += out.state == mapping::State::skipped;
        quarantined += out.state == mapping::State::quarantined;
        if (out.state == mapping::State::skipped) std::cerr << "record " << i << ": skipped: " << out.rule << "\n";
        if (out.state == mapping::State::quarantined)
            std::cerr << "record " << i << " at " << in->units.units[i].offset + out.error.offset << ": "
                      << name(out.error.code) << ": " << out.error.rule << ": " << out.error.path << ": "
                      << out.error.message << "\n";
    }
    std::cerr << published << " published, " << quarantined << " quarantined, " << skipped << " skipped\n";
    return 0;
}

int mapRun(const Arguments& args) {
    CLI::App app{"porta map run: map a file; NDJSON of operations"};
    app.footer("Example: porta map run mapping/library/contacts.yaml contacts.csv --source contacts");
    std::string file, input;
    mapping::Input declared;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_option("input", input, "input file, or - for stdin")->required();
    addDeclared(app, declared);
    if (auto ended = parse(app, args)) return *ended;
    return run(file, input, declared);
}

struct Verb {
    const char* name;
    int (*run)(const Arguments&);
    const char* summary;
};
const Verb kVerbs[] = {
    {"check", mapCheck, "compile and check mapping files"},
    {"run", mapRun, "map a file; NDJSON of operations"},
    {"new", mapNew, "a configuration directory from a sample, a JSON Schema or an XSD"},
    {"test", mapTest, "compare with the goldens beside the mapping"},
    {"explain", mapExplain, "a record beside its bytes: the rule and the sources of each field"},
    {"unread", mapUnread, "the input that no rule has read"},
    {"lineage", mapLineage, "the sources of each field, by the rules alone"},
    {"diff", mapDiff, "what another version of a mapping means otherwise, and whom it changes"},
};

}  // namespace

int commandMap(const Arguments& args) {
    std::string verb = args.empty() ? "" : args[0];
    for (const Verb& v : kVerbs)
        if (verb == v.name) return v.run(Arguments(args.begin() + 1, args.end()));
    bool asked = verb == "--help" || verb == "-h" || verb == "help";
    std::ostream& out = asked ? std::cout : std::cerr;
    if (!asked) {
        std::vector<std::string> names;
        for (const Verb& v : kVerbs) names.push_back(v.name);
        std::string near = nearest(verb, names);
        out << "porta map: " << (verb.empty() ? "a verb is missing" : "unknown verb")
            << (near.empty() ? "" : "; did you mean `" + near + "`?") << "\n";
    }
    out << "porta map: mappings, checked, run, tested and explained\n\nusage: porta map VERB …\n\n";
    for (const Verb& v : kVerbs)
        out << "  " << v.name << std::string(10 - std::string(v.name).size(), ' ') << v.summary << "\n";
    out << "\n`porta map VERB --help` says more. Example: porta map test mapping/library/hl7v2-adt.yaml\n";
    return asked ? 0 : 2;
}

}  // namespace porta::app
