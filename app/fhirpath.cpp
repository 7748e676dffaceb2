// porta fhirpath: one expression over a file, or an official suite of expressions with their expected results.
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include "app/commands.h"
#include "fhirpath/expression.h"
#include "formats/format.h"

namespace porta::app {

namespace {

using fhirpath::Value;
using fhirpath::ValueKind;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

/// A file's bytes beside the tree that views them.
struct Input {
    std::string bytes = {};
    NodeTree tree = {};
};

/// A FHIR resource by its form: XML of the FHIR namespace, JSON with a resourceType; else the plain tree.
Result<std::unique_ptr<Input>> load(const std::string& file, bool plain) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(Errc::not_found, file + ": cannot be opened", "fhirpath.input");
    auto input = std::make_unique<Input>();
    input->bytes.assign(std::istreambuf_iterator<char>(in), {});
    formats::Settings settings;
    settings.kind = file.ends_with(".xml") ? formats::Kind::xml : formats::Kind::json;
    settings.fhir =
        !plain && input->bytes.find(settings.kind == formats::Kind::xml ? "http://hl7.org/fhir" : "\"resourceType\"") !=
                      std::string::npos;
    if (auto read = formats::parse(settings, input->bytes, {}, input->tree); !read) {
        Error error = read.error();
        error.message = file + " (" + std::to_string(error.offset) + "): " + error.message;
        return error;
    }
    return input;
}

/// As FHIRPath writes a literal, strings without their quotes.
std::string literal(const Value& v, const NodeTree& tree) {
    std::string text(v.str(tree));
    if (v.kind == ValueKind::date || v.kind == ValueKind::dateTime) return "@" + text;
    if (v.kind == ValueKind::time) return "@T" + text;
    if (v.kind == ValueKind::quantity) return text + " " + std::string(v.unit);
    return text;
}

std::string attribute(const NodeTree& tree, NodeId of, std::string_view name) {
    NodeId found = tree.child(of, name);
    return found == kNoNode ? std::string() : std::string(tree[found].text);
}

struct Expected {
    std::string type, text;
};

/// A value of the system has its own type; of a node the model of its format decides.
bool typed(const Value& v, const std::string& type, const NodeTree& tree) {
    static const std::map<std::string, std::string> system = {
        {"boolean", "Boolean"}, {"integer", "Integer"},   {"decimal", "Decimal"}, {"string", "String"},
        {"date", "Date"},       {"dateTime", "DateTime"}, {"time", "Time"},       {"Quantity", "Quantity"}};
    auto is = [&](const std::string& name) {
        auto check = fhirpath::Expression::compile("%value is " + name);
        if (!check) return false;
        Arena arena;
        auto result = check->evaluate(tree, tree.root(), {{"value", {v}}}, arena);
        return result && result->size() == 1 && result->front().text == "true";
    };
    auto found = system.find(type);
    return is(v.isNode() || found == system.end() ? type : found->second);
}

bool matches(const Value& v, const Expected& expected, const NodeTree& tree) {
    if (!expected.type.empty() && !typed(v, expected.type, tree)) return false;
    std::string text = literal(v, tree);
    if (v.isNode() && (expected.type == "date" || expected.type == "dateTime")) text.insert(0, "@");
    if (v.isNode() && expected.type == "time") text.insert(0, "@T");
    return text == expected.text;
}

/// "" when the test holds, else what differs.
std::string outcome(const NodeTree& suite, NodeId test, const NodeTree& input) {
    NodeId expression = suite.child(test, "expression");
    if (expression == kNoNode) return "a test without an expression";
    const std::string invalid = attribute(suite, expression, "invalid");
    const bool must_fail = !invalid.empty() && invalid != "false";
    const bool strict = attribute(suite, test, "mode") == "strict";
    auto compiled = fhirpath::Expression::compile(suite[expression].text,
                                                  strict ? fhirpath::Profile::strict : fhirpath::Profile::standard);
    if (!compiled) return must_fail ? "" : compiled.error().message;
    Arena arena;
    auto values = compiled->evaluate(input, input.root(), {}, arena);
    if (!values) return must_fail ? "" : values.error().message;
    if (must_fail) return "accepted, but " + invalid + " error expected";
    fhirpath::Collection result = std::move(*values);
    if (attribute(suite, test, "predicate") == "true") {
        auto yes = fhirpath::truth(result, input);
        if (!yes) return yes.error().message;
        result = {Value::ofBoolean(*yes)};
    }
    std::vector<Expected> expected;
    for (NodeId c = suite[test].first_child; c != kNoNode; c = suite[c].next_sibling)
        if (suite[c].name == "output") expected.push_back({attribute(suite, c, "type"), std::string(suite[c].text)});
    const bool ordered = attribute(suite, test, "ordered") != "false";
    std::string got;
    for (const Value& v : result) got += (got.empty() ? "" : ", ") + literal(v, input);
    bool same = result.size() == expected.size();
    for (std::size_t i = 0; same && i < result.size(); ++i) {
        std::size_t at = i;
        if (!ordered)
            for (at = 0; at < expected.size() && !matches(result[i], expected[at], input);) ++at;
        same = at < expected.size() && matches(result[i], expected[at], input);
        if (same && !ordered) expected[at] = {"none", ""};  // used up
    }
    if (same) return "";
    std::string wanted;
    for (const Expected& e : expected) wanted += (wanted.empty() ? "" : ", ") + e.type + " " + e.text;
    return "expected [" + wanted + "], got [" + got + "]";
}

int usage(bool asked) {
    (asked ? std::cout : std::cerr)
        << "usage: porta fhirpath eval EXPR [FILE]\n"
           "       porta fhirpath suite SUITE.xml --inputs DIR [--report FILE]\n"
           "eval prints one value a line; a FILE ending in .xml is read as XML, any other as JSON.\n"
           "suite prints the tests that fail, then `N passed, M failed`.\n"
           "Example: porta fhirpath eval \"name.where(use = 'official').given\" patient.json\n";
    return asked ? 0 : 2;
}

int evaluate(const std::string& text, const std::string& file) {
    auto expression = fhirpath::Expression::compile(text);
    if (!expression) return std::cerr << "porta fhirpath: " << expression.error().message << "\n", 1;
    auto input = file.empty() ? Result<std::unique_ptr<Input>>(std::make_unique<Input>()) : load(file, false);
    if (!input) return std::cerr << "porta fhirpath: " << input.error().message << "\n", 1;
    const NodeTree& tree = (*input)->tree;
    Arena arena;
    auto values = expression->evaluate(tree, tree.root(), {}, arena);
    if (!values) return std::cerr << "porta fhirpath: " << values.error().message << "\n", 1;
    for (const Value& v : *values)
        std::cout << (v.isNode() && tree[v.node].kind == formats::NodeKind::object ? "{…}" : literal(v, tree)) << "\n";
    return 0;
}

int suite(const std::string& file, const std::string& inputs, const std::string& report_file) {
    auto suite = load(file, true);
    if (!suite) return std::cerr << "porta fhirpath: " << suite.error().message << "\n", 1;
    const NodeTree& tree = (*suite)->tree;
    std::map<std::string, Result<std::unique_ptr<Input>>> loaded;
    Input none;
    std::ofstream report;
    if (!report_file.empty()) report.open(report_file);
    std::size_t passed = 0, failed = 0;
    const NodeId tests = tree.child(tree.root(), "tests");
    for (NodeId group = tests == kNoNode ? kNoNode : tree[tests].first_child; group != kNoNode;
         group = tree[group].next_sibling) {
        for (NodeId test = tree[group].first_child; test != kNoNode; test = tree[test].next_sibling) {
            if (tree[group].name != "group" || tree[test].name != "test") continue;
            const std::string name = attribute(tree, group, "name") + "/" + attribute(tree, test, "name");
            const std::string of = attribute(tree, test, "inputfile");
            const bool plain = attribute(tree, test, "mode") == "cda";
            const NodeTree* input = &none.tree;
            std::string problem;
            if (!of.empty()) {
                auto found = loaded.find(of);
                if (found == loaded.end()) found = loaded.emplace(of, load(inputs + "/" + of, plain)).first;
                if (!found->second) problem = found->second.error().message;
                else input = &(*found->second)->tree;
            }
            if (problem.empty()) problem = outcome(tree, test, *input);
            ++(problem.empty() ? passed : failed);
            if (!problem.empty()) std::cout << name << ": " << problem << "\n";
            if (report.is_open())
                report << name << "\t" << (problem.empty() ? "passed" : "failed") << "\t" << problem << "\n";
        }
    }
    std::cout << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace

int commandFhirpath(const Arguments& args) {
    if (!args.empty() && args[0] == "--help") return usage(true);
    if (args.size() >= 2 && args.size() <= 3 && args[0] == "eval")
        return evaluate(args[1], args.size() > 2 ? args[2] : std::string());
    std::string file, inputs = ".", report;
    bool bad = args.empty() || args[0] != "suite";
    for (std::size_t i = 1; i < args.size(); ++i) {
        if (args[i] == "--inputs" && i + 1 < args.size()) inputs = args[++i];
        else if (args[i] == "--report" && i + 1 < args.size()) report = args[++i];
        else if (file.empty() && !args[i].starts_with("--")) file = args[i];
        else bad = true;
    }
    return bad || file.empty() ? usage(false) : suite(file, inputs, report);
}

}  // namespace porta::app
