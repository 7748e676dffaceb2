#include "mapping/engine/explain.h"

#include <algorithm>
#include <set>

#include "mapping/engine/readings.h"

namespace porta::mapping {

using fhirpath::Expression;
using fhirpath::Read;
using formats::kNoNode;
using formats::NodeId;
using formats::NodeTree;
using formats::Span;

namespace {

struct Evaluated {
    const Expression* expression = nullptr;
    NodeId context = kNoNode;
    friend auto operator<=>(const Evaluated&, const Evaluated&) = default;
};

/// What a leaf depends on: one decision, or everything that was evaluated in a stretch of the log.
struct Dependence {
    Evaluated decision;
    std::size_t from = 0, to = 0;
};

struct Made {
    std::size_t operation, leaf;
    Evaluated expression;
    std::vector<Dependence> depends;
};

/// Keeps the way of one record through its rules.
class Recorder : public Probe {
public:
    std::vector<Evaluated> log;
    std::vector<Made> made_leaves;

    void clear() {
        log.clear();
        made_leaves.clear();
        stack_.clear();
        operations_ = 0;
    }
    void evaluated(const Expression& e, NodeId context, bool) override { log.push_back({&e, context}); }
    void decided(const Expression& e, NodeId context, bool) override { log.push_back({&e, context}); }
    void enter(const Expression& e, NodeId context) override { stack_.push_back({{&e, context}, 0, 0}); }
    void enterSince(std::size_t mark) override { stack_.push_back({{}, mark, log.size()}); }
    void leave() override { stack_.pop_back(); }
    std::size_t mark() const override { return log.size(); }
    void operation(std::uint32_t) override { ++operations_; }
    void made(const schemas::Operation& op, std::size_t first, const Expression* e, NodeId context) override {
        for (std::size_t leaf = first; leaf < op.leaves.size(); ++leaf)
            made_leaves.push_back({operations_ - 1, leaf, {e, context}, stack_});
    }

private:
    std::vector<Dependence> stack_;
    std::size_t operations_ = 0;
};

std::string pathOf(const NodeTree& tree, NodeId node, bool indexes) {
    std::vector<std::string> steps;
    for (; node != tree.root() && node != kNoNode; node = tree[node].parent) {
        std::size_t before = 0, all = 0;
        for (NodeId s = tree[tree[node].parent].first_child; s != kNoNode; s = tree[s].next_sibling) {
            if (tree[s].name != tree[node].name) continue;
            before += s < node;
            ++all;
        }
        std::string step(tree[node].name);
        if (indexes && all > 1) step += "[" + std::to_string(before) + "]";
        steps.push_back(std::move(step));
    }
    std::string path;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) path += (path.empty() ? "" : ".") + *step;
    return path;
}

bool isLeaf(const NodeTree& tree, NodeId node) {
    return node != tree.root() && tree[node].first_child == kNoNode && tree[node].kind != formats::NodeKind::object;
}

}  // namespace

struct Explainer::Impl {
    const Program& program;
    Readings readings;
    Recorder recorder = {};
    NodeTree tree = {};
    Arena arena = {};
    std::map<std::string, std::optional<Expression>, std::less<>> paths = {};
    std::map<Evaluated, std::vector<std::pair<NodeId, Read::Use>>> known = {};  ///< of this record

    explicit Impl(const Program& p) : program(p), readings(p.impl()) {}

    /// The nodes that a path has in this record.
    void found(const std::string& path, NodeId context, std::vector<NodeId>& out) {
        auto at = paths.find(path);
        if (at == paths.end()) {
            auto made = Expression::compile(path, fhirpath::Profile::mapping);
            at = paths.emplace(path, made ? std::optional(*made) : std::nullopt).first;
        }
        if (!at->second) return;
        static const fhirpath::Variables none;
        auto values = at->second->evaluate(tree, context, none, arena);
        if (!values) return;
        for (const fhirpath::Value& v : *values)
            if (v.isNode()) out.push_back(v.node);
    }
    /// The leaves whose content a look at this node may depend on. Whether a JSON object or an HL7 segment is there does
    /// not depend on what stands in it; an HL7 field is there when something in it says something.
    void leavesOf(NodeId node, std::vector<NodeId>& out) const {
        if (isLeaf(tree, node)) return out.push_back(node);
        if (tree.dialect() != formats::Dialect::hl7v2 || tree.level(node) <= 1) return;
        for (NodeId c = tree[node].first_child; c != kNoNode; c = tree[c].next_sibling) leavesOf(c, out);
    }
    /// All leaves that the expression may have looked at there, and what for.
    const std::vector<std::pair<NodeId, Read::Use>>& looked(const Evaluated& at) {
        auto [entry, fresh] = known.try_emplace(at);
        if (!fresh) return entry->second;
        std::vector<std::pair<NodeId, Read::Use>> all;
        for (const Reading& r : readings.of(*at.expression)) {
            if (r.path.starts_with('%')) continue;  // declared by the source
            std::vector<NodeId> nodes, leaves;
            found(r.path, r.from_root ? tree.root() : at.context, nodes);
            for (NodeId n : nodes) leavesOf(n, leaves);
            for (NodeId n : leaves) all.emplace_back(n, r.use);
        }
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return entry->second = std::move(all);
    }

    ExplainedField field(const Made& made, const schemas::Leaf& leaf) {
        ExplainedField f{made.operation, made.leaf, {}};
        std::set<std::pair<std::uint32_t, std::uint32_t>> taken;
        const Influence direct = leaf.how == schemas::How::copied ? Influence::identity : Influence::transformation;
        for (const schemas::Source& s : leaf.sources) {
            const Span span{s.offset, s.length};
            // A literal of a branch counts the condition's bytes as its own: they only decide.
            if (decidesOnly(made.expression, span)) continue;
            if (taken.emplace(s.offset, s.length).second) f.sources.push_back({pathAt(span), span, direct, s.decoded});
        }
        const auto directs = static_cast<std::ptrdiff_t>(f.sources.size());
        auto indirect = [&](NodeId node, Influence influence) {
            const formats::Node& n = tree[node];
            if (taken.emplace(n.span.offset, n.span.length).second)
                f.sources.push_back({pathOf(tree, node, true), n.span, influence, std::string(n.text)});
        };
        if (made.expression.expression)
            for (const auto& [node, use] : looked(made.expression))
                if (use == Read::condition) indirect(node, Influence::conditional);
        auto decision = [&](const Evaluated& at) {
            for (const auto& seen : looked(at)) indirect(seen.first, Influence::filter);
        };
        for (const Dependence& d : made.depends) {
            if (d.decision.expression) decision(d.decision);
            for (std::size_t i = d.from; i < d.to; ++i) decision(recorder.log[i]);
        }
        // What the expression might have taken instead, and what its filters looked at.
        if (made.expression.expression) decision(made.expression);
        if (const auto& when = program.impl().when) decision({&*when, tree.root()});
        auto by_bytes = [](const FieldSource& a, const FieldSource& b) { return a.span.offset < b.span.offset; };
        std::stable_sort(f.sources.begin(), f.sources.begin() + directs, by_bytes);
        std::stable_sort(f.sources.begin() + directs, f.sources.end(), by_bytes);
        return f;
    }
    bool decidesOnly(const Evaluated& at, const Span& span) {
        if (!at.expression) return false;
        bool decides = false;
        for (const auto& [node, use] : looked(at)) {
            if (!(tree[node].span == span)) continue;
            if (use == Read::value || use == Read::computed) return false;
            decides = true;
        }
        return decides;
    }
    std::string pathAt(const Span& span) const {
        for (NodeId i = 1; i < tree.size(); ++i)
            if (tree[i].span == span && isLeaf(tree, i)) return pathOf(tree, i, true);
        return {};
    }

    void unread(Explanation& out) {
        std::vector<bool> read(tree.size());
        if (const auto& when = program.impl().when) recorder.log.push_back({&*when, tree.root()});
        for (const Evaluated& at : recorder.log)
            for (const Reading& r : readings.of(*at.expression)) {
                if (r.path.starts_with('%')) continue;
                std::vector<NodeId> nodes;
                found(r.path, r.from_root ? tree.root() : at.context, nodes);
                for (NodeId n : nodes) {
                    read[n] = true;
                    // An HL7 v2 field where a simpler type is expected is its first component.
                    if (tree.dialect() == formats::Dialect::hl7v2 && tree.level(n) > 1 && r.use == Read::value)
                        for (NodeId c = tree[n].first_child; c != kNoNode; c = tree[c].first_child) read[c] = true;
                }
            }
        for (NodeId i = 1; i < tree.size(); ++i) {
            if (!isLeaf(tree, i) || read[i]) continue;
            std::string path = pathOf(tree, i, false);
            // The reader itself reads the delimiters and the character set, and the structure by which it makes groups.
            const bool structure = tree.grouped() && (path.starts_with("MSH.f9") || path.starts_with("MSH.f12"));
            const bool header = path == "MSH.f1" || path == "MSH.f2" || path == "MSH.f18" || structure;
            if (!(header && tree.dialect() == formats::Dialect::hl7v2))
                out.unread.push_back({std::move(path), tree[i].span});
        }
    }
};

Explainer::Explainer(const Program& program) : impl_(std::make_unique<Impl>(program)) {}
Explainer::~Explainer() = default;

Explanation Explainer::explain(const formats::Settings& format, const Input& input) {
    Impl& my = *impl_;
    my.recorder.clear();
    my.known.clear();
    my.arena.clear();
    Explanation out;
    {
        Watching watching(my.recorder);
        out.outcome = my.program.map(format, input, my.tree);
    }
    if (out.outcome.state == State::published)
        for (const Made& m : my.recorder.made_leaves)
            out.fields.push_back(my.field(m, out.outcome.operations[m.operation].leaves[m.leaf]));
    my.unread(out);
    return out;
}

}  // namespace porta::mapping
