#include "identity/decisions.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace porta::identity {

namespace {

using Names = std::function<std::string(const std::string&)>;

/// For each record that `same` decisions connect with `from`: the decision by which it was reached, none for `from`.
std::map<std::string, const Fact*> reached(const std::vector<Fact>& facts, const std::string& from,
                                           const Names& survivor) {
    std::map<std::string, const Fact*> by{{from, nullptr}};
    for (std::deque<std::string> queue{from}; !queue.empty(); queue.pop_front())
        for (const Fact& f : facts) {
            if (f.kind != FactKind::same) continue;
            std::string a = survivor(f.a), b = survivor(f.b);
            if (a != queue.front()) std::swap(a, b);
            if (a != queue.front() || by.count(b)) continue;
            by[b] = &f;
            queue.push_back(b);
        }
    return by;
}

/// The decisions from the start of `by` to `at`.
std::vector<Fact> path(const std::map<std::string, const Fact*>& by, std::string at, const Names& survivor) {
    std::vector<Fact> out;
    while (const Fact* f = by.at(at)) {
        out.push_back(*f);
        std::string a = survivor(f->a);
        at = a == at ? survivor(f->b) : a;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace

std::string_view name(FactKind kind) {
    switch (kind) {
        case FactKind::same: return "same";
        case FactKind::different: return "different";
        case FactKind::withdraw: return "withdraw";
    }
    return "";
}

std::vector<Fact> inForce(std::vector<Fact> facts) {
    std::sort(facts.begin(), facts.end(), [](const Fact& x, const Fact& y) { return x.id < y.id; });
    std::map<std::pair<std::string, std::string>, Fact> greatest;
    for (Fact& f : facts) {
        if (f.a.empty() || f.b.empty() || f.a == f.b) continue;
        if (f.b < f.a) std::swap(f.a, f.b);
        auto [it, fresh] = greatest.try_emplace({f.a, f.b}, f);
        if (fresh) continue;
        if (it->second.instant < f.instant || (it->second.instant == f.instant && f.kind == FactKind::different))
            it->second = f;
    }
    std::vector<Fact> out;
    for (auto& [pair, f] : greatest)
        if (f.kind != FactKind::withdraw) out.push_back(std::move(f));
    return out;
}

std::vector<Fact> contradiction(const std::vector<Fact>& facts, const std::string& a_text, const std::string& b_text,
                                Verdict verdict, const Names& survivor) {
    std::string a = survivor(a_text), b = survivor(b_text);
    auto from_a = reached(facts, a, survivor);
    if (verdict == Verdict::different) return from_a.count(b) ? path(from_a, b, survivor) : std::vector<Fact>{};
    auto from_b = reached(facts, b, survivor);
    for (const Fact& f : facts) {
        if (f.kind != FactKind::different) continue;
        std::string x = survivor(f.a), y = survivor(f.b);
        if (!from_a.count(x) || !from_b.count(y)) std::swap(x, y);
        if (!from_a.count(x) || !from_b.count(y)) continue;
        std::vector<Fact> chain = path(from_a, x, survivor), rest = path(from_b, y, survivor);
        chain.push_back(f);
        chain.insert(chain.end(), rest.rbegin(), rest.rend());
        return chain;
    }
    return {};
}

std::string words(const std::vector<Fact>& chain) {
    std::string out;
    for (const Fact& f : chain) {
        if (!out.empty()) out += ", ";
        out += f.a + (f.kind == FactKind::same ? " =same= " : " =different= ") + f.b + " (" + f.id + ")";
    }
    return out;
}

}  // namespace porta::identity
