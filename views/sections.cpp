#include <algorithm>
#include <map>
#include <tuple>

#include "base/date_time.h"
#include "views/assembler.h"

namespace porta::views {

using schemas::FoldedRecord;
using schemas::Leaf;
using schemas::StoredOperation;

const SourceFacts* Assembler::source(const std::string& id) const {
    for (const SourceFacts& s : sources)
        if (s.id == id) return &s;
    return nullptr;
}

ViewNode Assembler::sourceLeaf(const std::string& id) const {
    const SourceFacts* s = source(id);
    return s ? declared(*s, "/id", id) : computed(id, {id});
}

ViewNode Assembler::ordered(std::vector<Ordered> entries) {
    for (Ordered& e : entries) e.content = canonical(toJson(e.node));
    std::sort(entries.begin(), entries.end(), [](const Ordered& a, const Ordered& b) {
        return std::tie(a.content, a.key) < std::tie(b.content, b.key);
    });
    ViewNode n = list();
    for (Ordered& e : entries) n.items.push_back(std::move(e.node));
    return n;
}

ViewNode Assembler::entries(const char* section, const std::vector<std::string>& entities, bool with_kind) const {
    std::vector<Ordered> all;
    for (const FoldedRecord* r : live) {
        if (std::find(entities.begin(), entities.end(), r->key.entity) == entities.end()) continue;
        ViewNode e = object();
        e.member("source") = sourceLeaf(r->key.source);
        if (with_kind) e.member("record") = computed(r->key.entity, {r->key.text()});
        for (const auto& [field, state] : r->fields) {
            if (state.canonical == "null" || !purpose.field(section, field)) continue;
            e.member(field) = fieldNode(state.setter, field);
        }
        all.push_back({{}, r->key.text(), std::move(e)});
    }
    return ordered(std::move(all));
}

ViewNode Assembler::involved() const {
    std::vector<Ordered> rows;
    std::map<std::string, std::vector<const FoldedRecord*>> by_source;
    for (const FoldedRecord* r : live) by_source[r->key.source].push_back(r);
    for (auto& [id, records] : by_source) {
        const SourceFacts* facts = source(id);
        ViewNode row = object();
        row.member("source") = sourceLeaf(id);
        if (facts) row.member("agency") = declared(*facts, "/agency/name", facts->agency_name);
        // Who works with the person: an involvement says it outright, then the newest matter with a worker.
        const FoldedRecord* best = nullptr;
        auto rankOf = [](const FoldedRecord& r) {
            return r.key.entity == "involvement" ? 2 : r.key.entity == "person" ? 0 : 1;
        };
        for (const FoldedRecord* r : records) {
            if (!r->fields.count("worker")) continue;
            auto place = [&](const FoldedRecord& x) {
                return std::make_tuple(rankOf(x), textOf(x, "start"), x.key.text());
            };
            if (!best || place(*best) < place(*r)) best = r;
        }
        const StoredOperation* op = nullptr;
        if (best) {
            if (const Leaf* l = leafOfField(*best, "worker", "worker/name", &op)) row.member("worker") = leafOf(*l, op);
            if (const Leaf* l = leafOfField(*best, "role", "role", &op)) row.member("role") = leafOf(*l, op);
            if (const Leaf* l = leafOfField(*best, "lead", "lead", &op)) row.member("lead") = leafOf(*l, op);
            if (const Leaf* l = leafOfField(*best, "worker", "worker/phone", &op))
                row.member("contact") = leafOf(*l, op);
        }
        const Leaf* last = nullptr;
        const StoredOperation* last_op = nullptr;
        for (const FoldedRecord* r : records)
            for (const char* field : {"last_contact", "start", "end"}) {
                if (r->key.entity == "person" || r->key.entity == "condition") continue;
                const Leaf* l = leafOfField(*r, field, field, &op);
                if (l && (!last || last->value < l->value)) {
                    last = l;
                    last_op = op;
                }
            }
        if (last) row.member("last_contact") = leafOf(*last, last_op);
        for (std::size_t i = row.keys.size(); i-- > 1;) {
            if (purpose.field("involved", row.keys[i])) continue;
            row.keys.erase(row.keys.begin() + static_cast<std::ptrdiff_t>(i));
            row.items.erase(row.items.begin() + static_cast<std::ptrdiff_t>(i));
        }
        rows.push_back({{}, id, std::move(row)});
    }
    return ordered(std::move(rows));
}

ViewNode nothingOf(const PurposeView& purpose, const std::vector<SourceFacts>& sources,
                   const std::set<std::string>& present, std::int64_t as_of) {
    ViewNode n = list();
    for (const SourceFacts& s : sources) {
        if (s.domain == "other" && s.agency_name.empty()) continue;  // desk: what people enter is no agency's register
        std::string state, since;
        bool silent = s.promise_micros && s.newest_instant && as_of - s.newest_instant > s.promise_micros;
        if (!purpose.source(s.id)) state = "not-permitted";
        else if (silent) state = "silent", since = isoInstant(s.newest_instant).substr(0, 10);
        else if (!present.count(s.id)) {
            state = "no-record";
            auto from = s.coverage_from.empty() ? Result<PartialDateTime>(Error{}) : parseIso(s.coverage_from);
            auto at = from ? firstInstant(*from) : Result<std::int64_t>(Error{});
            if (at && *at > as_of) state = "outside-coverage", since = s.coverage_from;
        }
        if (state.empty()) continue;
        ViewNode row = object();
        std::vector<std::string> inputs{s.config_file + "#/coverage", s.config_file + "#/as_of"};
        row.member("source") = absent(s.id, inputs);
        row.member("state") = absent(state, inputs);
        if (!since.empty()) row.member("since") = absent(since, inputs);
        n.items.push_back(std::move(row));
    }
    return n;
}

ViewNode Assembler::nothing() const {
    std::set<std::string> present;
    for (const FoldedRecord* r : live) present.insert(r->key.source);
    return nothingOf(purpose, sources, present, as_of);
}

ViewNode Assembler::timeline(const ViewNode& root) const {
    std::vector<std::pair<std::string, ViewNode>> events;
    for (const char* section : {"conditions", "encounters", "work", "placements"}) {
        const ViewNode* entries = root.find(section);
        for (std::size_t i = 0; entries && i < entries->items.size(); ++i) {
            const ViewNode& e = entries->items[i];
            std::string at = std::string("/") + section + "/" + std::to_string(i);
            for (const char* field : {"start", "end", "onset", "abatement"}) {
                std::string date = e.text(field);
                if (date.empty()) continue;
                ViewNode row = object();
                row.member("date") = computed(date, {at + "/" + field});
                row.member("section") = computed(section, {at});
                row.member("event") = computed(field, {at + "/" + field});
                row.member("source") = computed(e.text("source"), {at + "/source"});
                events.emplace_back(date + "\n" + canonical(toJson(row)) + "\n" + canonical(toJson(e)), std::move(row));
            }
        }
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    ViewNode n = list();
    for (auto& [order, row] : events) n.items.push_back(std::move(row));
    return n;
}

}  // namespace porta::views
