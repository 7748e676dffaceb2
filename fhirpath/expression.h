#pragma once
/// FHIRPath 2.0 over the abstract node tree: compile once, evaluate per record. Mappings, views and `porta fhirpath` use
/// nothing else of this folder. A result says which source bytes it was computed from.
///
///     auto expression = fhirpath::Expression::compile("name.where(use = 'official').family", fhirpath::Profile::mapping);
///     Arena arena;
///     auto found = expression->evaluate(tree, tree.root(), {}, arena);
///     if (found && !found->empty()) use(found->front().str(tree), found->front().sources(tree));
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "base/small_vector.h"
#include "fhirpath/model.h"
#include "fhirpath/shape.h"
#include "fhirpath/terminology.h"
#include "formats/node.h"

namespace porta::fhirpath {

/// `mapping` refuses what reads a clock: now(), today(), timeOfDay(). `strict` checks each resource's type against the model
/// before it evaluates (`check`), where the others find nothing.
enum class Profile : std::uint8_t { standard, mapping, strict };

/// `longInteger` is the 64-bit integer of the 3.0 ballot, `type` what type() gives: its name, with the namespace as unit; `parts`
/// what %terminologies answers: a resource or a part of one, as JSON.
enum class ValueKind : std::uint8_t {
    node,
    string,
    boolean,
    integer,
    decimal,
    date,
    dateTime,
    time,
    quantity,
    longInteger,
    type,
    parts,
};

/// A node of the tree, or a computed value with the spans of the nodes that it was computed from.
/// Owner: nobody; texts and spans stand in the tree, the expression or the arena that it was evaluated with.
struct Value {
    ValueKind kind = ValueKind::node;
    bool copied = false;                        ///< computed, but the text is exactly one node's text
    formats::NodeId node = formats::kNoNode;    ///< kNoNode when computed
    std::string_view text = {};                 ///< computed values: canonical text without `@`, quotes or unit
    std::string_view unit = {};                 ///< quantity: UCUM code or calendar word
    std::span<const formats::Span> spans = {};  ///< computed values: of the source nodes, in order, no duplicates

    bool isNode() const { return kind == ValueKind::node; }
    /// The text of a leaf node or of a computed value; "" for an object node.
    std::string_view str(const formats::NodeTree& tree) const { return isNode() ? tree[node].text : text; }
    /// The span of a node, or the spans of a computed value (empty for a literal).
    std::vector<formats::Span> sources(const formats::NodeTree& tree) const {
        return isNode() ? std::vector<formats::Span>{tree[node].span}
                        : std::vector<formats::Span>(spans.begin(), spans.end());
    }
    bool isCopy() const { return isNode() || copied; }

    static Value ofNode(formats::NodeId id) { return Value{ValueKind::node, false, id, {}, {}, {}}; }
    static Value ofText(ValueKind kind, std::string_view text) {
        return Value{kind, false, formats::kNoNode, text, {}, {}};
    }
    static Value ofText(ValueKind kind, std::string&& text) = delete;  // who would own it?
    static Value ofString(std::string_view text) { return ofText(ValueKind::string, text); }
    static Value ofString(std::string&& text) = delete;
    static Value ofBoolean(bool b) { return ofText(ValueKind::boolean, std::string_view(b ? "true" : "false")); }
};

using Collection = SmallVector<Value, 3>;

/// What one evaluation may take before it ends with an error. Steps count nodes visited, items compared and bytes made, so
/// that the same expression over the same data ends the same way on every machine; `time` is for people who wait.
struct Limits {
    std::uint64_t steps = 2000000;
    int depth = 1500;
    std::chrono::milliseconds time{0};  ///< 0: none
};

/// Told what trace() sees. Values may be personal: show them to the person who asked, keep them out of logs.
using Trace = void (*)(std::string_view name, const Collection& values, const formats::NodeTree& tree);

struct Options {
    Profile profile = Profile::standard;
    Release release = Release::r4;  ///< of the model for trees of the FHIR dialect
    bool ballot = true;             ///< also what only the 3.0 ballot has: sort(), defineVariable(), long integers …
    Limits limits = {};
    Trace trace = nullptr;
    std::vector<std::string> variables =
        {};  ///< names in the order in which they will be added: found without a search
    std::shared_ptr<const Terminology> terminology = {};  ///< null: functions that ask one are refused
};

/// `%name` → values. `%context`, `%resource` and `%rootResource` are set by `evaluate` unless given here.
/// Owner: names and what values view belong to the caller.
class Variables {
public:
    Variables() = default;
    Variables(std::initializer_list<std::pair<std::string_view, Collection>> all) : entries_(all) {}
    /// Forgets all and keeps the memory.
    void clear() { size_ = 0; }
    /// The values of a name, empty; a later one of the same name hides an earlier one.
    Collection& add(std::string_view name);
    /// `place`: where the name is likely to stand, as told to `compile`.
    const Collection* find(std::string_view name, std::size_t place) const {
        if (place < size_ && entries_[place].first == name) return &entries_[place].second;
        for (std::size_t i = size_; i-- > 0;)
            if (entries_[i].first == name) return &entries_[i].second;
        return nullptr;
    }

private:
    std::vector<std::pair<std::string_view, Collection>> entries_;
    std::size_t size_ = entries_.size();
};

/// Something that an expression reads: a path, itself an expression on the same context (`PID.f5.c7`, `%visit`, `$this`).
struct Read {
    enum Use : std::uint8_t {
        value,      ///< its nodes are the result
        computed,   ///< the result is made of them
        condition,  ///< they decide between results (iif)
        filter,     ///< they decide which nodes are taken (where, an index)
    };
    std::string path;
    Use use = value;
    friend bool operator==(const Read&, const Read&) = default;
};

struct UnknownTable {
    std::uint32_t offset = 0;  ///< of its URL in the expression's text
    Terminology::Kind kind = Terminology::Kind::value_set;
    std::string url;
};

/// Threads: any number may evaluate one compiled expression.
class Expression {
public:
    /// `variables`: names in the order in which they will be added, so that they are found without a search.
    /// Errors: misconfigured, with the byte offset in `text`.
    static Result<Expression> compile(std::string_view text, Profile profile = Profile::standard,
                                      const std::vector<std::string>& variables = {});
    static Result<Expression> compile(std::string_view text, const Options& options);
    /// Errors: malformed (for instance a single value expected) with the offset in the expression; never with a value.
    /// Owner:  node values refer to `tree`; computed ones view it, `arena`, `vars` or this expression.
    Result<Collection> evaluate(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars,
                                Arena& arena) const;
    /// The same, appended to `out`.
    Result<void> evaluate(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars, Arena& arena,
                          Collection& out) const;
    /// The same for any value as context, not only a node.
    Result<void> evaluate(const formats::NodeTree& tree, const Value& context, const Variables& vars, Arena& arena,
                          Collection& out) const;
    /// Appends what a path finds, which cannot fail. False: this is no path, and `evaluate` has the answer.
    bool follow(const formats::NodeTree& tree, formats::NodeId context, Collection& out) const;
    /// The truth of its result (`truth`), without the spans that only values carry.
    Result<bool> test(const formats::NodeTree& tree, formats::NodeId context, const Variables& vars,
                      Arena& arena) const;

    /// Types against the model, without data: the context is of `type` (`Patient`, `HumanName`). `ordered`: also refuses
    /// first(), skip() and the like on what has no order (children(), descendants()).
    /// Errors: misconfigured, with offset, the unknown element or type and the nearest known name.
    /// Source: FHIRPath 2.0 chapter 10, type safety and strict evaluation.
    Result<void> check(std::string_view type, bool ordered = false) const;
    /// The same for a context of one of several types; gives the types of the result, none when they are unknown.
    Result<std::vector<std::string>> resultTypes(const std::vector<std::string>& types) const;

    /// What it may give over an input of this shape, and the steps that the shape does not have. `self` is what it starts
    /// from; `variables` what is known of each `%name`.
    Analysis analyse(const Shape& shape, const Known& self, const std::map<std::string, Known>& variables) const;
    /// Every path that it reads, dotted, without positions, names in backquotes where needed: what the result is made of, and
    /// what only decides; where they are very many, any part of the record. For lineage.
    std::vector<Read> reads() const;
    /// Tables of a terminology that it names by a literal and that are not there.
    std::vector<UnknownTable> unknownTables() const;
    /// Names of the `%variables` it uses.
    std::vector<std::string> variables() const;
    const std::string& text() const;

private:
    Expression() = default;
    Result<void> strictly(const class Evaluator& evaluator, formats::NodeId context) const;
    struct Impl;
    std::shared_ptr<const Impl> impl_;
    friend struct Compiler;
};

/// The boolean of a result as FHIRPath's singleton rule has it: empty is false, one non-boolean value is true.
/// Errors: malformed when there is more than one value.
Result<bool> truth(const Collection& values, const formats::NodeTree& tree);

}  // namespace porta::fhirpath
