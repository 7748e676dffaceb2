// porta read FORMAT FILE…: a reader alone, to see what it makes of a file or where it refuses it.
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include <sys/resource.h>

#include "app/commands.h"
#include "base/canonical_json.h"
#include "formats/format.h"
#include "formats/zip.h"

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

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

/// The verdict: `error` is empty when the object was accepted.
void tell(const std::string& file, bool json, std::string_view bytes, std::size_t units,
          const std::optional<Error>& error, std::chrono::steady_clock::duration took) {
    if (json) {
        Json line = Json::object();
        line["file"] = file;
        line["verdict"] = error ? "refused" : "accepted";
        line["code"] = error ? error->rule : "";
        line["offset"] = static_cast<std::int64_t>(error ? error->offset : 0);
        line["units"] = static_cast<std::int64_t>(units);
        line["ms"] = static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
        line["peak_kib"] = peakKib();
        std::cout << print(line) << "\n";
    }
    if (!error) return;
    auto [row, column] = lineColumn(bytes, error->offset);
    std::cerr << file << ":" << row << ":" << column << " (" << error->offset << "): " << error->rule << ": "
              << error->message << "\n";
}

/// Reads one object to its end or to what refuses it; places count in what is left once gzip is opened.
bool readObject(const formats::Settings& settings, const std::string& file, std::string bytes, bool json) {
    const auto start = std::chrono::steady_clock::now();
    auto took = [&] { return std::chrono::steady_clock::now() - start; };
    if (formats::looksGzipped(bytes)) {
        auto plain = formats::gunzip(bytes, kMaxBytes);
        if (!plain) {
            tell(file, json, bytes, 0, plain.error(), took());
            return false;
        }
        bytes = std::move(*plain);
    }
    auto units = formats::split(settings, bytes);
    if (!units) {
        tell(file, json, bytes, 0, units.error(), took());
        return false;
    }
    formats::NodeTree tree;
    for (std::size_t i = 0; i < units->units.size(); ++i) {
        const formats::Unit& unit = units->units[i];
        const std::string_view raw = std::string_view(bytes).substr(unit.offset, unit.length);
        if (auto parsed = formats::parse(settings, raw, units->context, tree); !parsed) {
            Error error = parsed.error();
            error.offset += unit.offset;
            tell(file, json, bytes, units->units.size(), error, took());
            return false;
        }
        if (json) continue;
        std::string out = "# unit " + std::to_string(i + 1) + " @" + std::to_string(unit.offset) + "+" +
                          std::to_string(unit.length) + "\n";
        printTree(tree, tree.root(), 0, out);
        std::cout << out;
    }
    tell(file, json, bytes, units->units.size(), std::nullopt, took());
    return true;
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
        else if (args[i] == "--record" && i + 1 < args.size()) settings.record = args[++i];
        else if (args[i] == "--ragged") settings.ragged = true;
        else if (args[i] == "--columns" && i + 1 < args.size()) columns = args[++i];
        else if (format.empty()) format = args[i];
        else files.push_back(args[i]);
    }
    if (help || format.empty() || files.empty()) {
        (help ? std::cout : std::cerr)
            << "usage: porta read FORMAT FILE… [--dialect fhir] [--delimiter C] [--encoding NAME]\n"
               "                  [--columns NAME:WIDTH,… [--ragged]] [--record ELEMENT] [--json]\n"
               "Formats: json ndjson csv fixed hl7v2 edifact xml. Prints the node tree, each node with the offset and "
               "length of its bytes. gzip and ZIP are opened.\n"
               "Examples: porta read hl7v2 admit.hl7\n"
               "          porta read csv register.csv --delimiter ';' --encoding windows-1252\n"
               "          porta read fixed register.txt --columns id:10,-:2,name:30\n"
               "          porta read xml persons.xml --record person\n";
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
        if (!formats::looksZipped(bytes)) {
            refused = !readObject(settings, file, std::move(bytes), json) || refused;
            continue;
        }
        auto entries = formats::unzip(bytes, kMaxBytes);
        if (!entries) {
            tell(file, json, bytes, 0, entries.error(), {});
            refused = true;
        } else {
            for (formats::ZipEntry& entry : *entries)
                refused = !readObject(settings, file + "/" + entry.name, std::move(entry.bytes), json) || refused;
        }
    }
    return refused ? 1 : 0;
}

}  // namespace porta::app
