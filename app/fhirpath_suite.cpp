#include "app/fhirpath_suite.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "app/suite_report.h"
#include "formats/format.h"

namespace porta::app {

using fhirpath::Value;
using fhirpath::ValueKind;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

Result<std::unique_ptr<TreeInput>> loadTree(const std::string& file, bool plain) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(Errc::not_found, file + ": cannot be opened", "fhirpath.input");
    auto input = std::make_unique<TreeInput>();
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

std::string literalText(const Value& v, const NodeTree& tree) {
    std::string text(v.str(tree));
    if (v.kind == ValueKind::date || v.kind == ValueKind::dateTime) return "@" + text;
    if (v.kind == ValueKind::time) return "@T" + text;
    if (v.kind == ValueKind::quantity) return text + " " + std::string(v.unit);
    return text;
}

namespace {

std::string attribute(const NodeTree& tree, NodeId of, std::string_view name) {
    NodeId found = tree.child(of, name);
    return found == kNoNode ? std::string() : std::string(tree[found].text);
}

struct Expected {
    std::string type, text;
};

/// A value of the system has its own type, or one that it converts to by itself (5.5: an Integer is a Decimal, a Date a
/// DateTime); of a node the model decides.
bool typed(const Value& v, const std::string& type, const NodeTree& tree, fhirpath::Release release) {
    static const std::map<std::string, std::vector<std::string>> system = {
        {"boolean", {"Boolean"}}, {"integer", {"Integer"}},   {"decimal", {"Decimal", "Integer"}},
        {"string", {"String"}},   {"date", {"Date"}},         {"dateTime", {"DateTime", "Date"}},
        {"time", {"Time"}},       {"Quantity", {"Quantity"}}, {"integer64", {"Long", "Integer"}},
        {"code", {"String"}}};
    auto is = [&](const std::string& name) {
        fhirpath::Options options;
        options.release = release;
        auto check = fhirpath::Expression::compile("%value is " + name, options);
        if (!check) return false;
        Arena arena;
        auto result = check->evaluate(tree, tree.root(), {{"value", {v}}}, arena);
        return result && result->size() == 1 && result->front().text == "true";
    };
    auto found = system.find(type);
    if (v.isNode() || found == system.end()) return is(type);
    for (const std::string& name : found->second)
        if (is(name)) return true;
    return false;
}

bool matches(const Value& v, const Expected& expected, const NodeTree& tree, fhirpath::Release release) {
    if (!expected.type.empty() && !typed(v, expected.type, tree, release)) return false;
    std::string text = literalText(v, tree);
    if (v.isNode() && (expected.type == "date" || expected.type == "dateTime")) text.insert(0, "@");
    if (v.isNode() && expected.type == "time") text.insert(0, "@T");
    return text == expected.text;
}

struct Suite {
    const NodeTree& tree;
    const fhirpath::Options& options;

    /// "" when the test holds, else what differs.
    std::string outcome(NodeId test, const NodeTree& input) const;
    std::string compared(NodeId test, const fhirpath::Collection& result, const NodeTree& input) const;
};

std::string Suite::outcome(NodeId test, const NodeTree& input) const {
    const NodeId expression = tree.child(test, "expression");
    if (expression == kNoNode) return "a test without an expression";
    const std::string invalid = attribute(tree, expression, "invalid");
    const bool must_fail = !invalid.empty() && invalid != "false";
    const std::string mode = attribute(tree, test, "mode");
    auto compiled = fhirpath::Expression::compile(tree[expression].text, options);
    if (!compiled) return must_fail ? "" : compiled.error().message;
    const NodeId type = input.child(input.root(), "resourceType");
    const bool lenient = mode.starts_with("lenient") || attribute(tree, test, "skipStaticCheck") == "true";
    if (type != kNoNode && !lenient) {
        const bool ordered = mode == "strict" || attribute(tree, test, "checkOrderedFunctions") == "true";
        if (auto fits = compiled->check(input[type].text, ordered); !fits) return must_fail ? "" : fits.error().message;
    }
    // Of plain XML the context is its document element.
    const NodeId only = input[input.root()].first_child;
    const NodeId context = mode == "cda" && only != kNoNode ? only : input.root();
    Arena arena;
    auto values = compiled->evaluate(input, context, {}, arena);
    if (!values) return must_fail ? "" : values.error().message;
    if (must_fail) return "accepted, but " + invalid + " error expected";
    fhirpath::Collection result = std::move(*values);
    if (attribute(tree, test, "predicate") == "true") {
        auto yes = fhirpath::truth(result, input);
        if (!yes) return yes.error().message;
        result = {Value::ofBoolean(*yes)};
    }
    return compared(test, result, input);
}

std::string Suite::compared(NodeId test, const fhirpath::Collection& result, const NodeTree& input) const {
    std::vector<Expected> expected;
    for (NodeId c = tree[test].first_child; c != kNoNode; c = tree[c].next_sibling)
        if (tree[c].name == "output") expected.push_back({attribute(tree, c, "type"), std::string(tree[c].text)});
    const bool ordered = attribute(tree, test, "ordered") != "false";
    std::string got, wanted;
    for (const Value& v : result) got += (got.empty() ? "" : ", ") + literalText(v, input);
    for (const Expected& e : expected) wanted += (wanted.empty() ? "" : ", ") + e.type + " " + e.text;
    bool same = result.size() == expected.size();
    for (std::size_t i = 0; same && i < result.size(); ++i) {
        std::size_t at = i;
        if (!ordered)
            for (at = 0; at < expected.size() && !matches(result[i], expected[at], input, options.release);) ++at;
        same = at < expected.size() && matches(result[i], expected[at], input, options.release);
        if (same && !ordered) expected[at] = {"none", ""};  // used up
    }
    return same ? "" : "expected [" + wanted + "], got [" + got + "]";
}

}  // namespace

int runFhirpathSuite(const std::string& file, const std::string& inputs, const std::string& report_file,
                     const fhirpath::Options& options) {
    auto loaded_suite = loadTree(file, true);
    if (!loaded_suite) return std::cerr << "porta fhirpath: " << loaded_suite.error().message << "\n", 1;
    const NodeTree& tree = (*loaded_suite)->tree;
    const Suite suite{tree, options};
    std::map<std::string, Result<std::unique_ptr<TreeInput>>> loaded;
    TreeInput none;
    SuiteReport report;
    std::size_t passed = 0, failed = 0, asked = 0;
    const NodeId tests = tree.child(tree.root(), "tests");
    for (NodeId group = tests == kNoNode ? kNoNode : tree[tests].first_child; group != kNoNode;
         group = tree[group].next_sibling) {
        for (NodeId test = tree[group].first_child; test != kNoNode; test = tree[test].next_sibling) {
            if (tree[group].name != "group" || tree[test].name != "test") continue;
            const std::string name = attribute(tree, group, "name") + "/" + attribute(tree, test, "name");
            const std::string of = attribute(tree, test, "inputfile"), mode = attribute(tree, test, "mode");
            if (mode == "tx" && !options.terminology) {
                std::cout << name << ": left out, it asks a terminology server\n";
                ++asked;
                continue;
            }
            const NodeTree* input = &none.tree;
            std::string problem;
            if (!of.empty()) {
                auto found = loaded.find(of);
                if (found == loaded.end()) found = loaded.emplace(of, loadTree(inputs + "/" + of, mode == "cda")).first;
                if (!found->second) problem = found->second.error().message;
                else input = &(*found->second)->tree;
            }
            if (problem.empty()) problem = suite.outcome(test, *input);
            ++(problem.empty() ? passed : failed);
            if (!problem.empty()) std::cout << name << ": " << problem << "\n";
            report.add(std::filesystem::path(file).filename().string(), name, problem.empty(), problem);
        }
    }
    if (asked > 0) std::cout << asked << " left out: tests that ask a terminology server\n";
    if (!report_file.empty())
        if (auto written = report.write(report_file); !written)
            return std::cerr << "porta fhirpath: " << written.error().message << "\n", 1;
    std::cout << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace porta::app
