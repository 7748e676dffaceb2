#pragma once
/// FHIRPath 2.0 over the abstract node tree: compile once, evaluate per record. Mappings, views and `porta fhirpath` use
/// nothing else of this folder. A result says which source bytes it was computed from.
///
///     auto expression = fhirpath::Expression::compile("name.where(use = 'official').family", fhirpath::Profile::mapping);
///     auto found = expression->evaluate(tree, tree.root(), {});
///     if (found && !found->empty()) use(found->front().str(tree), found->front().sources(tree));
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/node.h"

namespace porta::fhirpath {

/// `mapping` refuses what reads a clock: now(), today(), timeOfDay(). `strict` refuses a path that begins with another
/// resource type than that of the resource it meets, where the others find nothing.
enum class Profile : std::uint8_t { standard, mapping, strict };

enum class ValueKind : std::uint8_t { node, string, boolean, integer, decimal, date, dateTime, time, quantity };

/// A node of the tree, or a computed value with the spans of the nodes that it was computed from.
struct Value {
    ValueKind kind = ValueKind::node;
    bool copied = false;                      ///< computed, but the text is exactly one node's text
    formats::NodeId node = formats::kNoNode;  ///< kNoNode when computed
    std::string text = {};                    ///< computed values: canonical text without `@`, quotes or unit
    std::string unit = {};                    ///< quantity: UCUM code or calendar word
    std::vector<formats::Span> spans = {};    ///< computed values: spans of the source nodes, in order, no duplicates

    bool isNode() const { return kind == ValueKind::node; }
    /// The text of a leaf node or of a computed value; "" for an object node. Views the tree or this value.
    std::string_view str(const formats::NodeTree& tree) const {
        return isNode() ? tree[node].text : std::string_view(text);
    }
    /// The span of a node, or the spans of a computed value (empty for a literal).
    std::vector<formats::Span> sources(const formats::NodeTree& tree) const {
        return isNode() ? std::vector<formats::Span>{tree[node].span} : spans;
    }
    bool isCopy() const { return isNode() || copied; }

    static Value ofNode(formats::NodeId id) { return Value{ValueKind::node, false, id, {}, {}, {}}; }
    static Value ofString(std::string s) {
        return Value{ValueKind::string, false, formats::kNoNode, std::move(s), {}, {}};
    }
    static Value ofBoolean(bool b) {
        return Value{ValueKind::boolean, false, formats::kNoNode, b ? "true" : "false", {}, {}};
    }
    static Value ofText(ValueKind kind, std::string s) {
        return Value{kind, false, formats::kNoNode, std::move(s), {}, {}};
    }
};

using Collection = std::vector<Value>;
/// `%name` → values. `%context`, `%resource` and `%rootResource` are set by `evaluate` unless given here.
using Variables = std::map<std::string, Collection, std::less<>>;

/// Threads: any number may evaluate one compiled expression.
class Expression {
public:
    /// Errors: misconfigured, with the byte offset in `text`.
    static Result<Expression> compile(std::string_view text, Profile profile = Profile::standard);
    /// Errors: malformed (for instance a single value expected) with the offset in the expression; never with a value.
    /// Owner:  node values refer to `tree`.
    Result<Collection> evaluate(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars) const;

    /// The expression is one path of member names and indexers, nothing else.
    bool isSinglePath() const;
    /// Every path the expression reads, dotted, without indexers and filters: `name.given`; for `porta map check`. Paths
    /// inside where(), select(), exists(), all() are prefixed with the path that they filter.
    std::vector<std::string> paths() const;
    /// Names of the `%variables` it uses.
    std::vector<std::string> variables() const;
    const std::string& text() const;

private:
    Expression() = default;
    struct Impl;
    std::shared_ptr<const Impl> impl_;
    friend struct Compiler;
};

/// The boolean of a result as FHIRPath's singleton rule has it: empty is false, one non-boolean value is true.
/// Errors: malformed when there is more than one value.
Result<bool> truth(const Collection& values, const formats::NodeTree& tree);

}  // namespace porta::fhirpath
