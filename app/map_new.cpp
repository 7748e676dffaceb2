// `porta map new`: a configuration directory from a sample, tried on the sample at once.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "app/context.h"
#include "app/input_file.h"
#include "app/map_verbs.h"
#include "mapping/engine/check.h"
#include "mapping/scaffold/scaffold.h"

namespace porta::app {

namespace {

namespace fs = std::filesystem;

Result<void> write(const fs::path& directory, const mapping::Scaffold& made) {
    for (const auto& [name, text] : made.files) {
        std::error_code failed;
        fs::create_directories((directory / name).parent_path(), failed);
        std::ofstream out(directory / name, std::ios::binary);
        out << text;
        if (!out.flush())
            return fail(Errc::unavailable, (directory / name).string() + ": cannot be written; check the path", "new");
    }
    return {};
}

/// Maps the sample with what was written: how many records publish, and what stops the others.
void tryOut(const std::string& file, const formats::Settings& format, std::string_view bytes) {
    auto program = mapping::Program::load(file);
    if (!program) {
        std::cout << "Not right yet:\n" << program.error().message << "\n";
        return;
    }
    auto units = formats::split(format, bytes);
    if (!units) return;
    formats::NodeTree tree;
    std::size_t published = 0, issues = 0;
    std::map<std::string, std::size_t> why;
    for (const auto& u : units->units) {
        mapping::Input input;
        input.bytes = bytes.substr(u.offset, u.length);
        input.context = units->context;
        input.source = "sample";
        input.time_zone = "Europe/Rome";
        input.object_time = "2024-01-01";
        const mapping::Outcome out = (*program)->map(format, input, tree);
        published += out.state == mapping::State::published;
        if (out.state == mapping::State::skipped) ++why["skipped: " + out.rule];
        if (out.state == mapping::State::quarantined)
            ++why[out.error.rule + " " + out.error.path + ": " + out.error.message];
        for (const auto& op : out.operations) issues += op.issues.size();
    }
    std::cout << published << " of " << units->units.size() << " records of the sample publish";
    if (issues) std::cout << ", " << issues << " fields left out in them";
    std::cout << "\n";
    std::vector<std::pair<std::size_t, std::string>> most;
    for (const auto& [text, n] : why) most.emplace_back(n, text);
    std::sort(most.rbegin(), most.rend());
    for (std::size_t i = 0; i < most.size() && i < 5; ++i)
        std::cout << "  " << most[i].first << " × " << most[i].second << "\n";
}

}  // namespace

int mapNew(const Arguments& args) {
    CLI::App app{
        "porta map new: a configuration directory from a sample file (CSV, JSON, NDJSON, XML, HL7 v2), a JSON Schema "
        "or\n"
        "an XSD, that runs with -c DIR as it is. Encoding, delimiter, header, types, date formats, keys and names are\n"
        "guessed and marked `# guess`; fields without a place are listed as still unread."};
    app.footer(
        "Examples: porta map new register.csv -o config/register\n"
        "          porta map new person.xsd -o config/persons\n"
        "Then:     porta ingest -c config/register && porta account -c config/register");
    std::string file, directory, id;
    mapping::Hints hints;
    app.add_option("sample", file, "the sample, JSON Schema or XSD")->required();
    app.add_option("-o,--out", directory, "the directory to write; new or empty")->required();
    app.add_option("--id", id, "name of source and mapping; else the file's");
    app.add_option("--format", hints.format, "json, ndjson, csv, xml or hl7v2; else guessed");
    app.add_option("--delimiter", hints.delimiter, "of a CSV, \\t for a tabulator; else guessed");
    app.add_option("--encoding", hints.encoding, "of a CSV, e.g. windows-1252; else guessed");
    app.add_option("--header", hints.header, "true or false; else guessed")->check(CLI::IsMember({"true", "false"}));
    if (auto ended = parse(app, args)) return *ended;
    auto bytes = readInput(file);
    if (!bytes) return complain(bytes.error());
    std::error_code ignore;
    if (fs::exists(fs::path(directory) / "porta.yaml", ignore))
        return complain(fail(Errc::conflict, directory + " holds a configuration already; choose a new directory"));
    auto made = mapping::scaffold(fs::absolute(file, ignore).lexically_normal().string(), *bytes, hints, id);
    if (!made) return complain(made.error());
    if (auto written = write(directory, *made); !written) return complain(written.error());
    std::cout << directory << ": source and mapping `" << made->id << "`, " << made->used << " of " << made->fields
              << " fields have a place\n";
    if (!made->mapping.empty() && made->records > 0 && made->format.kind != formats::Kind::hl7v2)
        tryOut((fs::path(directory) / made->mapping).string(), made->format, *bytes);
    std::cout << "Next: read what is marked `guess` in " << directory << ", then porta ingest -c " << directory << "\n";
    return 0;
}

}  // namespace porta::app
