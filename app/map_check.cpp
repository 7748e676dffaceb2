// `porta map check`: everything that can be said of mapping files before any record has come.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "app/context.h"
#include "app/map_verbs.h"
#include "base/canonical_json.h"
#include "base/result.h"
#include "mapping/engine/check.h"

namespace porta::app {

namespace {

using mapping::Finding;

Json asJson(const std::string& file, const mapping::CheckReport& report) {
    Json line = Json::object();
    line["file"] = file;
    line["ok"] = report.ok();
    if (report.ok()) {
        line["mapping"] = report.program->name();
        line["rules"] = static_cast<std::int64_t>(report.program->rules().size());
        line["digest"] = hex(report.program->digest());
    }
    Json all = Json::array();
    for (const Finding& f : report.findings) {
        Json one = Json::object();
        one["kind"] = f.kind == Finding::Kind::error ? "error" : "unproved";
        one["file"] = f.file;
        one["line"] = f.line;
        one["column"] = f.column;
        one["rule"] = f.rule;
        one["text"] = f.text;
        if (!f.nearest.empty()) one["nearest"] = f.nearest;
        all.push(one);
    }
    line["findings"] = all;
    return line;
}

bool check(const std::string& file, bool json) {
    const mapping::CheckReport report = mapping::checkMapping(file);
    if (json) {
        std::cout << print(asJson(file, report)) << "\n";
        return report.ok();
    }
    std::size_t unproved = 0;
    for (const Finding& f : report.findings) {
        std::cerr << f.message() << "\n";
        unproved += f.kind == Finding::Kind::unproved;
    }
    if (!report.ok()) return false;
    std::cout << file << ": " << report.program->name() << ", " << report.program->rules().size() << " rules, "
              << hex(report.program->digest()) << (unproved ? ", " + std::to_string(unproved) + " unproved" : "")
              << "\n";
    return true;
}

}  // namespace

int mapCheck(const Arguments& args) {
    CLI::App app{
        "porta map check: mapping files against the model of their input, the common schema and their own tables.\n"
        "Each finding is `file:line:column: error: rule: text (nearest: name)`; `unproved` instead of `error` tells\n"
        "what the model of the input says nothing about. Exit 0: no error."};
    app.footer(
        "Examples: porta map check mapping/library/hl7v2-adt.yaml\n"
        "          porta map check --json config/mappings/*.yaml");
    std::vector<std::string> files;
    bool json = false;
    app.add_option("files", files, "mapping files")->required();
    app.add_flag("--json", json, "one line a file: {file, ok, mapping, rules, digest, findings[]}");
    if (auto ended = parse(app, args)) return *ended;
    bool fine = true;
    for (const std::string& file : files) fine = check(file, json) && fine;
    return fine ? 0 : exitCode(Errc::misconfigured);
}

}  // namespace porta::app
