#include "app/reader_options.h"

#include <algorithm>
#include <sstream>

#include "base/canonical_json.h"

namespace porta::app {

namespace {

using Lines = std::function<void(std::string_view)>;

void describe(const formats::NodeTree& tree, formats::NodeId id, int depth, std::string& out, const Lines& lines) {
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
        describe(tree, c, depth + 1, out, lines);
        if (out.size() > 1 << 16) {
            lines(out);
            out.clear();
        }
    }
}

}  // namespace

bool ReaderOptions::take(const Arguments& args, std::size_t& i) {
    const bool more = i + 1 < args.size();
    if (args[i] == "--dialect" && more) given_.fhir = args[++i] == "fhir";
    else if (args[i] == "--delimiter" && more) given_.delimiter = args[++i][0];
    else if (args[i] == "--encoding" && more) given_.encoding = args[++i];
    else if (args[i] == "--record" && more) given_.record = args[++i];
    else if (args[i] == "--ragged") given_.ragged = true;
    else if (args[i] == "--groups") given_.groups = true;
    else if (args[i] == "--columns" && more) columns_ = args[++i];
    else if (format.empty()) format = args[i];
    else return false;
    return true;
}

Result<formats::Settings> ReaderOptions::settings() const {
    auto kind = formats::kindNamed(format);
    if (!kind) return kind.error();
    formats::Settings settings = given_;
    settings.kind = *kind;
    if (given_.groups && *kind != formats::Kind::hl7v2)
        return fail(Errc::malformed, "--groups: belongs to format hl7v2");
    if (*kind == formats::Kind::fixed) {
        std::vector<std::string> texts;
        std::istringstream list(columns_);
        for (std::string text; std::getline(list, text, ',');) texts.push_back(text);
        auto read = formats::columnsFrom(texts);
        if (!read || texts.empty())
            return fail(Errc::malformed, "--columns: " + (read ? "NAME:WIDTH,… expected" : read.error().message));
        settings.columns = *read;
    }
    if (auto encoding = formats::checkEncoding(settings); !encoding)
        return fail(Errc::malformed, "--encoding: " + encoding.error().message);
    return settings;
}

void ReaderOptions::adapt(formats::Settings& settings, const std::string& file) {
    if (settings.kind == formats::Kind::csv && file.ends_with(".tsv")) settings.delimiter = '\t';
}

void describeUnit(std::size_t index, const formats::Unit& unit, const formats::NodeTree& tree, bool groups,
                  const Lines& lines) {
    std::string out = "# unit " + std::to_string(index + 1) + " @" + std::to_string(unit.offset) + "+" +
                      std::to_string(unit.length) + "\n";
    if (groups && !tree.grouped()) out += "# flat: MSH-9 and MSH-12 name no message structure that is known\n";
    describe(tree, tree.root(), 0, out, lines);
    lines(out);
}

}  // namespace porta::app
