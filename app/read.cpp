// porta read FORMAT FILE…: a reader alone, to see what it makes of a file or where it refuses it.
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include <sys/resource.h>

#include "app/reader_options.h"
#include "base/canonical_json.h"
#include "formats/format.h"
#include "formats/zip.h"

namespace porta::app {

namespace {

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
        describeUnit(i, unit, tree, settings.groups, [](std::string_view lines) { std::cout << lines; });
    }
    tell(file, json, bytes, units->units.size(), std::nullopt, took());
    return true;
}

}  // namespace

int commandRead(const Arguments& args) {
    Arguments files;
    bool json = false, help = false;
    ReaderOptions options;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (args[i] == "--json") json = true;
        else if (args[i] == "--help" || args[i] == "-h") help = true;
        else if (options.take(args, i)) continue;
        else files.push_back(args[i]);
    }
    if (help || options.format.empty() || files.empty()) {
        (help ? std::cout : std::cerr)
            << "usage: porta read FORMAT FILE… [--dialect fhir] [--delimiter C] [--encoding NAME]\n"
               "                  [--columns NAME:WIDTH,… [--ragged]] [--record ELEMENT] [--groups] [--json]\n"
               "Formats: json ndjson csv fixed hl7v2 edifact xml. Prints the node tree, each node with the offset and "
               "length of its bytes. gzip and ZIP are opened.\n"
               "Examples: porta read hl7v2 admit.hl7\n"
               "          porta read hl7v2 results.hl7 --groups\n"
               "          porta read csv register.csv --delimiter ';' --encoding windows-1252\n"
               "          porta read fixed register.txt --columns id:10,-:2,name:30\n"
               "          porta read xml persons.xml --record person\n";
        return help ? 0 : 2;
    }
    auto settings = options.settings();
    if (!settings) {
        std::cerr << "porta read: " << settings.error().message << "\n";
        return 2;
    }
    bool refused = false;
    for (const std::string& file : files) {
        options.adapt(*settings, file);
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            std::cerr << file << ": cannot be opened\n";
            return 1;
        }
        resetPeak();
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        if (!formats::looksZipped(bytes)) {
            refused = !readObject(*settings, file, std::move(bytes), json) || refused;
            continue;
        }
        auto entries = formats::unzip(bytes, kMaxBytes);
        if (!entries) {
            tell(file, json, bytes, 0, entries.error(), {});
            refused = true;
        } else {
            for (formats::ZipEntry& entry : *entries)
                refused = !readObject(*settings, file + "/" + entry.name, std::move(entry.bytes), json) || refused;
        }
    }
    return refused ? 1 : 0;
}

}  // namespace porta::app
