// A resource's rows, by the specification's "Processing Algorithm".
#include <algorithm>

#include "fhirpath/viewdef/plan.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;

namespace {

constexpr std::size_t kMaxRows = 1000000, kMaxItems = 100000;

class Runner {
public:
    Runner(const ViewDefinition::Impl& view, const NodeTree& tree, Arena& arena)
        : view_(view), tree_(tree), arena_(arena) {}

    /// Rows of a selection at one value.
    bool process(const Selection& s, const Value& at, std::size_t index, std::vector<Row>& out) {
        if (s.each == Selection::Each::here) return expand(s, at, index, out);
        Collection items;
        if (s.each == Selection::Each::repeat ? !repeat(s, at, items, 0) : !evaluate(s.paths[0], at, index, items))
            return false;
        for (std::size_t i = 0; i < items.size(); ++i)
            if (!expand(s, items[i], i, out)) return false;
        if (!items.empty() || s.each != Selection::Each::for_each_or_null) return true;
        out.emplace_back();
        return nulls(s, at, out.back());
    }

    bool evaluate(const Expression& path, const Value& at, std::size_t index, Collection& out) {
        vars_.clear();
        vars_.add("rowIndex").push_back(Value::ofText(ValueKind::integer, arena_.keep(std::to_string(index))));
        for (const auto& [name, value] : view_.constants) vars_.add(name).push_back(value);
        auto done = path.evaluate(tree_, at, vars_, arena_, out);
        if (!done) error = std::move(done.error());
        return done.has_value();
    }

    bool refuse(std::string what) {
        error = fail(Errc::malformed, "ViewDefinition: " + std::move(what), "viewdef.rows");
        return false;
    }

    std::optional<Error> error;

private:
    const ViewDefinition::Impl& view_;
    const NodeTree& tree_;
    Arena& arena_;
    Variables vars_ = {};

    /// Everything that the paths find, from each found item on again; parents before their children.
    bool repeat(const Selection& s, const Value& at, Collection& out, int depth) {
        if (depth > 200) return refuse("repeat goes on without end");
        for (const Expression& path : s.paths) {
            Collection found;
            if (!evaluate(path, at, 0, found)) return false;
            for (const Value& v : found) {
                if (out.size() >= kMaxItems) return refuse("repeat finds too much");
                out.push_back(v);
                if (!repeat(s, v, out, depth + 1)) return false;
            }
        }
        return true;
    }

    /// The null row: no data, so that only what counts rows has a value.
    bool nulls(const Selection& s, const Value& at, Row& row) {
        for (const ColumnPlan& c : s.columns) {
            row.emplace_back();
            if (c.only_index && !evaluate(c.path, at, 0, row.back())) return false;
        }
        for (const Selection& inner : s.selects)
            if (!nulls(inner, at, row)) return false;
        return s.unions.empty() || nulls(s.unions.front(), at, row);
    }

    /// The columns beside every combination of the rows of the parts.
    bool expand(const Selection& s, const Value& at, std::size_t index, std::vector<Row>& out) {
        std::vector<Row> rows(1);
        for (const ColumnPlan& c : s.columns) {
            Collection cell;
            if (!evaluate(c.path, at, index, cell)) return false;
            if (cell.size() > 1 && !c.column.collection)
                return refuse("the column `" + c.column.name + "` has " + std::to_string(cell.size()) +
                              " values and is no collection");
            rows[0].push_back(std::move(cell));
        }
        for (const Selection& inner : s.selects) {
            std::vector<Row> part;
            if (!process(inner, at, index, part) || !join(rows, part)) return false;
        }
        if (!s.unions.empty()) {
            std::vector<Row> part;
            for (const Selection& branch : s.unions)
                if (!process(branch, at, index, part)) return false;
            if (!join(rows, part)) return false;
        }
        for (Row& row : rows) out.push_back(std::move(row));
        return true;
    }

    bool join(std::vector<Row>& rows, const std::vector<Row>& part) {
        if (rows.size() * part.size() > kMaxRows) return refuse("more than a million rows of one resource");
        std::vector<Row> all;
        all.reserve(rows.size() * part.size());
        for (const Row& left : rows)
            for (const Row& right : part) {
                all.push_back(left);
                all.back().insert(all.back().end(), right.begin(), right.end());
            }
        rows = std::move(all);
        return true;
    }
};

}  // namespace

Result<void> ViewDefinition::rows(const NodeTree& tree, NodeId resource, Arena& arena, std::vector<Row>& out) const {
    // Porta's own records name their type `entity`.
    NodeId type = tree.child(resource, "resourceType");
    if (type == kNoNode && tree.dialect() == formats::Dialect::plain) type = tree.child(resource, "entity");
    if (type == kNoNode || tree[type].text != impl_->resource) return {};
    Runner runner(*impl_, tree, arena);
    const Value at = Value::ofNode(resource);
    for (const Expression& where : impl_->where) {
        Collection found;
        if (!runner.evaluate(where, at, 0, found)) return std::move(*runner.error);
        if (found.empty()) return {};
        const Value& v = found[0];
        const bool boolean = v.kind == ValueKind::boolean ||
                             (v.isNode() && (tree[v.node].text == "true" || tree[v.node].text == "false"));
        if (found.size() > 1 || !boolean)
            return fail(Errc::malformed, "ViewDefinition: a where gives no boolean", "viewdef.where");
        if (v.str(tree) != "true") return {};
    }
    if (!runner.process(impl_->root, at, 0, out)) return std::move(*runner.error);
    return {};
}

}  // namespace porta::fhirpath
