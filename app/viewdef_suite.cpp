#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/suite_report.h"
#include "app/viewdef.h"
#include "fhirpath/decimal.h"
#include "fhirpath/viewdef/view_definition.h"
#include "formats/format.h"

namespace porta::app {

namespace {

using fhirpath::Decimal;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

/// A test file: as JSON, and as a tree whose spans say where each resource stands.
struct TestFile {
    std::string bytes;
    Json json;
    NodeTree tree;
    std::vector<std::unique_ptr<NodeTree>> resources;
    fhirpath::Options options;
};

Result<std::unique_ptr<TestFile>> load(const std::filesystem::path& path) {
    auto file = std::make_unique<TestFile>();
    std::ifstream in(path, std::ios::binary);
    file->bytes.assign(std::istreambuf_iterator<char>(in), {});
    auto json = parseJson(file->bytes);
    if (!json) return json.error();
    file->json = std::move(*json);
    if (auto read = formats::parse(formats::Settings{}, file->bytes, {}, file->tree); !read) return read.error();
    formats::Settings settings;
    for (NodeId c = file->tree[0].first_child; c != kNoNode; c = file->tree[c].next_sibling) {
        if (file->tree[c].name != "resources") continue;
        const formats::Span span = file->tree[c].span;
        file->resources.push_back(std::make_unique<NodeTree>());
        const std::string_view raw = std::string_view(file->bytes).substr(span.offset, span.length);
        settings.fhir = raw.find("\"resourceType\"") != std::string_view::npos;
        if (auto read = formats::parse(settings, raw, {}, *file->resources.back()); !read) return read.error();
    }
    const Json& versions = file->json["fhirVersion"];
    const bool r4 = !versions.isArray() || std::any_of(versions.items().begin(), versions.items().end(),
                                                       [](const Json& v) { return v.string().starts_with("4."); });
    file->options.release = r4 ? fhirpath::Release::r4 : fhirpath::Release::r5;
    return file;
}

/// Numbers by their value. Fractions come from `parseJson` as their digits.
std::optional<Decimal> number(const Json& j) {
    if (j.kind() == Json::Kind::integer) return Decimal::of(j.integer());
    return j.isString() ? Decimal::parse(j.string(), true) : std::nullopt;
}

/// `empty`: an empty list and null are one. The specification's algorithm says null where a collection is empty and the
/// element alone where it has one; its tests show lists.
bool same(const Json& a, const Json& b, bool empty) {
    auto none = [&](const Json& j) { return j.isNull() || (empty && j.isArray() && j.size() == 0); };
    if (none(a) || none(b)) return none(a) && none(b);
    if (a.isArray() || a.isObject()) {
        if (a.kind() != b.kind() || a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const Json* other = &b.items()[i];
            if (a.isObject()) {
                auto at = std::find(b.keys().begin(), b.keys().end(), a.keys()[i]);
                if (at == b.keys().end()) return false;
                other = &b.items()[static_cast<std::size_t>(at - b.keys().begin())];
            }
            if (!same(a.items()[i], *other, false)) return false;
        }
        return true;
    }
    if (a == b) return true;
    auto x = number(a), y = number(b);
    return x && y && compare(*x, *y) == 0;
}

bool sameRow(const Json& expected, const Json& got, const std::vector<fhirpath::ViewColumn>& columns) {
    if (!expected.isObject() || expected.size() != got.size()) return false;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto at = std::find(expected.keys().begin(), expected.keys().end(), columns[i].name);
        if (at == expected.keys().end()) return false;
        const Json& cell = expected.items()[static_cast<std::size_t>(at - expected.keys().begin())];
        if (!same(cell, got.items()[i], columns[i].collection)) return false;
    }
    return true;
}

/// "" when the rows are the expected ones, in any order.
std::string compared(const Json& expected, std::vector<Json> got, const std::vector<fhirpath::ViewColumn>& columns) {
    if (expected.size() != got.size())
        return std::to_string(expected.size()) + " rows expected, " + std::to_string(got.size()) + " found";
    for (const Json& row : expected.items()) {
        auto found = std::find_if(got.begin(), got.end(), [&](const Json& g) { return sameRow(row, g, columns); });
        if (found == got.end()) return "a row is missing: " + print(row);
        got.erase(found);
    }
    return "";
}

/// "" when the test holds.
std::string outcome(const TestFile& file, NodeId test, Json expected) {
    const bool must_fail = expected["expectError"].boolean();
    NodeId view_node = kNoNode;
    for (NodeId c = file.tree[test].first_child; c != kNoNode; c = file.tree[c].next_sibling)
        if (file.tree[c].name == "view") view_node = c;
    if (view_node == kNoNode) return "a test without a view";
    auto view = fhirpath::ViewDefinition::compile(file.tree, view_node, file.options);
    if (!view) return must_fail ? "" : view.error().message;
    std::vector<Json> got;
    for (const auto& resource : file.resources) {
        Arena arena;
        std::vector<fhirpath::Row> rows;
        if (auto made = view->rows(*resource, resource->root(), arena, rows); !made)
            return must_fail ? "" : made.error().message;
        for (const fhirpath::Row& row : rows) {
            auto json = parseJson(rowJson(view->columns(), row, *resource));
            if (!json) return json.error().message;
            got.push_back(std::move(*json));
        }
    }
    if (must_fail) return "accepted, but an error expected";
    const Json& names = expected["expectColumns"];
    if (names.isArray() &&
        !std::equal(names.items().begin(), names.items().end(), view->columns().begin(), view->columns().end(),
                    [](const Json& name, const fhirpath::ViewColumn& column) { return name.string() == column.name; }))
        return "other columns expected: " + print(names);
    const Json& rows = expected["expect"];
    return rows.isArray() ? compared(rows, std::move(got), view->columns()) : "";
}

}  // namespace

int runViewSuite(const std::string& folder, const std::string& report_file) {
    std::vector<std::filesystem::path> files;
    std::error_code problem;
    for (const auto& entry : std::filesystem::directory_iterator(folder, problem))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    if (problem) return std::cerr << "porta viewdef: " << folder << ": cannot be listed\n", 1;
    std::sort(files.begin(), files.end());
    SuiteReport report;
    std::size_t passed = 0, failed = 0;
    for (const auto& path : files) {
        auto file = load(path);
        if (!file) return std::cerr << "porta viewdef: " << path.string() << ": " << file.error().message << "\n", 1;
        const NodeTree& tree = (*file)->tree;
        const Json tests = (*file)->json["tests"];
        std::size_t i = 0;
        for (NodeId c = tree[0].first_child; c != kNoNode; c = tree[c].next_sibling) {
            if (tree[c].name != "tests" || i >= tests.size()) continue;
            const Json& test = tests.items()[i++];
            const std::string what = outcome(**file, c, test), name = test.text("title");
            ++(what.empty() ? passed : failed);
            if (!what.empty()) std::cout << path.filename().string() << ": " << name << ": " << what << "\n";
            report.add(path.filename().string(), name, what.empty(), what);
        }
    }
    if (!report_file.empty())
        if (auto written = report.write(report_file); !written)
            return std::cerr << "porta viewdef: " << written.error().message << "\n", 1;
    std::cout << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace porta::app
