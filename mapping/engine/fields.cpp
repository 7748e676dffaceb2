// The fields of one emit: groups and lists walked down to single values.
#include <charconv>

#include "mapping/engine/compiled.h"

namespace porta::mapping {

using fhirpath::Collection;
using fhirpath::Value;
using formats::NodeId;
using schemas::Leaf;
using schemas::Operation;

namespace {

/// A place in the record, as steps joined by `/` in one text; it ends where its scope does.
class Place {
public:
    Place(std::string& text, std::string_view step) : text_(text), before_(text.size()) { text_ += step; }
    Place(Place& above, std::string_view step) : text_(above.text_), before_(text_.size()) {
        text_ += '/';
        text_ += step;
    }
    Place(Place& above, std::size_t index) : text_(above.text_), before_(text_.size()) {
        char digits[20];
        text_ += '/';
        text_.append(digits, std::to_chars(digits, digits + sizeof digits, index).ptr);
    }
    Place(const Place&) = delete;
    ~Place() { text_.resize(before_); }
    std::string_view text() const { return text_; }

private:
    std::string& text_;
    std::size_t before_;
};

/// One emit's fields. A refusal stops the record, or with `partial` leaves the field out and notes the rule.
struct FieldWriter {
    RecordScope& scope;
    Operation& op;
    Leaves& leaves;
    bool partial;
    std::string& path;

    Result<void> value(const FieldRule& f, NodeId context, Place& where, bool* null) {
        const ValueRule& rule = f.value;
        if (!rule.expr) {
            *null = true;
            return {};
        }
        Collection found;
        if (auto done = said(scope, *rule.expr, context, null, found); !done) return done;
        if (found.empty()) {
            if (rule.empty_error)
                return fail(Errc::malformed, "required, and nothing stands there", "mapping.required");
            return {};
        }
        if (found.size() > 1 && !rule.many_first)
            return at(
                scope, found.front(),
                fail(Errc::malformed, std::to_string(found.size()) + " values where one is expected", "mapping.many"));
        return leaf(rule, found.front(), context, where);
    }

    /// A date in the source's notation, or what stands there where it is none.
    static std::string isoDay(const RecordScope& scope, std::string_view text) {
        auto read = readTime(scope, text);
        return read ? toIso(*read) : std::string(text);
    }

    Result<void> leaf(const ValueRule& rule, const Value& value, NodeId context, const Place& where) {
        const std::size_t before = leaves.size();
        std::optional<Depends> on_day;
        if (rule.at) {
            Collection day;
            if (auto read = said(scope, *rule.at, context, nullptr, day); !read) return read;
            scope.day = day.empty() ? std::string() : isoDay(scope, plain(scope, day.front()).str(scope.tree));
            on_day.emplace(scope.scratch.probe, *rule.at, context);
        }
        auto done = addLeaf(scope, rule, value, where.text(), leaves);
        if (Probe* probe = scope.scratch.probe; probe && done) probe->made(op, before, &*rule.expr, context);
        return done;
    }

    Result<void> list(const FieldRule& f, NodeId context, Place& where, bool* null) {
        Probe* const probe = scope.scratch.probe;
        const std::size_t mark = probe ? probe->mark() : 0;
        std::size_t n = 0;
        for (const FieldRule& item : f.fields) {
            Depends before_it(probe, mark);
            if (item.kind == FieldRule::Kind::value) {
                if (!item.value.expr) {
                    *null = true;
                    continue;
                }
                Collection found;
                if (auto done = said(scope, *item.value.expr, context, null, found); !done) return done;
                for (const Value& v : found) {
                    std::size_t before = leaves.size();
                    Place below(where, n);
                    if (auto ok = leaf(item.value, v, context, below); !ok) return ok;
                    n += leaves.size() > before;
                    if (item.value.many_first) break;
                }
                continue;
            }
            Collection contexts;
            if (!item.each) contexts.push_back(Value::ofNode(context));
            else if (auto done = said(scope, *item.each, context, null, contexts); !done) return done;
            for (const Value& c : contexts) {
                if (!c.isNode())
                    return at(scope, c,
                              fail(Errc::malformed, "`each` names a part of the record, not a computed value",
                                   "mapping.each"));
                Depends before_this(probe, mark);
                auto wanted = holds(scope, item.when, c.node);
                if (!wanted) return wanted.error();
                if (!*wanted) continue;
                std::optional<Depends> each, when;
                if (item.each) each.emplace(probe, *item.each, context);
                if (item.when) when.emplace(probe, *item.when, c.node);
                std::size_t before = leaves.size();
                bool nulls = false;
                Place below(where, n);
                if (auto ok = group(item, c.node, below, &nulls); !ok) return ok;
                n += leaves.size() > before;
            }
        }
        return {};
    }

    Result<void> group(const FieldRule& f, NodeId context, Place& where, bool* null) {
        for (const FieldRule& m : f.fields) {
            Place below(where, m.name);
            if (auto ok = field(m, context, below, null); !ok) return inField(std::move(ok.error()), below.text());
        }
        return {};
    }

    Result<void> field(const FieldRule& f, NodeId context, Place& where, bool* null) {
        switch (f.kind) {
            case FieldRule::Kind::value: return value(f, context, where, null);
            case FieldRule::Kind::list: return list(f, context, where, null);
            case FieldRule::Kind::group: return group(f, context, where, null);
        }
        return {};
    }

    static std::uint32_t firstRule(const FieldRule& f) {
        return f.kind == FieldRule::Kind::value || f.fields.empty() ? f.value.rule : firstRule(f.fields.front());
    }

    Result<void> all(const EmitRule& e, NodeId context) {
        for (const FieldRule& f : e.fields) {
            bool null = false;
            std::size_t before = leaves.size();
            const std::size_t mark = scope.scratch.probe ? scope.scratch.probe->mark() : 0;
            Place place(path, f.name);
            if (auto ok = field(f, context, place, &null); !ok) {
                if (!partial) return inField(ok.error(), e.entity + "." + f.name);
                leaves.shrink(before);
                if (scope.scratch.probe) leaves.trim();
                op.issues.push_back(ok.error().rule + ":" + f.name);
                continue;
            }
            // Only a patch can say "this value is gone"; an upsert sets every field anyway.
            if (null && leaves.size() == before && e.op == schemas::Op::patch) {
                Leaf& l = leaves.next();
                l.path = f.name;
                l.kind = schemas::LeafKind::null;
                l.value.clear();
                l.how = schemas::How::constant;
                l.rule = firstRule(f);
                scope.scratch.pool.refill(l.sources).trim();  // none
                l.table_row = -1;
                if (Probe* probe = scope.scratch.probe) {
                    probe->rule(l.rule);
                    Depends nulls(probe, mark);
                    probe->made(op, before, nullptr, context);
                }
            }
        }
        return {};
    }
};

}  // namespace

Result<void> addFields(RecordScope& scope, const EmitRule& e, NodeId context, Operation& op) {
    static thread_local std::string path;
    path.clear();
    Leaves leaves = scope.scratch.pool.refill(op.leaves);
    // Whoever looks on sees the leaves as they are made, and nothing behind them.
    if (scope.scratch.probe) leaves.trim();
    return FieldWriter{scope, op, leaves, e.partial, path}.all(e, context);
}

}  // namespace porta::mapping
