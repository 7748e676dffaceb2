// `porta map unread`: the input that no rule has read, by path: of a file, or of what a source has sent.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "app/context.h"
#include "app/map_input.h"
#include "app/map_store.h"
#include "app/map_verbs.h"
#include "base/canonical_json.h"
#include "mapping/engine/explain.h"

namespace porta::app {

namespace {

/// The unread paths of many raw records.
class Tally {
public:
    /// `raw`: its name, or nothing for records of a file; `offset`: where it begins in what is counted in.
    void add(const mapping::Explanation& e, const std::string& raw, std::uint64_t offset) {
        for (const mapping::Unread& u : e.unread) {
            Found& f = found_[u.path];
            if (f.count++ == 0) f.example = offset + u.span.offset, f.raw = raw;
        }
    }
    void print(bool json) const {
        std::vector<std::pair<std::string, Found>> sorted(found_.begin(), found_.end());
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
        for (const auto& [path, f] : sorted) {
            Json line = Json::object();
            line["path"] = path;
            line["count"] = static_cast<std::uint64_t>(f.count);
            line["example_offset"] = f.example;
            if (!f.raw.empty()) line["raw"] = f.raw;
            if (json) std::cout << porta::print(line) << "\n";
            else
                std::cout << path << "  " << f.count << " times, first at byte " << f.example
                          << (f.raw.empty() ? "" : " of " + f.raw) << "\n";
        }
        if (!json && sorted.empty()) std::cerr << "everything is read\n";
    }

private:
    struct Found {
        std::size_t count = 0;
        std::uint64_t example = 0;
        std::string raw;
    };
    std::map<std::string, Found> found_;
};

Result<void> ofFile(const std::string& file, const std::string& path, mapping::Input declared, Tally& tally) {
    standIn(declared);
    auto in = readMapInput(file, path, declared);
    if (!in) return in.error();
    mapping::Explainer explainer(*in->program);
    for (std::size_t i = 0; i < in->units.units.size(); ++i)
        tally.add(explainer.explain(in->program->format(), in->record(i)), {}, in->units.units[i].offset);
    return {};
}

Result<void> ofSource(const std::string& file, const std::string& source, std::size_t last, const Options& options,
                      Tally& tally) {
    auto program = mapping::Program::load(file);
    if (!program) return program.error();
    mapping::Explainer explainer(**program);
    return eachRecent(options, source, last, [&](const StoredRaw& raw) {
        tally.add(explainer.explain(raw.format, raw.input), pipeline::Reader::rawText(raw.id), 0);
    });
}

}  // namespace

int mapUnread(const Arguments& args) {
    CLI::App app{
        "porta map unread: the parts of the input that no rule and no condition has read, by path, the most frequent\n"
        "first. Of records that the mapping does not take nothing is read but what its `when` looks at. The input is "
        "a\n"
        "file, - for stdin, or a source of the configuration, whose newest stored raw records are looked at."};
    app.footer(
        "Examples: porta map unread mapping/library/hl7v2-adt.yaml adt.hl7\n"
        "          porta map unread my.yaml register.csv --json\n"
        "          porta map unread my.yaml hospital --last 5000 -c config");
    Options options;
    std::string file, input;
    mapping::Input declared;
    std::size_t last = 1000;
    bool json = false;
    app.add_option("mapping", file, "mapping file")->required();
    app.add_option("input", input, "input file, - for stdin, or a source")->required();
    app.add_flag("--json", json,
                 "one line a path: {path, count, example_offset, raw?}; of a source the offset is one in `raw`");
    app.add_option("--last", last, "of a source: how many of its newest raw records (1000)");
    addDeclared(app, declared);
    addStore(app, options);
    if (auto ended = parse(app, args)) return *ended;
    const bool is_file = input == "-" || std::filesystem::exists(input) || input.find('/') != std::string::npos;
    Tally tally;
    auto done = is_file ? ofFile(file, input, declared, tally) : ofSource(file, input, last, options, tally);
    if (!done) return complain(done.error());
    tally.print(json);
    return 0;
}

}  // namespace porta::app
