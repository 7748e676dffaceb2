#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

#include "base/date_time.h"
#include "mapping/engine/compiled.h"
#include "mapping/engine/resource_types.h"
#include "mapping/engine/reuse.h"

namespace porta::mapping {

using fhirpath::Collection;
using fhirpath::Expression;
using fhirpath::Value;
using formats::NodeId;
using formats::NodeKind;
using schemas::Operation;

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

}  // namespace

Error inField(Error error, std::string_view path) {
    if (error.path.empty()) error.path = path;
    return error;
}

Result<void> said(RecordScope& scope, const Expression& e, NodeId context, bool* null, Collection& out) {
    const std::size_t before = out.size();
    if (auto found = evaluate(scope, e, context, out); !found) return found;
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

/// A part of an emit, named when an error needs it.
struct Part {
    const EmitRule& emit;
    std::string_view name;
    std::string operator()() const { return emit.name + std::string(name); }
};

/// Exactly one text: keys, versions and what else is required.
Result<std::string_view> single(RecordScope& scope, const Expression& e, NodeId context, const Part& path,
                                bool required) {
    Collection found;
    if (auto done = said(scope, e, context, nullptr, found); !done) return inField(done.error(), path());
    if (found.empty()) {
        if (required)
            return fail(Errc::malformed, "required, and nothing stands there", "mapping.required", 0, 0, path());
        return std::string_view();
    }
    if (found.size() > 1)
        return inField(
            at(scope, found.front(),
               fail(Errc::malformed, std::to_string(found.size()) + " values where one is expected", "mapping.many")),
            path());
    return plain(scope, found.front()).str(scope.tree);
}

Result<std::int64_t> wholeNumber(std::string_view text) {
    std::int64_t n = 0;
    std::size_t i = !text.empty() && text[0] == '-';
    if (i == text.size() || text.size() > 18)
        return fail(Errc::malformed, "a whole number expected", "mapping.version");
    for (; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return fail(Errc::malformed, "a whole number expected", "mapping.version");
        n = n * 10 + (text[i] - '0');
    }
    return text[0] == '-' ? -n : n;
}

Result<void> objectVersion(const RecordScope& scope, schemas::Version& v) {
    const std::string& zone = scope.input.time_zone.empty() ? scope.program.zone : scope.input.time_zone;
    auto time = parseIso(scope.input.object_time);
    if (!time) return fail(Errc::malformed, "neither the record nor its object has a time", "mapping.version");
    auto instant = firstInstant(*time, zone);
    if (!instant) return instant.error();
    v.order = schemas::Order::instant;
    v.parts.push_back(*instant);
    v.text = scope.input.object_time;
    return {};
}

/// `v` is empty.
Result<void> versionOf(RecordScope& scope, const EmitRule& e, NodeId context, schemas::Version& v) {
    const Part path{e, ".version"};
    v.order = scope.input.arrival ? schemas::Order::arrival : e.order;
    if (v.order == schemas::Order::arrival) return {};
    if (e.version.empty()) {
        if (auto ok = objectVersion(scope, v); !ok) return inField(ok.error(), path());
        return {};
    }
    for (const Expression& part : e.version) {
        auto text = single(scope, part, context, path, true);
        if (!text) return text.error();
        if (e.order == schemas::Order::number) {
            auto n = wholeNumber(*text);
            if (!n) return inField(n.error(), path());
            v.parts.push_back(*n);
            if (!v.text.empty()) v.text += '.';
            v.text += *text;
            continue;
        }
        // The object's time is ISO whatever the record's own notation is.
        auto time = *text == scope.input.object_time ? parseIso(*text) : readTime(scope, *text);
        if (!time)
            return fail(Errc::malformed,
                        "not a time in the source's notation, " + std::to_string(text->size()) + " bytes",
                        "mapping.version", 0, 0, path());
        const std::string& zone = !e.zone.empty()                  ? e.zone
                                  : !scope.input.time_zone.empty() ? scope.input.time_zone
                                                                   : scope.program.zone;
        auto instant = firstInstant(*time, zone);
        if (!instant) return inField(instant.error(), path());
        v.parts.push_back(*instant);
        v.text.clear();
        appendIso(v.text, *time);
    }
    return {};
}

Result<std::string> validTime(RecordScope& scope, const std::optional<Expression>& e, NodeId context,
                              const Part& path) {
    if (!e) return std::string();
    auto text = single(scope, *e, context, path, false);
    if (!text) return text.error();
    if (text->empty()) return std::string();
    auto time = readTime(scope, *text);
    if (!time) return fail(Errc::malformed, "not a time in the source's notation", "mapping.date", 0, 0, path());
    return toIso(*time);
}

Result<void> named(RecordScope& scope, const std::vector<SubjectRule>& rules, NodeId context, const Part& path,
                   bool required, std::vector<schemas::RecordKey>& keys) {
    for (const SubjectRule& s : rules) {
        Collection found;
        if (auto done = said(scope, s.id, context, nullptr, found); !done) return inField(done.error(), path());
        for (const Value& v : found)
            scope.scratch.pool.key(scope.input.source, s.entity, plain(scope, v).str(scope.tree), keys);
    }
    if (required && keys.empty() && !rules.empty())
        return fail(Errc::malformed, "the person that this is about is not named", "mapping.subject", 0, 0, path());
    return {};
}

Result<void> emitOne(RecordScope& scope, const EmitRule& e, NodeId context, std::vector<Operation>& out) {
    auto key = single(scope, *e.key, context, Part{e, ".key"}, true);
    if (!key) return key.error();
    Operation& op = scope.scratch.pool.operation(out);
    if (auto ok = versionOf(scope, e, context, op.version); !ok) return ok;
    if (scope.scratch.probe) scope.scratch.probe->operation(e.rule);
    Pool::name(op.key, scope.input.source, e.entity, *key);
    op.op = e.op;
    op.cls = e.cls;
    op.cancels = e.cancels;
    if (e.into) {
        auto into = single(scope, *e.into, context, Part{e, ".into"}, true);
        if (!into) return into.error();
        op.into = *into;
        if (op.into == op.key.local_id)
            return fail(Errc::malformed, "a record cannot be merged into itself", "mapping.merge", 0, 0,
                        e.name + ".into");
    }
    auto from = validTime(scope, e.valid_from, context, Part{e, ".valid.from"});
    if (!from) return from.error();
    auto to = validTime(scope, e.valid_to, context, Part{e, ".valid.to"});
    if (!to) return to.error();
    op.valid_from = *from;
    op.valid_to = *to;
    if (auto ok = named(scope, e.subjects, context, Part{e, ".subjects"}, true, op.subjects); !ok) return ok;
    if (auto ok = named(scope, e.mentions, context, Part{e, ".mentions"}, false, op.mentions); !ok) return ok;
    std::size_t& leaves = scope.scratch.leaves[e.rule % scope.scratch.leaves.size()];
    op.leaves.reserve(leaves);
    {
        std::optional<Depends> each, when;
        if (e.each) each.emplace(scope.scratch.probe, *e.each, scope.tree.root());
        if (e.when) when.emplace(scope.scratch.probe, *e.when, context);
        if (auto ok = addFields(scope, e, context, op); !ok) return ok;
    }
    leaves = op.leaves.size();
    if (scope.scratch.probe) scope.scratch.probe->rule(e.rule);
    schemas::seal(op);
    return {};
}

using Nodes = SmallVector<NodeId, 8>;

/// The contexts of an emit for which its `when` holds.
Result<void> contextsOf(RecordScope& scope, const EmitRule& e, Nodes& kept) {
    Collection contexts;
    if (!e.each) {
        contexts.push_back(Value::ofNode(scope.tree.root()));
    } else if (auto found = said(scope, *e.each, scope.tree.root(), nullptr, contexts); !found) {
        return inField(found.error(), e.name + ".each");
    }
    for (const Value& c : contexts) {
        if (!c.isNode())
            return fail(Errc::malformed, "`each` names a part of the record, not a computed value", "mapping.each", 0,
                        0, e.name + ".each");
        auto wanted = holds(scope, e.when, c.node);
        if (!wanted) return inField(wanted.error(), e.name + ".when");
        if (*wanted) kept.push_back(c.node);
    }
    return {};
}

/// What a refused row of a full snapshot still tells: its keys are present (DESIGN §5, full snapshot, b).
void presences(RecordScope& scope, Outcome& out) {
    schemas::Version version;
    const bool timed = objectVersion(scope, version).has_value();
    for (const EmitRule& e : scope.program.emits) {
        Nodes contexts;
        if (!contextsOf(scope, e, contexts) || !timed) {
            out.key_unreadable = true;
            continue;
        }
        for (NodeId c : contexts) {
            auto key = single(scope, *e.key, c, Part{e, ".key"}, true);
            if (!key) {
                out.key_unreadable = true;
                continue;
            }
            Operation op;
            op.key = {scope.input.source, e.entity, std::string(*key)};
            op.op = schemas::Op::presence;
            op.version = version;
            schemas::seal(op);
            out.operations.push_back(std::move(op));
        }
    }
    if (out.operations.empty()) out.key_unreadable = true;
    if (out.key_unreadable) out.operations.clear();
}

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

/// The source's settings, changed in `own` where a program asks for FHIR's dialect: they hold texts, which are not copied for
/// each record.
const formats::Settings& withDialect(const formats::Settings& format, bool fhir, formats::Settings& own) {
    if (!fhir || format.fhir) return format;
    own = format;
    own.fhir = true;
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

void mapTree(RecordScope& scope, formats::NodeTree& tree, Outcome& out) {
    auto refused = [&](Error error) {
        scope.scratch.pool.giveBack(out.operations);
        refuse(std::move(error), out);
        if (scope.input.full_snapshot) presences(scope, out);
    };
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
    for (const EmitRule& e : scope.program.emits) {
        Nodes contexts;
        if (auto found = contextsOf(scope, e, contexts); !found) return refused(found.error());
        for (NodeId c : contexts)
            if (auto ok = emitOne(scope, e, c, out.operations); !ok) return refused(ok.error());
    }
    if (out.operations.empty()) skip(scope.tree, out);
}

Scratch& scratch() {
    static thread_local Scratch mine;
    mine.arena.clear();
    mine.spans.clear();
    return mine;
}

/// As a new one, its operations' memory kept for the next.
void reset(Outcome& out, Pool& pool) {
    pool.giveBack(out.operations);
    out.state = State::published;
    out.rule.clear();
    out.error = {};
    out.key_unreadable = false;
}

/// A record that no reader can open has no key either.
void unreadable(const Input& input, Error error, Outcome& out) {
    refuse(std::move(error), out);
    out.key_unreadable = input.full_snapshot;
}

}  // namespace

Watching::Watching(Probe& probe) { scratch().probe = &probe; }
Watching::~Watching() { scratch().probe = nullptr; }

void mapInto(const Program& program, const formats::Settings& format, const Input& input, formats::NodeTree& tree,
             Outcome& out) {
    const Program::Impl& impl = program.impl();
    formats::Settings own;
    const formats::Settings& settings = withDialect(format, impl.format.fhir, own);
    Scratch& mine = scratch();
    reset(out, mine.pool);
    if (auto read = formats::parse(settings, input.bytes, input.context, tree); !read)
        return unreadable(input, read.error(), out);
    RecordScope scope{impl, settings, input, tree, mine};
    auto taken = takes(scope);
    if (!taken) refuse(inField(taken.error(), "input.when"), out);
    else if (!*taken) skip(tree, out);
    else mapTree(scope, tree, out);
}

Outcome Program::map(const formats::Settings& format, const Input& input, formats::NodeTree& tree) const {
    Outcome out;
    mapInto(*this, format, input, tree, out);
    return out;
}

Outcome mapWithFirst(const std::vector<std::shared_ptr<const Program>>& programs, const formats::Settings& format,
                     const Input& input, formats::NodeTree& tree) {
    formats::Settings own;
    const bool fhir =
        std::any_of(programs.begin(), programs.end(), [](const auto& p) { return p->impl_->format.fhir; });
    const formats::Settings& settings = withDialect(format, fhir, own);
    Outcome outcome;
    if (auto read = formats::parse(settings, input.bytes, input.context, tree); !read) {
        unreadable(input, read.error(), outcome);
        return outcome;
    }
    // The programs of one source share one numbering of rules, in the order of the list.
    std::uint32_t first_rule = 0;
    for (const auto& p : programs) {
        RecordScope scope{*p->impl_, settings, input, tree, scratch()};
        auto mine = takes(scope);
        if (!mine) {
            refuse(inField(mine.error(), "input.when"), outcome);
            return outcome;
        }
        if (*mine) {
            mapTree(scope, tree, outcome);
            for (schemas::Operation& op : outcome.operations)
                for (schemas::Leaf& leaf : op.leaves) leaf.rule += first_rule;
            return outcome;
        }
        first_rule += static_cast<std::uint32_t>(p->rules().size());
    }
    skip(tree, outcome);
    return outcome;
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
