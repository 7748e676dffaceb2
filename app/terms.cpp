// porta terms: code maps imported, the codes that no map has, and the groups of classifications.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "app/commands.h"
#include "app/input_file.h"
#include "app/term_files.h"
#include "app/terms_missing.h"
#include "mapping/engine/program.h"
#include "mapping/terminology/code_map.h"
#include "mapping/terminology/hierarchy.h"
#include "mapping/terminology/terms.h"

namespace porta::app {

namespace {

const char* const kUsage =
    "usage: porta terms import FILE --from conceptmap|csv|v2-to-fhir -o FILE\n"
    "       porta terms missing [--source ID] [--last N] [--as USER --purpose P] [-c DIR] [--state DIR]\n"
    "       porta terms show isco-08|nace-2|nace-2.1|icd-10 CODE\n"
    "       porta terms list [MAPPING.yaml | FILE.json]…\n"
    "`import` makes a code map that a mapping names under `terms`. `missing` counts what waits in quarantine for a "
    "row,\n"
    "by table, the most frequent first; with --last also what tables let through without a row of its own, of the "
    "newest "
    "N raw\n"
    "records of each source (`taken`: otherwise, group, kept, left out). The codes are shown to a user whose purpose "
    "has the "
    "section `raw`.\n"
    "`show` prints a code's groups, the nearest first. `list` prints what memberOf(), subsumes() and %terminologies of "
    "FHIRPath\n"
    "are answered from: what is built in, what a mapping names, and FHIR's ValueSets, CodeSystems and ConceptMaps.\n"
    "Example: porta terms import gender.csv --from csv -o config/mappings/gender.yaml\n"
    "         porta terms missing -c config --as ada --purpose verification\n";

int import(const Options& o) {
    static const std::map<std::string, mapping::Origin> kOrigins = {{"conceptmap", mapping::Origin::conceptmap},
                                                                    {"csv", mapping::Origin::csv},
                                                                    {"v2-to-fhir", mapping::Origin::v2_to_fhir}};
    auto origin = kOrigins.find(o.get("--from"));
    if (o.operands.size() != 2 || o.get("-o").empty() || origin == kOrigins.end()) return usage(kUsage, false);
    const std::string& file = o.operands[1];
    auto bytes = readInput(file);
    if (!bytes) return complain(bytes.error());
    const std::string to = o.get("-o");
    auto map = mapping::importCodeMap(origin->second, *bytes, std::filesystem::path(to).stem().string());
    if (!map) {
        Error error = map.error();
        error.message = file + ": " + error.message;
        return complain(error);
    }
    std::ofstream out(to, std::ios::binary);
    out << map->text();
    if (!out.flush()) return complain(fail(Errc::unavailable, to + ": cannot be written; check the path"));
    std::cout << to << ": " << map->rows.size() << " codes, " << map->targets() << " targets\n";
    std::map<std::string, std::size_t> left_out;
    for (const std::string& why : map->left_out) ++left_out[why];
    for (const auto& [why, n] : left_out) std::cout << "  left out: " << n << " × " << why << "\n";
    return 0;
}

int show(const Options& o) {
    if (o.operands.size() != 3) return usage(kUsage, false);
    const mapping::Hierarchy* h = mapping::Hierarchy::named(o.operands[1]);
    if (!h) return unknownVerb("terms show", o.operands[1], mapping::Hierarchy::names(), kUsage);
    for (std::string code = o.operands[2]; !code.empty(); code = h->parent(code)) {
        Json line = Json::object();
        line["code"] = code;
        if (!h->title(code).empty()) line["title"] = std::string(h->title(code));
        std::cout << print(line) << "\n";
    }
    return 0;
}

/// The tables that a mapping has, or those that files add to what is built in.
Result<std::vector<mapping::Terms::Listed>> tablesOf(const std::string& file, mapping::Terms& terms) {
    if (!file.ends_with(".json")) {
        auto program = mapping::Program::load(file);
        if (!program) return program.error();
        return (*program)->terms().list();
    }
    if (auto added = addTable(terms, file); !added) return added.error();
    return terms.list();
}

int list(const Options& o) {
    const std::shared_ptr<mapping::Terms> terms = mapping::Terms::builtIn();
    std::vector<mapping::Terms::Listed> all = terms->list();
    for (std::size_t i = 1; i < o.operands.size(); ++i) {
        auto more = tablesOf(o.operands[i], *terms);
        if (!more) return complain(more.error());
        for (mapping::Terms::Listed& one : *more)
            if (std::none_of(all.begin(), all.end(),
                             [&](const auto& known) { return known.kind == one.kind && known.names == one.names; }))
                all.push_back(std::move(one));
    }
    for (const mapping::Terms::Listed& one : all) {
        Json line = Json::object();
        line["kind"] = std::string(fhirpath::nameOf(one.kind));
        line["name"] = one.names.front();
        if (one.names.size() > 1) line["also"] = Json::array();
        for (std::size_t i = 1; i < one.names.size(); ++i) line["also"].push(one.names[i]);
        line["codes"] = static_cast<std::int64_t>(one.codes);
        if (one.kind != fhirpath::Terminology::Kind::code_map) line["complete"] = one.all;
        std::cout << print(line) << "\n";
    }
    return 0;
}

}  // namespace

int commandTerms(const Arguments& args) {
    auto o = parseOptions(args, {"--json"},
                          {"--as", "--purpose", "--case", "--as-of", "--source", "--from", "--last", "-o"});
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(kUsage, o->help);
    const std::string& verb = o->operands[0];
    try {
        if (verb == "import") return import(*o);
        if (verb == "missing" && o->operands.size() == 1) return termsMissing(*o);
        if (verb == "show") return show(*o);
        if (verb == "list") return list(*o);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    return unknownVerb("terms", verb, {"import", "list", "missing", "show"}, kUsage);
}

}  // namespace porta::app
