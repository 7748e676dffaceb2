// Our JSON reader beside simdjson's DOM: the same verdict, and the same leaves in the same order. Where they differ on purpose:
// we keep numbers that no double holds, pass over a byte order mark, and stop at a depth of 200.
#include <simdjson.h>

#include <cstdlib>
#include <regex>
#include <string>

#include "formats/format.h"

using namespace porta::formats;

namespace {

struct Leaf {
    NodeKind kind;
    std::string text;  ///< of strings; the others are compared by kind, numbers by the grammar
    bool operator==(const Leaf&) const = default;
};

void leavesOf(simdjson::dom::element e, std::vector<Leaf>& out) {
    switch (e.type()) {
        case simdjson::dom::element_type::ARRAY: {
            const simdjson::dom::array items = e.get_array().value_unsafe();
            for (auto item : items) leavesOf(item, out);
            return;
        }
        case simdjson::dom::element_type::OBJECT: {
            const simdjson::dom::object members = e.get_object().value_unsafe();
            for (auto member : members) leavesOf(member.value, out);
            return;
        }
        case simdjson::dom::element_type::STRING:
            out.push_back({NodeKind::text, std::string(e.get_string().value_unsafe())});
            return;
        case simdjson::dom::element_type::BOOL:
            out.push_back({NodeKind::boolean, e.get_bool().value_unsafe() ? "true" : "false"});
            return;
        case simdjson::dom::element_type::NULL_VALUE: out.push_back({NodeKind::null, {}}); return;
        default: out.push_back({NodeKind::number, {}});
    }
}

/// RFC 8259, 6. std::regex recurses for each character.
bool isNumber(std::string_view text) {
    static const std::regex grammar("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    return text.size() > 1000 || std::regex_match(text.begin(), text.end(), grammar);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(reinterpret_cast<const char*>(data), size);
    NodeTree tree;
    auto ours = parse(Settings{}, text, {}, tree);
    if (!ours && ours.error().rule == "json.depth") return 0;
    std::string theirs_text = text.rfind("\xEF\xBB\xBF", 0) == 0 ? text.substr(3) : text;
    std::vector<Leaf> leaves;
    if (ours) {
        const std::size_t moved = text.size() - theirs_text.size();
        for (NodeId i = 1; i < tree.size(); ++i) {
            const Node& n = tree[i];
            if (n.kind == NodeKind::object) continue;
            leaves.push_back({n.kind, n.kind == NodeKind::number ? std::string() : std::string(n.text)});
            if (n.kind != NodeKind::number) continue;
            if (!isNumber(n.text)) std::abort();
            // One that simdjson takes, in its place.
            theirs_text.replace(n.span.offset - moved, n.span.length, "1" + std::string(n.span.length - 1, ' '));
        }
    }
    static simdjson::dom::parser parser;
    simdjson::dom::element root;
    const auto error = parser.parse(simdjson::padded_string(theirs_text)).get(root);
    if ((error == simdjson::SUCCESS) != ours.has_value()) std::abort();
    if (error != simdjson::SUCCESS) return 0;
    std::vector<Leaf> theirs;
    leavesOf(root, theirs);
    if (theirs != leaves) std::abort();
    return 0;
}
