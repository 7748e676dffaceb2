// A JSON Schema as a shape, read with our own JSON reader.
#include <fstream>
#include <map>
#include <sstream>

#include "formats/format.h"
#include "mapping/engine/models.h"

namespace porta::mapping {

using fhirpath::Leaf;
using fhirpath::PlaceId;
using fhirpath::Shape;
using formats::kNoNode;
using formats::NodeId;

namespace {

constexpr int kMaxDepth = 200;

struct Maker {
    const formats::NodeTree& tree;
    Shape& shape;
    std::map<NodeId, PlaceId> made = {};
    int depth = 0;  ///< references to references; what stands deeper stays open

    std::string text(NodeId node, const char* name) const {
        NodeId child = tree.child(node, name);
        return child == kNoNode ? "" : std::string(tree[child].text);
    }
    /// `#/definitions/person`, inside this document.
    NodeId referred(std::string pointer) const {
        if (pointer.rfind("#", 0) != 0) return kNoNode;
        NodeId at = tree.root();
        std::istringstream steps(pointer.substr(1));
        for (std::string step; std::getline(steps, step, '/');) {
            if (step.empty()) continue;
            for (auto [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
                for (std::size_t i; (i = step.find(from)) != std::string::npos;) step.replace(i, 2, to);
            at = tree.child(at, std::string_view(step));
            if (at == kNoNode) return kNoNode;
        }
        return at;
    }

    static Leaf leafOf(const std::string& type, const std::string& format) {
        if (type == "integer" || type == "number") return Leaf::number;
        if (type == "boolean") return Leaf::boolean;
        if (type == "string") return format == "date" ? Leaf::date : format == "date-time" ? Leaf::instant : Leaf::text;
        return Leaf::any;
    }

    /// What `schema` says is added to the type; true when its values repeat (an array).
    bool describe(NodeId schema, PlaceId id, std::vector<NodeId>& visited) {
        for (NodeId seen : visited)
            if (seen == schema) return false;
        visited.push_back(schema);
        bool many = false;
        if (std::string ref = text(schema, "$ref"); !ref.empty()) {
            NodeId target = referred(ref);
            if (target == kNoNode) shape.types[id].open = true;  // in another document
            else many = describe(target, id, visited) || many;
        }
        for (NodeId c = tree[schema].first_child; c != kNoNode; c = tree[c].next_sibling) {
            const std::string_view name = tree[c].name;
            if (name == "allOf" || name == "anyOf" || name == "oneOf" || name == "then" || name == "else")
                many = describe(c, id, visited) || many;
            else if (name == "items" || name == "prefixItems") many = describe(c, id, visited) || true;
            else if (name == "properties") properties(c, id);
            else if (name == "additionalProperties" || name == "patternProperties")
                shape.types[id].open = shape.types[id].open || tree[c].text != "false";
            else if (name == "enum") shape.types[id].codes.emplace_back(tree[c].text);
            else if (name == "type" && tree[c].text != "object" && tree[c].text != "array" && tree[c].text != "null")
                shape.types[id].leaf = leafOf(std::string(tree[c].text), text(schema, "format"));
        }
        return many;
    }
    void properties(NodeId node, PlaceId id) {
        for (NodeId p = tree[node].first_child; p != kNoNode; p = tree[p].next_sibling) {
            const auto [type, many] = place(p);
            shape.element(id, std::string(tree[p].name), type, many);
        }
    }
    std::map<NodeId, bool> repeats = {};
    std::pair<PlaceId, bool> place(NodeId schema) {
        // A schema that refers to itself through a reference ends where the reference was followed before.
        NodeId key = schema;
        if (std::string ref = text(schema, "$ref"); !ref.empty() && referred(ref) != kNoNode) key = referred(ref);
        if (auto found = made.find(key); found != made.end()) return {found->second, repeats[key]};
        if (depth == kMaxDepth) return {Shape::kOpen, false};
        const PlaceId id = shape.add({std::string(tree[key].name), Leaf::group, false, {}});
        made[key] = id;
        std::vector<NodeId> visited;
        ++depth;
        const bool many = describe(key, id, visited);
        --depth;
        repeats[key] = many;
        Shape::Type& type = shape.types[id];
        // Nothing said: anything may stand there.
        if (type.leaf == Leaf::group && type.elements.empty()) {
            type.leaf = type.codes.empty() ? Leaf::any : Leaf::text;
            type.open = type.codes.empty();
        }
        return {id, many};
    }
};

}  // namespace

Result<std::shared_ptr<const Shape>> jsonSchemaModel(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return fail(Errc::misconfigured, "the JSON Schema `" + file + "` cannot be opened; check the path", "model");
    std::ostringstream bytes;
    bytes << in.rdbuf();
    const std::string text = bytes.str();
    formats::NodeTree tree;
    formats::Settings settings;
    if (auto read = formats::parse(settings, text, {}, tree); !read)
        return fail(Errc::misconfigured, "`" + file + "` is no JSON: " + read.error().message, "model");
    auto shape = std::make_shared<Shape>();
    Maker maker{tree, *shape};
    shape->root = maker.place(tree.root()).first;
    return std::shared_ptr<const Shape>(shape);
}

}  // namespace porta::mapping
