#pragma once
/// One abstract node tree for every format: the mapping layer and FHIRPath know nothing else. A reader turns the bytes of
/// one raw record into a tree; each node keeps the span of its undecoded bytes, so that a value can be traced to them.
///
///     NodeTree tree;
///     auto read = hl7v2::parse(bytes, tree);
///     NodeId pid = tree.child(tree.root(), "PID");
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

struct Node {
    std::string_view name;  ///< member, segment, column, element; repeated for the items of a list
    std::string_view text;  ///< decoded UTF-8; empty for objects
    Span span;              ///< the value's bytes without quotes or separators; an object's whole extent
    NodeId parent = kNoNode;
    NodeId first_child = kNoNode;
    NodeId last_child = kNoNode;
    NodeId next_sibling = kNoNode;
    NodeKind kind = NodeKind::object;
};

/// How member names behave where formats differ.
enum class Dialect : std::uint8_t {
    plain,  ///< CSV, NDJSON, XML
    fhir,   ///< FHIR JSON or XML: choice elements (`value` finds `valueQuantity`), `_name` carries extensions
    hl7v2,  ///< segments `PID`, fields `f3` (repetitions repeat the name), components `c1`, subcomponents `s1`;
            ///< `c1` and `s1` of a node without children are the node itself
};

/// Owner: the tree owns its nodes and every text that had to be decoded; undecoded texts view the input bytes, which
/// must outlive the tree's use. `clear` keeps the memory for the next record. Threads: one at a time.
class NodeTree {
public:
    NodeTree() { clear(); }
    void clear(Dialect dialect = Dialect::plain) {
        nodes_.clear();
        nodes_.push_back(Node{});
        used_ = 0;
        block_ = 0;
        dialect_ = dialect;
    }
    Dialect dialect() const { return dialect_; }
    NodeId root() const { return 0; }
    std::size_t size() const { return nodes_.size(); }
    const Node& operator[](NodeId id) const { return nodes_[id]; }
    Node& at(NodeId id) { return nodes_[id]; }

    /// Appends a child at the end of `parent`'s children.
    NodeId add(NodeId parent, std::string_view name, NodeKind kind, std::string_view text, Span span) {
        NodeId id = static_cast<NodeId>(nodes_.size());
        nodes_.push_back(Node{name, text, span, parent, kNoNode, kNoNode, kNoNode, kind});
        Node& p = nodes_[parent];
        if (p.last_child == kNoNode) p.first_child = id;
        else nodes_[p.last_child].next_sibling = id;
        p.last_child = id;
        return id;
    }
    /// First child of that name, or kNoNode (with the dialect's rule for `c1` and `s1`).
    NodeId child(NodeId parent, std::string_view name) const {
        for (NodeId c = nodes_[parent].first_child; c != kNoNode; c = nodes_[c].next_sibling)
            if (nodes_[c].name == name) return c;
        if (dialect_ == Dialect::hl7v2 && parent != 0 && nodes_[parent].first_child == kNoNode &&
            (name == "c1" || name == "s1"))
            return parent;
        return kNoNode;
    }
    /// Copies a decoded text into the tree's arena. The view lives until `clear`.
    std::string_view keep(std::string_view text);

private:
    std::vector<Node> nodes_;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::vector<std::size_t> sizes_;
    std::size_t block_ = 0, used_ = 0;
    Dialect dialect_ = Dialect::plain;
};

}  // namespace porta::formats
