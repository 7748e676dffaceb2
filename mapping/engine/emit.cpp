// The operations of one emit: its key, version and subjects; the fields are made elsewhere (fields.cpp).
#include <string>

#include "base/date_time.h"
#include "mapping/engine/compiled.h"

namespace porta::mapping {

using fhirpath::Collection;
using fhirpath::Expression;
using fhirpath::Value;
using formats::NodeId;
using schemas::Operation;

namespace {

/// A part of an emit, named when an error needs it.
struct Part {
    const EmitRule& emit;
    std::string_view name;
    std::string operator()() const { return emit.name + std::string(name); }
};

/// The text of a value that is one.
Result<std::string_view> textOf(const RecordScope& scope, const Value& given) {
    const Value value = plain(scope, given);
    if (value.kind == fhirpath::ValueKind::parts)
        return fail(Errc::malformed, "a single value expected, found a group", "mapping.group");
    return value.str(scope.tree);
}

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
    auto text = textOf(scope, found.front());
    if (!text) return inField(std::move(text.error()), path());
    return text;
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

/// `iso` is empty, and stays so when nothing is said.
Result<void> validTime(RecordScope& scope, const std::optional<Expression>& e, NodeId context, const Part& path,
                       std::string& iso) {
    if (!e) return {};
    auto text = single(scope, *e, context, path, false);
    if (!text) return text.error();
    if (text->empty()) return {};
    auto time = readTime(scope, *text);
    if (!time) return fail(Errc::malformed, "not a time in the source's notation", "mapping.date", 0, 0, path());
    appendIso(iso, *time);
    return {};
}

void setKey(schemas::RecordKey& key, std::string_view source, std::string_view entity, std::string_view id) {
    key.source = source;
    key.entity = entity;
    key.local_id = id;
}

Result<void> named(RecordScope& scope, const std::vector<SubjectRule>& rules, NodeId context, const Part& path,
                   bool required, std::vector<schemas::RecordKey>& to) {
    auto keys = scope.scratch.pool.refill(to);
    for (const SubjectRule& s : rules) {
        Collection found;
        if (auto done = said(scope, s.id, context, nullptr, found); !done) return inField(done.error(), path());
        for (const Value& v : found) {
            auto text = textOf(scope, v);
            if (!text) return inField(std::move(text.error()), path());
            setKey(keys.next(), scope.input.source, s.entity, *text);
        }
    }
    if (required && keys.size() == 0 && !rules.empty())
        return fail(Errc::malformed, "the person that this is about is not named", "mapping.subject", 0, 0, path());
    return {};
}

Result<void> emitOne(RecordScope& scope, const EmitRule& e, NodeId context, Operations& out) {
    auto key = single(scope, *e.key, context, Part{e, ".key"}, true);
    if (!key) return key.error();
    Operation& op = Pool::operation(out);
    if (auto ok = versionOf(scope, e, context, op.version); !ok) return ok;
    if (scope.scratch.probe) scope.scratch.probe->operation(e.rule);
    setKey(op.key, scope.input.source, e.entity, *key);
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
    if (auto ok = validTime(scope, e.valid_from, context, Part{e, ".valid.from"}, op.valid_from); !ok) return ok;
    if (auto ok = validTime(scope, e.valid_to, context, Part{e, ".valid.to"}, op.valid_to); !ok) return ok;
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

}  // namespace

Result<void> addOperations(RecordScope& scope, const EmitRule& e, Operations& out) {
    Nodes contexts;
    if (auto found = contextsOf(scope, e, contexts); !found) return found;
    for (NodeId c : contexts)
        if (auto ok = emitOne(scope, e, c, out); !ok) return ok;
    return {};
}

void presences(RecordScope& scope, Operations& operations, Outcome& out) {
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
            Operation& op = Pool::operation(operations);
            setKey(op.key, scope.input.source, e.entity, *key);
            op.op = schemas::Op::presence;
            op.version = version;
            op.subjects.clear();
            op.mentions.clear();
            op.leaves.clear();
            schemas::seal(op);
        }
    }
    if (operations.size() == 0) out.key_unreadable = true;
    if (out.key_unreadable) operations.shrink(0);
}

}  // namespace porta::mapping
