#include "identity/partition.h"

#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <tuple>

namespace porta::identity {
namespace {

using Index = std::uint32_t;

/// Union-find whose roots carry the cluster's members, its birth dates and the records it must never hold.
class Clusters {
public:
    explicit Clusters(const std::vector<Features>& records) : parent_(records.size()), data_(records.size()) {
        for (Index i = 0; i < records.size(); ++i) {
            parent_[i] = i;
            data_[i].members = {i};
            data_[i].dates.insert(records[i].birth_dates.begin(), records[i].birth_dates.end());
        }
    }
    void forbid(Index a, Index b) {
        data_[a].never.push_back(b);
        data_[b].never.push_back(a);
    }
    Index find(Index i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    /// Joins unless a `different` decision, or (when asked) contradicting birth dates, stand against it.
    void join(Index a, Index b, bool check_dates) {
        a = find(a);
        b = find(b);
        if (a == b || forbidden(a, b) || (check_dates && contradict(data_[a].dates, data_[b].dates))) return;
        if (data_[a].members.size() < data_[b].members.size()) std::swap(a, b);
        parent_[b] = a;
        append(data_[a].members, data_[b].members);
        append(data_[a].never, data_[b].never);
        data_[a].dates.merge(data_[b].dates);
        data_[b] = {};
    }
    const std::vector<Index>& members(Index root) const { return data_[root].members; }

private:
    struct Data {
        std::vector<Index> members, never;
        std::set<std::string> dates;
    };
    static void append(std::vector<Index>& to, std::vector<Index>& from) {
        if (to.size() < from.size()) to.swap(from);
        to.insert(to.end(), from.begin(), from.end());
    }
    static bool contradict(const std::set<std::string>& a, const std::set<std::string>& b) {
        if (a.empty() || b.empty()) return false;
        const auto& small = a.size() < b.size() ? a : b;
        const auto& large = a.size() < b.size() ? b : a;
        return std::none_of(small.begin(), small.end(), [&](const std::string& d) { return large.contains(d); });
    }
    bool forbidden(Index a, Index b) {
        if (data_[a].never.size() > data_[b].never.size()) std::swap(a, b);
        for (Index other : data_[a].never)
            if (find(other) == b) return true;
        return false;
    }
    std::vector<Index> parent_;
    std::vector<Data> data_;
};

/// Records that are pairwise candidates: the same identifier and the same birth date (strength 0), or the same
/// identifier and names (strength 1: at least one of a pair has no birth date). Gives its edges in the order
/// (smaller, larger). Edges of a record that already joined the pivot are left out: against the pivot's cluster they
/// were tried before. So a group of n needs about n edges, not n².
class Group {
public:
    Group(int strength, std::vector<Index> sorted, const std::vector<Features>& records)
        : strength_(strength), rest_(std::move(sorted)), records_(&records) {}
    /// The next edge, or false when there is none.
    bool next(Clusters& clusters) {
        for (;;) {
            for (++at_; at_ < rest_.size(); ++at_)
                if (candidate(rest_[0], rest_[at_])) return true;
            if (rest_.empty()) return false;
            const Index pivot = clusters.find(rest_[0]);
            std::erase_if(rest_, [&](Index i) { return clusters.find(i) == pivot; });
            at_ = 0;
            if (rest_.size() < 2 ||
                (strength_ == 1 && std::all_of(rest_.begin(), rest_.end(), [&](Index i) { return dated(i); })))
                return false;
        }
    }
    int strength() const { return strength_; }
    Index smaller() const { return rest_[0]; }
    Index larger() const { return rest_[at_]; }

private:
    bool dated(Index i) const { return !(*records_)[i].birth_dates.empty(); }
    bool candidate(Index a, Index b) const { return strength_ == 0 || !dated(a) || !dated(b); }
    int strength_;
    std::vector<Index> rest_;
    const std::vector<Features>* records_;
    std::size_t at_ = 0;
};

std::vector<Group> groups(const std::vector<Features>& records) {
    std::map<std::tuple<int, std::string, std::string, std::string>, std::set<Index>> members;
    for (Index i = 0; i < records.size(); ++i) {
        const Features& record = records[i];
        for (const std::string& token : tokens(record)) {
            for (const std::string& date : record.birth_dates) members[{0, token, date, {}}].insert(i);
            if (!record.given.empty() && !record.family.empty())
                members[{1, token, record.given, record.family}].insert(i);
        }
    }
    std::vector<Group> out;
    for (const auto& [name, set] : members)
        if (set.size() > 1) out.emplace_back(std::get<0>(name), std::vector<Index>(set.begin(), set.end()), records);
    return out;
}

void applyDecisions(const std::vector<Features>& records, const std::vector<Decision>& decisions, Clusters& clusters) {
    std::map<std::string_view, Index> index;
    for (Index i = 0; i < records.size(); ++i) index.emplace(records[i].key, i);
    std::set<std::pair<Index, Index>> same, different;  // indexes follow key order, so this is the canonical order
    for (const Decision& decision : decisions) {
        auto a = index.find(decision.a), b = index.find(decision.b);
        if (a == index.end() || b == index.end() || a == b) continue;
        auto pair = std::minmax(a->second, b->second);
        (decision.verdict == Verdict::same ? same : different).insert({pair.first, pair.second});
    }
    for (const auto& [a, b] : different) clusters.forbid(a, b);
    for (const auto& [a, b] : same) clusters.join(a, b, false);
}

}  // namespace

std::vector<std::string> tokens(const Features& record) {
    std::set<std::string> unique(record.identifiers.begin(), record.identifiers.end());
    return {unique.begin(), unique.end()};
}

std::vector<std::vector<std::string>> partition(const std::vector<Features>& unordered,
                                                const std::vector<Decision>& decisions) {
    std::vector<Features> records = unordered;
    auto order = [](const Features& r) { return std::tie(r.key, r.identifiers, r.birth_dates, r.given, r.family); };
    std::sort(records.begin(), records.end(),
              [&](const Features& a, const Features& b) { return order(a) < order(b); });
    records.erase(std::unique(records.begin(), records.end(),
                              [](const Features& a, const Features& b) { return a.key == b.key; }),
                  records.end());

    Clusters clusters(records);
    applyDecisions(records, decisions, clusters);

    std::vector<Group> all = groups(records);
    // The group's number is the last tie-break only; equal edges of two groups do the same.
    using Edge = std::tuple<int, Index, Index, std::size_t>;
    std::priority_queue<Edge, std::vector<Edge>, std::greater<>> queue;
    auto push = [&](std::size_t g) {
        if (all[g].next(clusters)) queue.emplace(all[g].strength(), all[g].smaller(), all[g].larger(), g);
    };
    for (std::size_t g = 0; g < all.size(); ++g) push(g);
    while (!queue.empty()) {
        const auto [strength, a, b, g] = queue.top();
        queue.pop();
        clusters.join(a, b, true);
        push(g);
    }

    std::vector<std::vector<std::string>> out;
    for (Index i = 0; i < records.size(); ++i) {
        if (clusters.find(i) != i) continue;
        std::vector<std::string>& set = out.emplace_back();
        for (Index m : clusters.members(i)) set.push_back(records[m].key);
        std::sort(set.begin(), set.end());
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::string foldName(std::string_view text) {
    std::string out;
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    std::string latin;
    if (!ascii) {
        // One transliterator per thread: making one is slow, and ICU does not promise to share one.
        thread_local const std::unique_ptr<icu::Transliterator> fold = [] {
            UErrorCode status = U_ZERO_ERROR;
            return std::unique_ptr<icu::Transliterator>(icu::Transliterator::createInstance(
                "Any-Latin; NFKD; [:Mn:] Remove; Latin-ASCII", UTRANS_FORWARD, status));
        }();
        icu::UnicodeString wide =
            icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
        if (fold) fold->transliterate(wide);
        wide.foldCase();
        wide.toUTF8String(latin);
        text = latin;
    }
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80) out += c;
    }
    return out;
}

}  // namespace porta::identity
