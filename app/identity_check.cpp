#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "app/commands.h"
#include "app/context.h"
#include "identity/national_id.h"

namespace porta::app {
namespace {

/// One CSV row (RFC 4180, comma). Takes the row's bytes without its line end; false at the end of the text.
bool nextRow(std::string_view text, std::size_t& at, std::string_view& raw, std::vector<std::string>& cells) {
    if (at >= text.size()) return false;
    cells.assign(1, "");
    const std::size_t start = at;
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c != '"') cells.back() += c;
            else if (at + 1 < text.size() && text[at + 1] == '"') cells.back() += text[++at];
            else quoted = false;
        } else if (c == '"') quoted = true;
        else if (c == ',') cells.emplace_back();
        else if (c == '\n') break;
        else if (c != '\r') cells.back() += c;
    }
    raw = text.substr(start, at - start);
    if (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
    ++at;
    return true;
}

int column(const std::vector<std::string>& header, std::initializer_list<std::string_view> names) {
    for (std::size_t i = 0; i < header.size(); ++i)
        for (std::string_view name : names)
            if (header[i] == name) return static_cast<int>(i);
    return -1;
}

int checkFile(const std::string& from, const std::string& to) {
    std::ifstream in(from, std::ios::binary);
    if (!in) {
        std::cerr << "porta identity check: the input file cannot be opened\n";
        return 1;
    }
    std::ostringstream all;
    all << in.rdbuf();
    const std::string bytes = all.str();
    std::string_view text = bytes, raw;
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    std::size_t at = 0;
    std::vector<std::string> cells;
    if (!nextRow(text, at, raw, cells)) {
        std::cerr << "porta identity check: the input file is empty\n";
        return 1;
    }
    const int type = column(cells, {"scheme", "type"}), value = column(cells, {"value"});
    const int birth = column(cells, {"birth_date"}), sex = column(cells, {"sex"});
    if (type < 0 || value < 0) {
        std::cerr << "porta identity check: the header needs the columns scheme (or type) and value\n";
        return 1;
    }
    std::ofstream out(to, std::ios::binary);
    out << raw << ",state\n";
    auto cell = [&](int i) {
        return i >= 0 && static_cast<std::size_t>(i) < cells.size()
                   ? std::string_view(cells[static_cast<std::size_t>(i)])
                   : std::string_view();
    };
    while (nextRow(text, at, raw, cells)) {
        if (raw.empty()) continue;
        out << raw << ',' << identity::name(identity::checkId(cell(type), cell(value), cell(birth), cell(sex)).state)
            << '\n';
    }
    out.flush();
    if (!out) {
        std::cerr << "porta identity check: the output file cannot be written\n";
        return 1;
    }
    return 0;
}

}  // namespace

int commandIdentityCheck(const std::vector<std::string>& args) {
    CLI::App app(
        "Checks national identifiers: syntax, checksum, placeholders.\n"
        "Example: porta identity check ES-DNI -   (the value comes on standard input)",
        "porta identity check");
    std::string type, value, file, out;
    app.add_option("type", type,
                   "IT-CF ES-DNI ES-NIE BE-NISS BE-BIS NL-BSN DE-IDNR DE-RVNR UK-NHS FR-NIR PT-NIF PL-PESEL RO-CNP");
    app.add_option("value", value, "the identifier, or - for standard input");
    auto* from = app.add_option(
        "--file", file, "CSV with the columns scheme (or type) and value; birth_date and sex are used when there");
    app.add_option("--out", out, "the same rows with a column state")->needs(from);
    if (auto ended = parse(app, args)) return *ended;
    if (!file.empty()) {
        if (!out.empty() && type.empty()) return checkFile(file, out);
        std::cerr << "porta identity check: --file goes with --out, and without TYPE VALUE\n";
        return 2;
    }
    if (type.empty() || value.empty()) {
        std::cerr << "porta identity check: TYPE VALUE or --file CSV --out CSV\n";
        return 2;
    }
    if (value == "-") {
        value.clear();
        std::getline(std::cin, value);
        if (!value.empty() && value.back() == '\r') value.pop_back();
    }
    const auto state = identity::checkId(type, value).state;
    if (state == identity::IdState::unknown_type) {
        std::cerr << "porta identity check: unknown TYPE; see --help\n";
        return 2;
    }
    std::cout << identity::name(state) << "\n";
    return state == identity::IdState::valid ? 0 : 1;
}

}  // namespace porta::app
