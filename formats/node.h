#pragma once
/// One abstract node tree for every format: the mapping layer and FHIRPath know nothing else. A reader turns the bytes of
/// one raw record into a tree; each node keeps the span of its undecoded bytes, so that a value can be traced to them.
///
///     NodeTree tree;
///     auto read = hl7v2::parse(bytes, tree);
///     NodeId pid = tree.child(tree.root(), "PID");
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace porta::formats {

/// Bytes [offset, offset + length) of the raw record, before any decoding (escapes, charset).
struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    friend bool operator==(const Span&, const Span&) = default;
};

enum class NodeKind : std::uint8_t {
    object,   ///< has children, no text
    text,     ///< a string (HL7 v2, CSV and XML know no other leaf)
    number,   ///< JSON number: `text` holds the source's own digits
    boolean,  ///< JSON true or false: `text` is "true" or "false"
    null,     ///< JSON null; HL7 v2 `""` (delete the value)
};

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = ~NodeId{0};

/// A name with a number made of its size and some of its bytes: comparing numbers tells most names apart.
struct Name {
    std::string_view text;
    std::uint64_t tag = 0;

    Name(std::string_view name) : text(name), tag(tagOf(name)) {}
    Name(const char* name) : Name(std::string_view(name)) {}
    /// Up to seven bytes the number is the name.
    bool is(std::uint64_t other_tag, std::string_view other) const {
        return tag == other_tag && (text.size() <= 7 || text == other);
    }
    static std::uint64_t tagOf(std::string_view s) {
        const std::uint64_t size = std::uint64_t{std::min<std::size_t>(s.size(), 255)} << 56;
        auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(s[i])}; };
        if (s.size() >= 4) {
            std::uint32_t first, last;
            std::memcpy(&first, s.data(), 4);
            std::memcpy(&last, s.data() + s.size() - 4, 4);
            return size | std::uint64_t{last >> 8} << 32 | first;
        }
        return s.empty() ? 0 : size | byte(s.size() - 1) << 16 | byte(s.size() / 2) << 8 | byte(0);
    }
};

struct Node {
    std::string_view name;  ///< member, segment, column, element; repeated for the items of a list
    std::string_view text;  ///< decoded UTF-8; empty for objects
    std::uint64_t tag = 0;  ///< the name's (`Name`)
    Span span;              ///< the value's bytes without quotes or separators; an object's whole extent
    NodeId parent = kNoNode;
    NodeId first_child = kNoNode;
    NodeId last_child = kNoNode;
    NodeId next_sibling = kNoNode;
    NodeKind kind = NodeKind::object;
    bool group = false;  ///< HL7 v2: of the message's structure, with segments and groups below
};

/// How member names behave where formats differ.
enum class Dialect : std::uint8_t {
    plain,    ///< CSV, fixed width, NDJSON, XML
    fhir,     ///< FHIR JSON or XML: choice elements (`value` finds `valueQuantity`), `_name` carries extensions
    hl7v2,    ///< segments `PID`, fields `f3` (repetitions repeat the name), components `c1`, subcomponents `s1`;
              ///< `c1` and `s1` of a node without children are the node itself
    edifact,  ///< the same with `f3` an element; dates have no form of their own
};

/// Owner: the tree owns its nodes and every text that had to be decoded; undecoded texts view the input bytes, which
/// must outlive the tree's use. `clear` keeps the memory for the next record. Threads: one at a time.
class NodeTree {
public:
    NodeTree() { clear(); }
    void clear(Dialect dialect = Dialect::plain) {
        nodes_.clear();
        nodes_.push_back(Node{});
        texts_.clear();
        dialect_ = dialect;
        root_gathered_ = grouped_ = false;
        parts_gathered_ = dialect == Dialect::hl7v2;
    }
    Dialect dialect() const { return dialect_; }
    NodeId root() const { return 0; }
    std::size_t size() const { return nodes_.size(); }
    const Node& operator[](NodeId id) const { return nodes_[id]; }
    Node& at(NodeId id) { return nodes_[id]; }

    /// Appends a child at the end of `parent`'s children.
    NodeId add(NodeId parent, const Name& name, NodeKind kind, std::string_view text, Span span) {
        NodeId id = static_cast<NodeId>(nodes_.size());
        nodes_.push_back(Node{name.text, text, name.tag, span, parent, kNoNode, kNoNode, kNoNode, kind});
        Node& p = nodes_[parent];
        if (p.last_child == kNoNode) p.first_child = id;
        else nodes_[p.last_child].next_sibling = id;
        p.last_child = id;
        return id;
    }
    bool named(NodeId id, const Name& name) const { return name.is(nodes_[id].tag, nodes_[id].name); }
    /// First child of that name, or kNoNode (with the dialect's rule for `c1` and `s1`).
    NodeId child(NodeId parent, const Name& name) const {
        for (NodeId c = nodes_[parent].first_child; c != kNoNode; c = nodes_[c].next_sibling)
            if (named(c, name)) return c;
        return isFirstPart(parent, name.text) ? parent : kNoNode;
    }
    /// HL7 v2 and EDIFACT: `name` is the first component or subcomponent of a node without any, which is the node itself.
    bool isFirstPart(NodeId node, std::string_view name) const {
        return (dialect_ == Dialect::hl7v2 || dialect_ == Dialect::edifact) && node != 0 &&
               nodes_[node].first_child == kNoNode && (name == "c1" || name == "s1");
    }
    /// Children of one name stand side by side: who has met the first ones need not look on.
    bool gathered(NodeId parent) const {
        return parent == 0 ? root_gathered_ : parts_gathered_ && !nodes_[parent].group;
    }
    /// The reader says so of the root's.
    void gatherRoot() { root_gathered_ = true; }
    /// Nodes of another format come below.
    void scatterParts() { parts_gathered_ = false; }
    /// HL7 v2: the message's structure is known, and its segments stand below groups.
    bool grouped() const { return grouped_; }
    void setGrouped() { grouped_ = true; }
    NodeId addGroup(NodeId parent, const Name& name) {
        const NodeId id = add(parent, name, NodeKind::object, {}, {});
        nodes_[id].group = true;
        return id;
    }
    /// How deep a node of HL7 v2 stands: 0 the message and its groups, 1 a segment, 2 a field, 3 a component.
    std::size_t level(NodeId node) const {
        if (node == 0) return 0;
        return nodes_[node].group ? 0 : level(nodes_[node].parent) + 1;
    }
    /// Copies a decoded text. The view lives until `clear`.
    std::string_view keep(std::string_view text) { return texts_.keep(text); }

private:
    std::vector<Node> nodes_;
    Arena texts_;
    Dialect dialect_ = Dialect::plain;
    bool root_gathered_ = false, parts_gathered_ = false, grouped_ = false;
};

}  // namespace porta::formats
