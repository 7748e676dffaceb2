#include "views/nodes.h"

#include <algorithm>

namespace porta::views {

using schemas::FoldedRecord;
using schemas::How;
using schemas::Leaf;
using schemas::LeafKind;
using schemas::StoredOperation;

namespace {

bool isIndex(std::string_view step) {
    return !step.empty() && std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Puts a leaf below `at` along the rest of its path.
void place(ViewNode& at, std::string_view path, ViewNode leaf) {
    if (path.empty()) {
        at = std::move(leaf);
        return;
    }
    std::size_t slash = path.find('/');
    std::string_view step = path.substr(0, slash),
                     rest = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (isIndex(step)) {
        at.kind = ViewNode::Kind::list;
        std::size_t i = static_cast<std::size_t>(std::strtoul(std::string(step).c_str(), nullptr, 10));
        while (at.items.size() <= i && at.items.size() < 10000) at.items.emplace_back();
        if (i < at.items.size()) place(at.items[i], rest, std::move(leaf));
        return;
    }
    at.kind = ViewNode::Kind::object;
    place(at.member(std::string(step)), rest, std::move(leaf));
}

void collect(const ViewNode& n, const std::string& at, std::vector<schemas::TracedValue>& out) {
    if (n.kind == ViewNode::Kind::leaf) {
        if (!n.value.isNull()) out.push_back({at, n.value, n.origin});
        return;
    }
    for (std::size_t i = 0; i < n.items.size(); ++i) {
        std::string step = n.kind == ViewNode::Kind::list ? std::to_string(i) : n.keys[i];
        collect(n.items[i], at + "/" + step, out);
    }
}

}  // namespace

ViewNode& ViewNode::member(const std::string& key) {
    kind = Kind::object;
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i] == key) return items[i];
    keys.push_back(key);
    items.emplace_back();
    return items.back();
}

const ViewNode* ViewNode::find(const std::string& key) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i] == key) return &items[i];
    return nullptr;
}

std::string ViewNode::text(const std::string& key) const {
    const ViewNode* n = find(key);
    return n && n->kind == Kind::leaf && n->value.isString() ? n->value.string() : std::string();
}

ViewNode list() {
    ViewNode n;
    n.kind = ViewNode::Kind::list;
    return n;
}

ViewNode object() {
    ViewNode n;
    n.kind = ViewNode::Kind::object;
    return n;
}

ViewNode leafOf(const Leaf& leaf, const StoredOperation* op) {
    ViewNode n;
    n.value = leaf.kind == LeafKind::boolean ? Json(leaf.value == "true")
              : leaf.kind == LeafKind::integer
                  ? Json(static_cast<std::int64_t>(std::strtoll(leaf.value.c_str(), nullptr, 10)))
                  : Json(leaf.value);
    n.origin.how = leaf.how;
    n.origin.leaf = &leaf;
    n.origin.operation = op;
    return n;
}

ViewNode declared(const SourceFacts& source, const std::string& pointer, const std::string& value) {
    ViewNode n;
    n.value = value;
    n.origin.how = How::declared;
    n.origin.config_key = source.config_file + "#" + pointer;
    return n;
}

ViewNode computed(Json value, std::vector<std::string> inputs) {
    ViewNode n;
    n.value = std::move(value);
    n.origin.how = How::computed;
    n.origin.inputs = std::move(inputs);
    return n;
}

ViewNode absent(Json value, std::vector<std::string> inputs) {
    ViewNode n = computed(std::move(value), std::move(inputs));
    n.origin.how = How::absent;
    return n;
}

ViewNode fieldNode(const StoredOperation* from, const std::string& field) {
    ViewNode n;
    for (const Leaf& leaf : from->op.leaves) {
        if (leaf.kind == LeafKind::null || leaf.path.compare(0, field.size(), field) != 0) continue;
        if (leaf.path.size() == field.size()) place(n, {}, leafOf(leaf, from));
        else if (leaf.path[field.size()] == '/')
            place(n, std::string_view(leaf.path).substr(field.size() + 1), leafOf(leaf, from));
    }
    return n;
}

const Leaf* leafAt(const StoredOperation* op, const std::string& path) {
    for (const Leaf& leaf : op->op.leaves)
        if (leaf.path == path && leaf.kind != LeafKind::null) return &leaf;
    return nullptr;
}

const Leaf* leafOfField(const FoldedRecord& r, const std::string& field, const std::string& path,
                        const StoredOperation** op) {
    auto it = r.fields.find(field);
    if (it == r.fields.end()) return nullptr;
    *op = it->second.setter;
    return leafAt(it->second.setter, path);
}

std::string textOf(const FoldedRecord& r, const std::string& field) {
    const StoredOperation* op = nullptr;
    const Leaf* leaf = leafOfField(r, field, field, &op);
    return leaf ? leaf->value : "";
}

ViewNode recordNode(const FoldedRecord& record) {
    ViewNode n = object();
    for (const auto& [field, state] : record.fields)
        if (state.canonical != "null") n.member(field) = fieldNode(state.setter, field);
    return n;
}

Json toJson(const ViewNode& n) {
    switch (n.kind) {
        case ViewNode::Kind::leaf: return n.value;
        case ViewNode::Kind::list: {
            Json a = Json::array();
            for (const ViewNode& i : n.items) a.push(toJson(i));
            return a;
        }
        case ViewNode::Kind::object: {
            Json o = Json::object();
            for (std::size_t i = 0; i < n.items.size(); ++i) o[n.keys[i]] = toJson(n.items[i]);
            return o;
        }
    }
    return {};
}

std::vector<schemas::TracedValue> traced(const CaseView& view) {
    std::vector<schemas::TracedValue> out;
    collect(view.root, "", out);
    return out;
}

}  // namespace porta::views
