#include "mapping/engine/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "mapping/engine/compiled.h"

namespace porta::mapping {

namespace fs = std::filesystem;

namespace {

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

Json keyTexts(const std::vector<schemas::RecordKey>& keys) {
    Json a = Json::array();
    for (const auto& k : keys) a.push(k.text());
    return a;
}

std::string asLines(const std::vector<Json>& outcomes) {
    std::string text = "[\n";
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        text += print(outcomes[i]) + (i + 1 < outcomes.size() ? ",\n" : "\n");
    return text + "]\n";
}

/// The first raw record that differs, without showing more than its number.
std::string compare(const std::string& expected, const std::vector<Json>& got) {
    auto parsed = parseJson(expected);
    if (!parsed || !parsed->isArray()) return "the expected file is no JSON array";
    if (parsed->size() != got.size())
        return std::to_string(got.size()) + " raw records, " + std::to_string(parsed->size()) + " expected";
    for (std::size_t i = 0; i < got.size(); ++i)
        if (canonical(parsed->items()[i]) != canonical(got[i]))
            return "raw record " + std::to_string(i) + " differs:\n  expected " + print(parsed->items()[i]) +
                   "\n  got      " + print(got[i]);
    return {};
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

Input exampleInput(std::string_view bytes, std::string_view context) {
    Input input;
    input.bytes = bytes;
    input.context = context;
    input.source = "example";
    input.time_zone = "Europe/Rome";
    input.object_time = "2024-05-01";
    return input;
}

bool GoldenReport::ok() const {
    return unused.empty() &&
           std::all_of(cases.begin(), cases.end(), [](const Case& c) { return c.difference.empty(); });
}

Result<GoldenReport> testMapping(const std::string& mapping, std::string goldens, bool update) {
    auto program = Program::load(mapping);
    if (!program) return program.error();
    fs::path file(mapping);
    fs::path folder = goldens.empty() ? file.parent_path() / "goldens" / file.stem() : fs::path(goldens);
    std::vector<fs::path> inputs;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing))
        if (entry.path().filename().string().find(".expected.json") == std::string::npos)
            inputs.push_back(entry.path());
    if (inputs.empty())
        return fail(Errc::misconfigured,
                    folder.string() + ": no golden cases; add <case>.<ext> and <case>.expected.json",
                    "mapping.goldens");
    std::sort(inputs.begin(), inputs.end());

    GoldenReport report;
    std::vector<bool> seen((*program)->rules().size());
    CoverageScope coverage(seen);
    formats::NodeTree tree;
    for (const fs::path& path : inputs) {
        std::string bytes = slurp(path);
        std::vector<Json> got;
        auto units = formats::split((*program)->format(), bytes);
        if (!units) return units.error();
        for (const formats::Unit& u : units->units) {
            Input input = exampleInput(std::string_view(bytes).substr(u.offset, u.length), units->context);
            input.full_snapshot = path.stem().string().rfind("full", 0) == 0;
            got.push_back(describeOutcome((*program)->map((*program)->format(), input, tree)));
        }
        fs::path expected = path;
        expected.replace_extension(".expected.json");
        if (update) std::ofstream(expected, std::ios::binary) << asLines(got);
        report.cases.push_back({path.filename().string(), compare(slurp(expected), got)});
    }
    report.rules = seen.size();
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (!seen[i]) report.unused.push_back((*program)->rules()[i]);
    return report;
}

}  // namespace porta::mapping
