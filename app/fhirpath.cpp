// porta fhirpath: one expression over a file, or an official suite of expressions with their expected results.
#include <iostream>

#include "app/commands.h"
#include "app/fhirpath_suite.h"
#include "app/term_files.h"

namespace porta::app {

namespace {

using fhirpath::Value;
using formats::NodeTree;

int usage(bool asked) {
    (asked ? std::cout : std::cerr)
        << "usage: porta fhirpath eval EXPR [FILE] [--strict] [--normative] [--release r4|r5] [--terms FILE]…\n"
           "       porta fhirpath suite SUITE.xml --inputs DIR [--report FILE] [--release r4|r5] [--terms FILE]…\n"
           "eval prints one value a line, and what trace() sees to the error stream; a FILE ending in .xml is read as "
           "XML, any\n"
           "other as JSON. --strict checks the types against FHIR's model first; --normative refuses what only the 3.0 "
           "ballot has.\n"
           "Terminology functions are answered from what `porta terms list` prints, and from --terms: a ValueSet, "
           "CodeSystem or\n"
           "ConceptMap of FHIR, JSON.\n"
           "suite prints the tests that fail and those that ask a terminology server, then `N passed, M failed`; "
           "--report writes\n"
           "them as test_report.json. The release is r5 when the suite's name says so, else r4.\n"
           "Examples: porta fhirpath eval \"name.where(use = 'official').given\" patient.json\n"
           "          porta fhirpath eval \"(3 | 1 | 2).sort($this desc)\"\n"
           "          porta fhirpath suite tests-fhir-r4.xml --inputs inputs --report test_report.json\n";
    return asked ? 0 : 2;
}

std::string shown(const Value& v, const NodeTree& tree) {
    const bool object = v.isNode() && tree[v.node].kind == formats::NodeKind::object && tree[v.node].text.empty();
    return object ? "{…}" : literalText(v, tree);
}

int evaluate(const std::string& text, const std::string& file, fhirpath::Options options) {
    options.limits.time = std::chrono::seconds(10);
    options.trace = [](std::string_view name, const fhirpath::Collection& values, const NodeTree& tree) {
        std::cerr << "trace " << name << ":";
        for (const Value& v : values) std::cerr << " " << shown(v, tree);
        std::cerr << "\n";
    };
    auto expression = fhirpath::Expression::compile(text, options);
    if (!expression) return std::cerr << "porta fhirpath: " << expression.error().message << "\n", 1;
    auto input =
        file.empty() ? Result<std::unique_ptr<TreeInput>>(std::make_unique<TreeInput>()) : loadTree(file, false);
    if (!input) return std::cerr << "porta fhirpath: " << input.error().message << "\n", 1;
    const NodeTree& tree = (*input)->tree;
    Arena arena;
    auto values = expression->evaluate(tree, tree.root(), {}, arena);
    if (!values) return std::cerr << "porta fhirpath: " << values.error().message << "\n", 1;
    for (const Value& v : *values) std::cout << shown(v, tree) << "\n";
    return 0;
}

}  // namespace

int commandFhirpath(const Arguments& args) {
    if (!args.empty() && args[0] == "--help") return usage(true);
    std::vector<std::string> plain, terms;
    std::string inputs = ".", report, release;
    fhirpath::Options options;
    const std::string verb = args.empty() ? "" : args[0];
    bool bad = verb != "eval" && verb != "suite";
    for (std::size_t i = 1; i < args.size(); ++i) {
        const bool more = i + 1 < args.size();
        if (args[i] == "--inputs" && verb == "suite" && more) inputs = args[++i];
        else if (args[i] == "--report" && verb == "suite" && more) report = args[++i];
        else if (args[i] == "--release" && more) release = args[++i];
        else if (args[i] == "--terms" && more) terms.push_back(args[++i]);
        else if (args[i] == "--strict" && verb == "eval") options.profile = fhirpath::Profile::strict;
        else if (args[i] == "--normative" && verb == "eval") options.ballot = false;
        else if (args[i].starts_with("--")) bad = true;
        else plain.push_back(args[i]);
    }
    bad = bad || (!release.empty() && release != "r4" && release != "r5") || plain.empty() ||
          plain.size() > (verb == "eval" ? 2u : 1u);
    if (bad) return usage(false);
    const bool named_r5 = verb == "suite" && plain[0].find("r5") != std::string::npos;
    if (release == "r5" || (release.empty() && named_r5)) options.release = fhirpath::Release::r5;
    if (verb == "eval" || !terms.empty()) {
        auto tables = termsWith(terms);
        if (!tables) return std::cerr << "porta fhirpath: " << tables.error().message << "\n", 1;
        options.terminology = std::move(*tables);
    }
    if (verb == "eval") return evaluate(plain[0], plain.size() > 1 ? plain[1] : std::string(), options);
    return runFhirpathSuite(plain[0], inputs, report, options);
}

}  // namespace porta::app
