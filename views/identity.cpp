#include <map>
#include <tuple>

#include "views/assembler.h"

namespace porta::views {

using schemas::FoldedRecord;
using schemas::Leaf;
using schemas::StoredOperation;

int Assembler::domainRank(const std::string& id) const {
    const SourceFacts* s = source(id);
    static const char* const order[] = {"health", "employment", "social"};
    for (int i = 0; i < 3; ++i)
        if (s && s->domain == order[i]) return i;
    return 3;
}

ViewNode Assembler::unionOf(const std::string& field) const {
    std::vector<Ordered> entries;
    std::set<std::string> seen;
    for (const FoldedRecord* r : live) {
        auto it = r->fields.find(field);
        if (r->key.entity != "person" || it == r->fields.end()) continue;
        ViewNode all = fieldNode(it->second.setter, field);
        if (all.kind != ViewNode::Kind::list) {
            ViewNode one = list();
            one.items.push_back(std::move(all));
            all = std::move(one);
        }
        for (ViewNode& item : all.items) {
            if (item.kind == ViewNode::Kind::leaf) {
                ViewNode wrapped = object();
                wrapped.member("value") = std::move(item);
                item = std::move(wrapped);
            }
            item.member("source") = sourceLeaf(r->key.source);
            if (seen.insert(canonical(toJson(item))).second) entries.push_back({{}, r->key.text(), std::move(item)});
        }
    }
    return ordered(std::move(entries));
}

ViewNode Assembler::identity() const {
    ViewNode id = object();
    const auto shown_field = [&](const char* field) { return purpose.field("identity", field); };
    if (shown_field("names")) id.member("names") = unionOf("names");
    std::vector<Ordered> conflicts;
    for (const char* field : {"birth_date", "death_date", "sex"}) {
        if (!shown_field(field)) continue;
        // Every value stated, by record; the value that most records state wins, then domain, source and local id.
        struct Stated {
            int count = 0, domain = 9;
            std::string first_key;
            const Leaf* leaf = nullptr;
            const StoredOperation* op = nullptr;
        };
        std::map<std::string, Stated> values;
        std::vector<Ordered> shown;
        bool rivals = false;
        for (const FoldedRecord* r : live) {
            auto it = r->fields.find(field);
            if (r->key.entity != "person" || it == r->fields.end()) continue;
            auto state = [&](const StoredOperation* op, bool counts) {
                const Leaf* leaf = op ? leafAt(op, field) : nullptr;
                if (!leaf) return;
                Stated& s = values[leaf->value];
                int domain = domainRank(r->key.source);
                if (counts) ++s.count;
                std::string key = r->key.source + "\n" + r->key.local_id;
                if (!s.leaf || std::tie(domain, key) < std::tie(s.domain, s.first_key)) {
                    s.domain = domain;
                    s.first_key = key;
                    s.leaf = leaf;
                    s.op = op;
                }
                ViewNode v = object();
                v.member("value") = leafOf(*leaf, op);
                v.member("source") = sourceLeaf(r->key.source);
                if (!op->op.version.text.empty()) v.member("stated") = computed(op->op.version.text, {r->key.text()});
                shown.push_back({{}, r->key.text(), std::move(v)});
            };
            state(it->second.setter, true);
            if (it->second.rivals.size() > 1) {
                rivals = true;
                for (const auto& rival : it->second.rivals)
                    if (rival.setter != it->second.setter) state(rival.setter, false);
            }
        }
        const Stated* chosen = nullptr;
        for (const auto& [value, s] : values)
            if (!chosen || std::make_tuple(-s.count, s.domain, s.first_key) <
                               std::make_tuple(-chosen->count, chosen->domain, chosen->first_key))
                chosen = &s;
        if (chosen) id.member(field) = leafOf(*chosen->leaf, chosen->op);
        if (values.size() > 1 || rivals) {
            ViewNode c = object();
            c.member("field") = computed(field, {std::string("/identity/") + field});
            c.member("values") = ordered(std::move(shown));
            conflicts.push_back({{}, field, std::move(c)});
        }
    }
    if (shown_field("identifiers")) id.member("identifiers") = unionOf("identifiers");
    for (const char* field : {"addresses", "contacts", "citizenships", "languages"}) {
        if (!shown_field(field)) continue;
        ViewNode n = unionOf(field);
        if (!n.items.empty()) id.member(field) = std::move(n);
    }
    id.member("conflicts") = ordered(std::move(conflicts));
    return id;
}

}  // namespace porta::views
