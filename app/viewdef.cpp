// porta viewdef: resources as the rows of a table, by a ViewDefinition of SQL on FHIR v2.
#include "app/viewdef.h"

#include <iostream>

#include "app/commands.h"
#include "app/input_file.h"
#include "fhirpath/viewdef/view_definition.h"
#include "formats/format.h"

namespace porta::app {

namespace {

using fhirpath::ViewDefinition;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

int usage(bool asked) {
    (asked ? std::cout : std::cerr)
        << "usage: porta viewdef run VIEW.json RESOURCES… [--format csv|ndjson] [--release r4|r5] [--strict]\n"
           "       porta viewdef suite DIR [--report FILE]\n"
           "run prints the rows of a ViewDefinition (SQL on FHIR v2) over FHIR resources: .json (one, or a Bundle), "
           ".ndjson, .xml,\n"
           "each perhaps .gz; or over canonical records of this program, whose type is their `entity`. --strict holds "
           "every path\n"
           "against the resource's type first. suite runs the specification's tests: what fails, then `N passed, M "
           "failed`.\n"
           "Examples: porta viewdef run patients.view.json Patient.ndjson.gz --format csv\n"
           "          porta viewdef suite sql-on-fhir-v2/tests --report test_report.json\n";
    return asked ? 0 : 2;
}

int complain(const std::string& message) { return std::cerr << "porta viewdef: " << message << "\n", 1; }

struct Run {
    const ViewDefinition& view;
    bool csv;
    NodeTree tree = {};
    Arena arena = {};
    std::vector<fhirpath::Row> rows = {};

    Result<void> one(NodeId resource) {
        rows.clear();
        if (auto made = view.rows(tree, resource, arena, rows); !made) return made;
        for (const fhirpath::Row& row : rows)
            std::cout << (csv ? rowCsv(view.columns(), row, tree) : rowJson(view.columns(), row, tree) + "\n");
        return {};
    }

    /// A record's resource, or those of a Bundle.
    Result<void> record(const formats::Settings& settings, std::string_view raw) {
        if (auto read = formats::parse(settings, raw, {}, tree); !read) return read;
        arena.clear();
        const NodeId type = tree.child(tree.root(), "resourceType");
        if (type == kNoNode || tree[type].text != "Bundle" || view.resource() == "Bundle") return one(tree.root());
        for (NodeId entry = tree[tree.root()].first_child; entry != kNoNode; entry = tree[entry].next_sibling) {
            const NodeId resource = tree[entry].name == "entry" ? tree.child(entry, "resource") : kNoNode;
            if (resource == kNoNode) continue;
            if (auto made = one(resource); !made) return made;
        }
        return {};
    }

    Result<void> file(const std::string& name) {
        auto bytes = readInput(name);
        if (!bytes) return bytes.error();
        const std::string plain = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
        formats::Settings settings;
        if (plain.ends_with(".ndjson") || plain.ends_with(".jsonl")) settings.kind = formats::Kind::ndjson;
        else if (plain.ends_with(".xml")) settings.kind = formats::Kind::xml;
        auto units = formats::split(settings, *bytes);
        if (!units) return units.error();
        for (std::size_t i = 0; i < units->units.size(); ++i) {
            const std::string_view raw =
                std::string_view(*bytes).substr(units->units[i].offset, units->units[i].length);
            settings.fhir =
                settings.kind == formats::Kind::xml || raw.find("\"resourceType\"") != std::string_view::npos;
            if (auto done = record(settings, raw); !done) {
                Error error = std::move(done.error());
                error.message = name + ", record " + std::to_string(i + 1) + ": " + error.message;
                return error;
            }
        }
        return {};
    }
};

int run(const std::vector<std::string>& files, const std::string& format, fhirpath::Options options, bool strict) {
    auto bytes = readInput(files[0]);
    if (!bytes) return complain(bytes.error().message);
    NodeTree tree;
    if (auto read = formats::parse(formats::Settings{}, *bytes, {}, tree); !read)
        return complain(files[0] + ": " + read.error().message);
    auto view = ViewDefinition::compile(tree, tree.root(), options, strict);
    if (!view) return complain(files[0] + ": " + view.error().message);
    Run rows{*view, format == "csv"};
    if (rows.csv) std::cout << headerCsv(view->columns());
    for (std::size_t i = 1; i < files.size(); ++i)
        if (auto done = rows.file(files[i]); !done) return std::cout.flush(), complain(done.error().message);
    return 0;
}

}  // namespace

int commandViewdef(const Arguments& args) {
    if (!args.empty() && args[0] == "--help") return usage(true);
    const std::string verb = args.empty() ? "" : args[0];
    std::vector<std::string> plain;
    std::string format = "csv", report, release = "r4";
    bool strict = false, bad = verb != "run" && verb != "suite";
    for (std::size_t i = 1; i < args.size(); ++i) {
        const bool more = i + 1 < args.size();
        if (args[i] == "--format" && verb == "run" && more) format = args[++i];
        else if (args[i] == "--release" && verb == "run" && more) release = args[++i];
        else if (args[i] == "--strict" && verb == "run") strict = true;
        else if (args[i] == "--report" && verb == "suite" && more) report = args[++i];
        else if (args[i].starts_with("--")) bad = true;
        else plain.push_back(args[i]);
    }
    bad = bad || (format != "csv" && format != "ndjson") || (release != "r4" && release != "r5");
    if (bad || (verb == "run" ? plain.size() < 2 : plain.size() != 1)) return usage(false);
    if (verb == "suite") return runViewSuite(plain[0], report);
    fhirpath::Options options;
    options.release = release == "r5" ? fhirpath::Release::r5 : fhirpath::Release::r4;
    return run(plain, format, options, strict);
}

}  // namespace porta::app
