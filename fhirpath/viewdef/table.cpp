// Rows as text.
#include "base/canonical_json.h"
#include "fhirpath/viewdef/view_definition.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;
using formats::NodeKind;
using formats::NodeTree;

namespace {

/// Digits as JSON writes numbers.
bool jsonNumber(std::string_view s) {
    if (s.starts_with('-')) s.remove_prefix(1);
    if (s.empty() || s[0] < '0' || s[0] > '9') return false;
    return s[0] != '0' || s.size() == 1 || s[1] == '.' || s[1] == 'e' || s[1] == 'E';
}

void nodeJson(std::string& out, NodeId node, const NodeTree& tree, int depth) {
    const formats::Node& n = tree[node];
    switch (n.kind) {
        case NodeKind::null: out += "null"; return;
        case NodeKind::boolean:
        case NodeKind::number: out += n.text; return;
        case NodeKind::text: quote(out, n.text); return;
        case NodeKind::object: break;
    }
    out += '{';
    bool first = true;
    for (NodeId c = n.first_child; c != kNoNode && depth < 200; c = tree[c].next_sibling) {
        std::size_t before = 0, count = 0;
        for (NodeId d = n.first_child; d != kNoNode; d = tree[d].next_sibling) {
            if (tree[d].name != tree[c].name) continue;
            if (d == c) before = count;
            ++count;
        }
        if (before > 0) continue;  // written with the first of its name
        if (!first) out += ',';
        first = false;
        quote(out, tree[c].name);
        out += count > 1 ? ":[" : ":";
        bool more = false;
        for (NodeId d = c; d != kNoNode; d = tree[d].next_sibling) {
            if (tree[d].name != tree[c].name) continue;
            if (more) out += ',';
            more = true;
            nodeJson(out, d, tree, depth + 1);
        }
        if (count > 1) out += ']';
    }
    out += '}';
}

void valueJson(std::string& out, const Value& v, const NodeTree& tree) {
    if (v.isNode()) return nodeJson(out, v.node, tree, 0);
    const bool number =
        v.kind == ValueKind::integer || v.kind == ValueKind::decimal || v.kind == ValueKind::longInteger;
    if (v.kind == ValueKind::boolean || (number && jsonNumber(v.text))) out += v.text;
    else if (v.kind == ValueKind::quantity) quote(out, std::string(v.text) + " " + std::string(v.unit));
    else quote(out, v.text);
}

void cellJson(std::string& out, const Collection& cell, bool list, const NodeTree& tree) {
    if (cell.empty()) {
        out += list ? "[]" : "null";
        return;
    }
    if (!list) return valueJson(out, cell[0], tree);
    out += '[';
    for (std::size_t i = 0; i < cell.size(); ++i) {
        if (i > 0) out += ',';
        valueJson(out, cell[i], tree);
    }
    out += ']';
}

std::string field(std::string_view text) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

}  // namespace

std::string rowJson(const std::vector<ViewColumn>& columns, const Row& row, const NodeTree& tree) {
    std::string out = "{";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += ',';
        quote(out, columns[i].name);
        out += ':';
        cellJson(out, row[i], columns[i].collection, tree);
    }
    return out + "}";
}

std::string rowCsv(const std::vector<ViewColumn>& columns, const Row& row, const NodeTree& tree) {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += ',';
        if (row[i].empty()) continue;
        const Value& v = row[i][0];
        const bool plain = !columns[i].collection && (!v.isNode() || tree[v.node].kind != NodeKind::object);
        std::string text;
        if (plain) text = std::string(v.str(tree)) + (v.kind == ValueKind::quantity ? " " + std::string(v.unit) : "");
        else cellJson(text, row[i], columns[i].collection, tree);
        // An empty text is no null.
        out += text.empty() ? "\"\"" : field(text);
    }
    return out + "\r\n";
}

std::string headerCsv(const std::vector<ViewColumn>& columns) {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i) out += (i > 0 ? "," : "") + field(columns[i].name);
    return out + "\r\n";
}

}  // namespace porta::fhirpath
