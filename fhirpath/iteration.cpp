// Functions whose argument is evaluated for each item, with $this and $index; iif() and trace().
#include <algorithm>
#include <numeric>
#include <utility>

#include "fhirpath/evaluator.h"

namespace porta::fhirpath {

bool Evaluator::perItem(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    const std::uint32_t body = ast_.arg(n, 0);
    auto frame = [&](std::size_t i) { return Frame{&focus[i], static_cast<std::int64_t>(i), f.total, nullptr}; };
    if (n.fn == Fn::where || n.fn == Fn::exists || n.fn == Fn::all) {
        bool any = false, every = true, was = tracking_;
        tracking_ = false;
        bool ok = true;
        for (std::size_t i = 0; ok && i < focus.size(); ++i) {
            std::optional<bool> yes;
            ok = truthOf(n, body, frame(i), yes);
            if (!ok) break;
            any = any || yes == true;
            every = every && yes == true;
            if (n.fn == Fn::where && yes == true) out.push_back(focus[i]);
        }
        tracking_ = was;
        if (ok && n.fn != Fn::where) give(out, Value::ofBoolean(n.fn == Fn::exists ? any : every), focus);
        return ok;
    }
    if (n.fn == Fn::select) {
        for (std::size_t i = 0; i < focus.size(); ++i)
            if (!inner(body, frame(i), out)) return false;
        return true;
    }
    Collection total;  // aggregate
    if (n.count > 1 && !argument(n, 1, f, total)) return false;
    for (std::size_t i = 0; i < focus.size(); ++i) {
        Collection next;
        if (!inner(body, Frame{&focus[i], static_cast<std::int64_t>(i), &total, nullptr}, next)) return false;
        total = std::move(next);
    }
    out.append(total.begin(), total.end());
    return true;
}

/// repeat() adds what it has not found before, repeatAll() everything; both end at a limit.
bool Evaluator::repeat(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    constexpr std::size_t kMost = 20000;
    Collection queue = std::move(focus);
    const std::size_t before = out.size();
    for (std::size_t i = 0; i < queue.size(); ++i) {
        Collection found;
        const Value current = queue[i];
        if (!inner(ast_.arg(n, 0), Frame{&current, f.index, f.total, nullptr}, found)) return false;
        for (const Value& v : found) {
            auto known = [&](const Value& x) {
                return v.isNode() && x.isNode() && x.node == v.node ? true : same(x, v) == Tri::yes;
            };
            if (n.fn == Fn::repeat) {
                spend(out.size() - before);
                if (overspent()) return raise(n, "the evaluation takes too many steps");
                if (std::any_of(out.begin() + before, out.end(), known)) continue;
            }
            if (out.size() - before > kMost) return raise(n, "repeat() does not end");
            queue.push_back(v);
            out.push_back(v);
        }
    }
    return true;
}

/// By each key in turn; what is empty comes first. A key with `desc`, or with a minus sign before it, turns the order.
bool Evaluator::sort(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    const std::size_t keys = std::max<std::size_t>(n.count, 1);
    std::vector<Collection> values(focus.size() * keys);
    for (std::size_t i = 0; i < focus.size(); ++i)
        for (std::size_t k = 0; k < keys; ++k) {
            Collection& value = values[i * keys + k];
            if (n.count == 0) {
                value.push_back(focus[i]);
                continue;
            }
            const std::uint32_t id = ast_.arg(n, static_cast<std::uint32_t>(k));
            const bool minus = ast_.nodes[id].op == Op::negate;
            if (!inner(minus ? ast_.nodes[id].focus : id, Frame{&focus[i], f.index, f.total, nullptr}, value) ||
                !single(n, value))
                return false;
        }
    auto before = [&](std::size_t a, std::size_t b) {
        for (std::size_t k = 0; k < keys && !error; ++k) {
            const Collection &x = values[a * keys + k], &y = values[b * keys + k];
            std::optional<int> c;
            if (x.empty() || y.empty()) c = static_cast<int>(y.empty()) - static_cast<int>(x.empty());
            else if (!order(n, x[0], y[0], c)) return false;
            if (!c || *c == 0) continue;
            const AstNode* key = n.count == 0 ? nullptr : &ast_.nodes[ast_.arg(n, static_cast<std::uint32_t>(k))];
            const bool turned = key != nullptr && (key->descending != (key->op == Op::negate));
            return (*c < 0) != turned;
        }
        return false;
    };
    std::vector<std::size_t> at(focus.size());
    std::iota(at.begin(), at.end(), std::size_t{0});
    std::stable_sort(at.begin(), at.end(), before);
    for (std::size_t i : at) out.push_back(focus[i]);
    return !error;
}

bool Evaluator::iif(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    Collection other;
    if (n.focus != kNone && !single(n, focus)) return false;
    Frame context = f;
    if (n.focus != kNone)
        context =
            focus.empty() ? Frame{nullptr, f.index, f.total, &focus} : Frame{&focus[0], f.index, f.total, nullptr};
    std::optional<bool> yes;
    const bool spans = tracking_ && !n.nodes_only;
    bool ok = true;
    if (spans) {
        ok = inner(ast_.arg(n, 0), context, other) && boolean(n, other, yes);
    } else {
        const bool was = std::exchange(tracking_, false);
        ok = truthOf(n, ast_.arg(n, 0), context, yes);
        tracking_ = was;
    }
    if (!ok) return false;
    if (yes != true && n.count < 3) return true;
    std::size_t before = out.size();
    if (!inner(ast_.arg(n, yes == true ? 1 : 2), context, out)) return false;
    // A literal chosen by a condition was computed from what the condition read.
    for (std::size_t i = before; spans && i < out.size(); ++i)
        if (!out[i].isNode() && out[i].spans.empty()) traceAll(out[i], other);
    return true;
}

bool Evaluator::trace(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    std::optional<std::string_view> name;
    Collection from, seen;
    if (!textArgument(n, 0, f, name, from)) return false;
    if (n.count < 2) seen = focus;
    for (std::size_t i = 0; n.count > 1 && i < focus.size(); ++i)
        if (!inner(ast_.arg(n, 1), Frame{&focus[i], static_cast<std::int64_t>(i), f.total, nullptr}, seen))
            return false;
    if (ast_.options.trace != nullptr) ast_.options.trace(name.value_or(std::string_view()), seen, tree_);
    out.append(focus.begin(), focus.end());
    return true;
}

}  // namespace porta::fhirpath
