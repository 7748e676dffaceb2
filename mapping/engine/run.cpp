#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

#include "mapping/engine/compiled.h"
#include "mapping/engine/resource_types.h"
#include "mapping/engine/reuse.h"

namespace porta::mapping {

using fhirpath::Collection;
using fhirpath::Expression;
using fhirpath::Value;
using formats::NodeId;
using formats::NodeKind;

namespace {

/// An expression's error as one of the record: its place is not the expression's.
Error ofRecord(Error error) {
    error.code = Errc::malformed;
    error.offset = error.length = 0;
    if (error.rule.empty()) error.rule = "mapping.expression";
    return error;
}

Result<void> evaluate(RecordScope& scope, const Expression& e, NodeId context, Collection& out) {
    auto done = e.evaluate(scope.tree, context, scope.scratch.vars, scope.scratch.arena, out);
    if (!done) return ofRecord(done.error());
    return done;
}

bool isNull(const RecordScope& scope, const Value& v) {
    return v.isNode() && scope.tree[v.node].kind == NodeKind::null;
}

/// The most frequent value: a node that is a text.
bool saysText(const RecordScope& scope, const Value& v) {
    if (!v.isNode()) return false;
    const formats::Node& n = scope.tree[v.node];
    return n.kind == NodeKind::text && n.first_child == formats::kNoNode && !n.text.empty();
}

bool isEmpty(const RecordScope& scope, const Value& v) {
    Value p = plain(scope, v);
    if (p.isNode() && scope.tree[p.node].kind == NodeKind::object)
        return scope.tree[p.node].first_child == formats::kNoNode;
    return p.str(scope.tree).empty();
}

/// Drops what says nothing of the values behind the first `before`.
void keepSaying(RecordScope& scope, const Expression& e, NodeId context, bool* null, std::size_t before,
                Collection& out) {
    std::size_t kept = before;
    bool any_null = false;
    for (std::size_t i = before; i < out.size(); ++i) {
        const Value v = out[i];
        if (isNull(scope, v)) any_null = true;
        else if (saysText(scope, v) || !isEmpty(scope, v)) out[kept++] = v;
    }
    out.shrink(kept);
    if (scope.scratch.probe) scope.scratch.probe->evaluated(e, context, kept > before);
    if (null && any_null && kept == before) *null = true;
}

}  // namespace

Error inField(Error error, std::string_view path) {
    if (error.path.empty()) error.path = path;
    return error;
}

Result<void> said(RecordScope& scope, const Expression& e, NodeId context, bool* null, Collection& out) {
    const std::size_t before = out.size();
    const bool followed = e.follow(scope.tree, context, out);
    if (followed && out.size() == before + 1 && !scope.scratch.probe && saysText(scope, out[before])) return {};
    if (!followed)
        if (auto found = evaluate(scope, e, context, out); !found) return found;
    keepSaying(scope, e, context, null, before, out);
    return {};
}

Result<bool> holds(RecordScope& scope, const std::optional<Expression>& when, NodeId context) {
    if (!when) return true;
    auto found = when->test(scope.tree, context, scope.scratch.vars, scope.scratch.arena);
    if (!found) return ofRecord(std::move(found.error()));
    if (scope.scratch.probe) scope.scratch.probe->decided(*when, context, *found);
    return found;
}

namespace {

/// In the order of `Program::Impl::variables`, which `let` goes on with.
void setVariables(RecordScope& scope) {
    fhirpath::Variables& vars = scope.scratch.vars;
    vars.clear();
    vars.add("record").push_back(Value::ofNode(scope.tree.root()));
    vars.add("source").push_back(Value::ofString(std::string_view(scope.input.source)));
    Collection& time = vars.add("objectTime");
    if (!scope.input.object_time.empty()) time.push_back(Value::ofString(std::string_view(scope.input.object_time)));
}

void refuse(Error error, Outcome& out) {
    out.state = State::quarantined;
    out.error = std::move(error);
}

void skip(const formats::NodeTree& tree, Outcome& out) {
    out.state = State::skipped;
    out.rule = "no-mapping:" + Program::describe(tree);
}

/// The two give trees of one shape: JSON alone or in lines, and FHIR whichever way it is written.
bool sameFamily(const formats::Settings& a, const formats::Settings& b) {
    auto json = [](formats::Kind k) { return k == formats::Kind::json || k == formats::Kind::ndjson; };
    return a.kind == b.kind || (json(a.kind) && json(b.kind)) || (a.fhir && b.fhir);
}

/// The source's settings as a program asks for them: FHIR's dialect where any of the source's does, groups where this one does.
/// They hold texts, which are copied only where something changes.
const formats::Settings& asked(const formats::Settings& format, bool fhir, bool groups, formats::Settings& own) {
    if ((!fhir || format.fhir) && format.groups == groups) return format;
    own = format;
    own.fhir = fhir || format.fhir;
    own.groups = groups;
    return own;
}

/// Whether the program takes this tree.
Result<bool> takes(RecordScope& scope) {
    if (!sameFamily(scope.program.format, scope.format)) return false;
    setVariables(scope);
    return holds(scope, scope.program.when, scope.tree.root());
}

/// Documents that are values: the nodes stay what was found, and have parts then. An explicit null holds nothing.
Result<void> openAll(RecordScope& scope, const formats::Within& within, const Collection& found,
                     formats::NodeTree& tree) {
    for (const Value& v : found) {
        if (isNull(scope, v)) continue;
        if (!v.isNode())
            return at(scope, v,
                      fail(Errc::malformed, "a document is a value as it stands in the record", "within.text"));
        if (auto opened = formats::openWithin(within, scope.format.kind, scope.input.bytes, v.node, tree); !opened)
            return opened;
    }
    return {};
}

/// What the paths of a mapping by groups name is not there in a message that could only be read flat.
Error withoutStructure(const formats::NodeTree& tree) {
    const NodeId header = tree.child(tree.root(), "MSH"), type = tree.child(header, "f9");
    const formats::Span span = tree[type == formats::kNoNode ? header : type].span;
    return fail(Errc::malformed,
                "the mapping reads by groups, and MSH-9 and MSH-12 name no message structure that is known",
                "hl7v2.structure", span.offset, span.length);
}

void mapTree(RecordScope& scope, formats::NodeTree& tree, Operations& operations, Outcome& out) {
    auto refused = [&](Error error) {
        operations.shrink(0);
        refuse(std::move(error), out);
        if (scope.input.full_snapshot) presences(scope, operations, out);
    };
    if (scope.format.groups && !tree.grouped()) return refused(withoutStructure(tree));
    for (const auto& [name, expression] : scope.program.let) {
        Collection& found = scope.scratch.let;
        found.clear();
        if (auto done = evaluate(scope, expression, scope.tree.root(), found); !done)
            return refused(inField(done.error(), "let." + name));
        if (auto within = scope.program.documents.find(name); within != scope.program.documents.end())
            if (auto opened = openAll(scope, within->second, found, tree); !opened)
                return refused(inField(opened.error(), "let." + name));
        // Added when it is found: it may not see itself.
        scope.scratch.vars.add(name) = found;
    }
    for (const EmitRule& e : scope.program.emits)
        if (auto ok = addOperations(scope, e, operations); !ok) return refused(ok.error());
    if (operations.size() == 0) skip(scope.tree, out);
}

Scratch& scratch() {
    static thread_local Scratch mine;
    mine.arena.clear();
    mine.spans.clear();
    mine.looks = 0;
    return mine;
}

/// As a new one, but for its operations: they are filled again.
void reset(Outcome& out) {
    if (out.state == State::quarantined) out.error = {};
    out.state = State::published;
    out.rule.clear();
    out.key_unreadable = false;
}

/// A record that no reader can open has no key either.
void unreadable(const Input& input, Error error, Outcome& out) {
    refuse(std::move(error), out);
    out.key_unreadable = input.full_snapshot;
}

/// By the first of the programs that takes it. Those of one source share one numbering of rules, in the order of the list.
template <class Programs>
void mapByFirst(const Programs& programs, const formats::Settings& format, const Input& input, formats::NodeTree& tree,
                Outcome& out) {
    const bool fhir =
        std::any_of(programs.begin(), programs.end(), [](const auto& p) { return p->impl().format.fhir; });
    Scratch& mine = scratch();
    reset(out);
    Operations operations = mine.pool.refill(out.operations);
    const formats::Settings* settings = nullptr;
    auto read = [&](bool groups) {
        settings = &asked(format, fhir, groups, mine.settings);
        return formats::parse(*settings, input.bytes, input.context, tree);
    };
    auto groupsOf = [&](const auto& p) { return format.kind == formats::Kind::hl7v2 && p->impl().format.groups; };
    if (auto done = read(!programs.empty() && groupsOf(programs.front())); !done)
        return unreadable(input, done.error(), out);
    std::uint32_t first_rule = 0;
    for (const auto& p : programs) {
        if (groupsOf(p) != settings->groups)
            if (auto done = read(!settings->groups); !done) return unreadable(input, done.error(), out);
        RecordScope scope{p->impl(), *settings, input, tree, mine};
        auto taken = takes(scope);
        if (!taken) return refuse(inField(taken.error(), "input.when"), out);
        if (*taken) {
            mapTree(scope, tree, operations, out);
            operations.trim();
            if (first_rule != 0)
                for (schemas::Operation& op : out.operations)
                    for (schemas::Leaf& leaf : op.leaves) leaf.rule += first_rule;
            return;
        }
        first_rule += static_cast<std::uint32_t>(p->rules().size());
    }
    skip(tree, out);
}

}  // namespace

Watching::Watching(Probe& probe) { scratch().probe = &probe; }
Watching::~Watching() { scratch().probe = nullptr; }

void mapInto(const Program& program, const formats::Settings& format, const Input& input, formats::NodeTree& tree,
             Outcome& out) {
    mapByFirst(std::array{&program}, format, input, tree, out);
}

void mapInto(const std::vector<std::shared_ptr<const Program>>& programs, const formats::Settings& format,
             const Input& input, formats::NodeTree& tree, Outcome& out) {
    mapByFirst(programs, format, input, tree, out);
}

Outcome Program::map(const formats::Settings& format, const Input& input, formats::NodeTree& tree) const {
    Outcome out;
    mapInto(*this, format, input, tree, out);
    return out;
}

// A skip rule stands in clear text in the store, in metrics and in the account: it names kinds that a standard knows, never
// what a broken record has in that place.
namespace {

/// HL7 v2 tables 0076 and 0003: three capital letters or digits.
std::string code(const std::string& text) {
    bool known = text.size() == 3 && std::isupper(static_cast<unsigned char>(text[0]));
    for (char c : text)
        known = known && (std::isupper(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)));
    return known ? text : "other";
}

std::string resourceType(const std::string& text) {
    return std::binary_search(std::begin(kResourceTypes), std::end(kResourceTypes), std::string_view(text)) ? text
                                                                                                            : "other";
}

}  // namespace

std::string Program::describe(const formats::NodeTree& tree) {
    if (tree.dialect() == formats::Dialect::hl7v2) {
        NodeId msh = tree.child(tree.root(), "MSH");
        NodeId type = msh == formats::kNoNode ? msh : tree.child(msh, "f9");
        if (type == formats::kNoNode) return "unknown";
        NodeId type_code = tree.child(type, "c1"), event = tree.child(type, "c2");
        std::string what = type_code == formats::kNoNode ? "unknown" : code(std::string(tree[type_code].text));
        return event == formats::kNoNode || tree[event].text.empty() ? what
                                                                     : what + "^" + code(std::string(tree[event].text));
    }
    NodeId type = tree.child(tree.root(), "resourceType");
    if (type != formats::kNoNode) return resourceType(std::string(tree[type].text));
    return "record";
}

}  // namespace porta::mapping
