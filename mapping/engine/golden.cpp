#include "mapping/engine/golden.h"

#include <algorithm>
#include <fstream>

#include "mapping/engine/coverage.h"
#include "mapping/engine/golden_file.h"

namespace porta::mapping {

namespace {

Json keyTexts(const std::vector<schemas::RecordKey>& keys) {
    Json a = Json::array();
    for (const auto& k : keys) a.push(k.text());
    return a;
}

/// One raw record's line of an expected file: what stands there where it is as expected, else what was found.
std::string lineOf(const GoldenCase& c, std::size_t i, const Json& found, bool same) {
    return same && i < c.text.size() ? c.text[i] : print(found);
}

/// A case held against its expected file, which is written anew with `bless`.
GoldenReport::Case compared(const GoldenCase& c, const std::vector<Json>& found, bool bless) {
    GoldenReport::Case out{c.name, {}, {}};
    std::string text = "[\n";
    bool changed = !c.written || c.outcomes.size() != found.size();
    for (std::size_t i = 0; i < std::max(found.size(), c.outcomes.size()); ++i) {
        const std::string record = "raw record " + std::to_string(i);
        if (i >= c.outcomes.size()) {
            out.difference += record + ": not expected\n";
            out.change += "+ " + record + ": " + print(found[i]) + "\n";
        } else if (i >= found.size()) {
            out.difference += record + ": expected, and not there\n";
            out.change += "- " + record + "\n";
            continue;
        }
        std::vector<std::string> lines;
        if (i < c.outcomes.size()) lines = differences(c.outcomes[i], found[i]);
        for (const std::string& line : lines) {
            out.difference += record + ": " + line + "\n";
            out.change += "~ " + record + ": " + line + "\n";
        }
        changed = changed || !lines.empty();
        text += lineOf(c, i, found[i], i < c.outcomes.size() && lines.empty()) + (i + 1 < found.size() ? ",\n" : "\n");
    }
    if (!bless || !changed) {
        out.change.clear();
        return out;
    }
    out.difference.clear();
    if (!(std::ofstream(c.expected_path, std::ios::binary) << text << "]\n").flush())
        out.difference = c.expected_path + ": cannot be written";
    return out;
}

}  // namespace

Json describeOperation(const schemas::Operation& op) {
    Json j = Json::object();
    j["key"] = op.key.text();
    j["entity"] = op.key.entity;
    j["op"] = schemas::name(op.op);
    j["version"] = op.version.text;
    if (!op.cls.empty()) j["class"] = op.cls;
    if (!op.cancels.empty()) j["cancels"] = op.cancels;
    if (!op.into.empty()) j["into"] = op.into;
    if (!op.valid_from.empty()) j["valid_from"] = op.valid_from;
    if (!op.valid_to.empty()) j["valid_to"] = op.valid_to;
    if (!op.subjects.empty()) j["subjects"] = keyTexts(op.subjects);
    if (!op.mentions.empty()) j["mentions"] = keyTexts(op.mentions);
    Json record = Json::object();
    for (const auto& [field, text] : schemas::canonicalFields(op)) {
        auto value = parseJson(text);
        record[field] = value ? *value : Json();
    }
    j["record"] = record;
    Json issues = Json::array();
    for (const std::string& i : op.issues) issues.push(i);
    j["issues"] = issues;
    return j;
}

Json describeOutcome(const Outcome& outcome) {
    Json j = Json::object();
    j["state"] = outcome.state == State::published ? "published"
                 : outcome.state == State::skipped ? "skipped"
                                                   : "quarantined";
    if (outcome.state == State::skipped) j["rule"] = outcome.rule;
    if (outcome.state == State::quarantined) {
        j["code"] = name(outcome.error.code);
        j["rule"] = outcome.error.rule;
        j["path"] = outcome.error.path;
        j["message"] = outcome.error.message;
    }
    if (outcome.key_unreadable) j["key_unreadable"] = true;
    Json operations = Json::array();
    for (const auto& op : outcome.operations) {
        Json o = describeOperation(op);
        Json how = Json::object();
        for (const auto& leaf : op.leaves) how[leaf.path] = schemas::name(leaf.how);
        o["how"] = how;
        operations.push(o);
    }
    j["operations"] = operations;
    return j;
}

bool GoldenReport::ok() const {
    return unused.empty() &&
           std::all_of(cases.begin(), cases.end(), [](const Case& c) { return c.difference.empty(); });
}

Result<GoldenReport> testMapping(const std::string& mapping, std::string goldens, bool bless) {
    auto yaml = loadYaml(mapping);
    if (!yaml) return yaml.error();
    auto program = Program::compile(*yaml, mapping);
    if (!program) return program.error();
    if (goldens.empty()) goldens = goldenFolder(mapping);
    auto cases = loadGoldens(goldens, (*program)->format(), bless);
    if (!cases) return cases.error();

    GoldenReport report;
    Coverage coverage(**program);
    formats::NodeTree tree;
    for (const GoldenCase& c : *cases) {
        std::vector<Json> found;
        Watching watching(coverage);
        for (std::size_t i = 0; i < c.units.units.size(); ++i)
            found.push_back(describeOutcome((*program)->map((*program)->format(), c.input(i), tree)));
        report.cases.push_back(compared(c, found, bless));
    }
    coverage.report(*yaml, report);
    return report;
}

}  // namespace porta::mapping
