// porta read FORMAT FILE…: a reader alone, to see what it makes of a file or where it refuses it.
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include <sys/resource.h>

#include "app/commands.h"
#include "base/canonical_json.h"
#include "formats/format.h"

namespace porta::app {

namespace {

void printTree(const formats::NodeTree& tree, formats::NodeId id, int depth, std::string& out) {
    for (formats::NodeId c = tree[id].first_child; c != formats::kNoNode; c = tree[c].next_sibling) {
        const formats::Node& node = tree[c];
        out.append(static_cast<std::size_t>(2 * std::min(depth, 40)), ' ');
        out += node.name;
        if (node.kind != formats::NodeKind::object) {
            out += ": ";
            if (node.kind == formats::NodeKind::text) quote(out, node.text);
            else out += node.kind == formats::NodeKind::null ? "null" : std::string(node.text);
        }
        out += "  @" + std::to_string(node.span.offset) + "+" + std::to_string(node.span.length) + "\n";
        printTree(tree, c, depth + 1, out);
        if (out.size() > 1 << 16) {
            std::cout << out;
            out.clear();
        }
    }
}

/// Linux forgets the greatest size of this process so far, so that each file has its own.
void resetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t peakKib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (std::int64_t kib = 0; word == "VmHWM:" && status >> kib) return kib;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

std::pair<std::size_t, std::size_t> lineColumn(std::string_view bytes, std::size_t offset) {
    std::size_t line = 1, start = 0;
    for (std::size_t i = 0; i < offset && i < bytes.size(); ++i)
        if (bytes[i] == '\n' || (bytes[i] == '\r' && (i + 1 >= bytes.size() || bytes[i + 1] != '\n'))) {
            ++line;
            start = i + 1;
        }
    return {line, offset - std::min(start, offset) + 1};
}

}  // namespace

int commandRead(const Arguments& args) {
    Arguments files;
    std::string format, columns;
    bool json = false, help = false;
    formats::Settings settings;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (args[i] == "--json") json = true;
        else if (args[i] == "--help" || args[i] == "-h") help = true;
        else if (args[i] == "--dialect" && i + 1 < args.size()) settings.fhir = args[++i] == "fhir";
        else if (args[i] == "--delimiter" && i + 1 < args.size()) settings.delimiter = args[++i][0];
        else if (args[i] == "--encoding" && i + 1 < args.size()) settings.encoding = args[++i];
        else if (args[i] == "--ragged") settings.ragged = true;
        else if (args[i] == "--columns" && i + 1 < args.size()) columns = args[++i];
        else if (format.empty()) format = args[i];
        else files.push_back(args[i]);
    }
    if (help || format.empty() || files.empty()) {
        (help ? std::cout : std::cerr)
            << "usage: porta read FORMAT FILE… [--dialect fhir] [--delimiter C] [--encoding NAME]\n"
               "                  [--columns NAME:WIDTH,… [--ragged]] [--json]\n"
               "Formats: json ndjson csv fixed hl7v2 edifact xml. Prints the node tree, each node with the offset and "
               "length of its bytes.\n"
               "Examples: porta read hl7v2 admit.hl7\n"
               "          porta read csv register.csv --delimiter ';' --encoding windows-1252\n"
               "          porta read fixed register.txt --columns id:10,-:2,name:30\n";
        return help ? 0 : 2;
    }
    auto kind = formats::kindNamed(format);
    if (!kind) {
        std::cerr << "porta read: " << kind.error().message << "\n";
        return 2;
    }
    settings.kind = *kind;
    if (*kind == formats::Kind::fixed) {
        std::vector<std::string> texts;
        std::istringstream list(columns);
        for (std::string text; std::getline(list, text, ',');) texts.push_back(text);
        auto read = formats::columnsFrom(texts);
        if (!read || texts.empty()) {
            std::cerr << "porta read: --columns: " << (read ? "NAME:WIDTH,… expected" : read.error().message) << "\n";
            return 2;
        }
        settings.columns = *read;
    }
    if (auto encoding = formats::checkEncoding(settings); !encoding) {
        std::cerr << "porta read: --encoding: " << encoding.error().message << "\n";
        return 2;
    }
    bool refused = false;
    for (const std::string& file : files) {
        if (*kind == formats::Kind::csv && file.ends_with(".tsv")) settings.delimiter = '\t';
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            std::cerr << file << ": cannot be opened\n";
            return 1;
        }
        resetPeak();
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        auto start = std::chrono::steady_clock::now();
        formats::NodeTree tree;
        auto units = formats::split(settings, bytes);
        Error error;
        bool bad = !units;
        if (bad) error = units.error();
        for (std::size_t i = 0; !bad && i < units->units.size(); ++i) {
            const formats::Unit& unit = units->units[i];
            auto parsed = formats::parse(settings, std::string_view(bytes).substr(unit.offset, unit.length),
                                         units->context, tree);
            if (!parsed) {
                bad = true;
                error = parsed.error();
                error.offset += unit.offset;
            } else if (!json) {
                std::string out = "# unit " + std::to_string(i + 1) + " @" + std::to_string(unit.offset) + "+" +
                                  std::to_string(unit.length) + "\n";
                printTree(tree, tree.root(), 0, out);
                std::cout << out;
            }
        }
        refused = refused || bad;
        if (json) {
            Json line = Json::object();
            line["file"] = file;
            line["verdict"] = bad ? "refused" : "accepted";
            line["code"] = bad ? error.rule : "";
            line["offset"] = static_cast<std::int64_t>(bad ? error.offset : 0);
            line["units"] = static_cast<std::int64_t>(units ? units->units.size() : 0);
            line["ms"] = static_cast<std::int64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
                    .count());
            line["peak_kib"] = peakKib();
            std::cout << print(line) << "\n";
        }
        if (bad) {
            auto [row, column] = lineColumn(bytes, error.offset);
            std::cerr << file << ":" << row << ":" << column << " (" << error.offset << "): " << error.rule << ": "
                      << error.message << "\n";
        }
    }
    return refused ? 1 : 0;
}

}  // namespace porta::app
