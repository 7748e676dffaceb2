#include "views/case_view.h"

#include <algorithm>
#include <map>

#include "base/date_time.h"
#include "views/nodes.h"

namespace porta::views {

using schemas::FoldedRecord;
using schemas::How;
using schemas::Leaf;
using schemas::LeafKind;
using schemas::StoredOperation;
using schemas::ValueOrigin;

namespace {

const char* const kSections[] = {"involved",  "alerts",    "needs",   "conditions", "encounters", "assessments",
                                 "plans",     "benefits",  "work",    "education",  "services",   "placements",
                                 "documents", "household", "nothing", "timeline"};

/// The four kinds of nothing. `not-permitted` looks at source and purpose alone, never at records.
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

struct Assembler {
    const PurposeView& purpose;
    const std::vector<SourceFacts>& sources;
    std::int64_t as_of;
    std::vector<const FoldedRecord*> live;  ///< of permitted sources, sorted by key

    const SourceFacts* source(const std::string& id) const {
        for (const SourceFacts& s : sources)
            if (s.id == id) return &s;
        return nullptr;
    }
    int domainRank(const std::string& id) const {
        const SourceFacts* s = source(id);
        static const char* const order[] = {"health", "employment", "social"};
        for (int i = 0; i < 3; ++i)
            if (s && s->domain == order[i]) return i;
        return 3;
    }
    ViewNode sourceLeaf(const std::string& id) const {
        const SourceFacts* s = source(id);
        return s ? declared(*s, "/id", id) : computed(id, {id});
    }

    struct Ordered {
        std::string content, key;
        ViewNode node;
    };
    static ViewNode ordered(std::vector<Ordered> entries) {
        for (Ordered& e : entries) e.content = canonical(toJson(e.node));
        std::sort(entries.begin(), entries.end(), [](const Ordered& a, const Ordered& b) {
            return std::tie(a.content, a.key) < std::tie(b.content, b.key);
        });
        ViewNode n = list();
        for (Ordered& e : entries) n.items.push_back(std::move(e.node));
        return n;
    }

    /// Union over the person's records of a list field: one entry for each distinct (content, source).
    ViewNode unionOf(const std::string& field) const {
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
                if (seen.insert(canonical(toJson(item))).second)
                    entries.push_back({{}, r->key.text(), std::move(item)});
            }
        }
        return ordered(std::move(entries));
    }

    ViewNode identity() const {
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
                    if (!op->op.version.text.empty())
                        v.member("stated") = computed(op->op.version.text, {r->key.text()});
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

    ViewNode entries(const char* section, const std::vector<std::string>& entities, bool with_kind) const {
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

    ViewNode involved() const {
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
                if (const Leaf* l = leafOfField(*best, "worker", "worker/name", &op))
                    row.member("worker") = leafOf(*l, op);
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

    ViewNode nothing() const {
        std::set<std::string> present;
        for (const FoldedRecord* r : live) present.insert(r->key.source);
        return nothingOf(purpose, sources, present, as_of);
    }

    ViewNode timeline(const ViewNode& root) const {
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
                    events.emplace_back(date + "\n" + canonical(toJson(row)) + "\n" + canonical(toJson(e)),
                                        std::move(row));
                }
            }
        }
        std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        ViewNode n = list();
        for (auto& [order, row] : events) n.items.push_back(std::move(row));
        return n;
    }
};

}  // namespace

std::string sectionOf(const std::string& entity) {
    static const std::map<std::string, std::string> sections{{"person", "identity"},
                                                             {"involvement", "involved"},
                                                             {"worker", "involved"},
                                                             {"alert", "alerts"},
                                                             {"need", "needs"},
                                                             {"condition", "conditions"},
                                                             {"encounter", "encounters"},
                                                             {"assessment", "assessments"},
                                                             {"plan", "plans"},
                                                             {"goal", "plans"},
                                                             {"action", "plans"},
                                                             {"benefit", "benefits"},
                                                             {"payment", "benefits"},
                                                             {"income", "benefits"},
                                                             {"contribution", "benefits"},
                                                             {"job_seeking", "work"},
                                                             {"employment", "work"},
                                                             {"measure", "work"},
                                                             {"education", "education"},
                                                             {"service_provision", "services"},
                                                             {"placement", "placements"},
                                                             {"document", "documents"},
                                                             {"consent", "documents"},
                                                             {"household", "household"},
                                                             {"relationship", "household"},
                                                             {"human_fact", "decisions"}};
    auto it = sections.find(entity);
    return it == sections.end() ? "" : it->second;
}

bool isSealed(const std::vector<FoldedRecord>& records) {
    for (const FoldedRecord& r : records) {
        if (!r.live || r.key.entity != "person") continue;
        const StoredOperation* op = nullptr;
        const Leaf* sealed = leafOfField(r, "protection", "protection/sealed", &op);
        if (sealed && sealed->value == "true") return true;
    }
    return false;
}

CaseView assemble(const std::string& person, const std::vector<FoldedRecord>& records, const PurposeView& purpose,
                  const std::vector<SourceFacts>& sources, std::int64_t as_of) {
    Assembler a{purpose, sources, as_of, {}};
    std::string smallest;
    CaseView view;
    view.purpose = purpose.id;
    view.root = object();
    if (!purpose.sealed && isSealed(records)) return view;
    for (const FoldedRecord& r : records) {
        if (!r.live || !purpose.source(r.key.source)) continue;
        a.live.push_back(&r);
        if (r.key.entity == "person")
            for (const schemas::RecordKey& m : r.members)
                if (std::string key = m.text(); smallest.empty() || key < smallest) smallest = std::move(key);
    }
    std::sort(a.live.begin(), a.live.end(),
              [](const FoldedRecord* x, const FoldedRecord* y) { return x->key.text() < y->key.text(); });
    view.visible = !smallest.empty();
    if (!view.visible) return view;
    view.person = person.empty() ? smallest : person;
    ViewNode& root = view.root;
    if (purpose.section("identity")) root.member("identity") = a.identity();
    for (const char* section : kSections) {
        if (!purpose.section(section)) continue;
        std::string s = section;
        root.member(s) = s == "involved"     ? a.involved()
                         : s == "conditions" ? a.entries("conditions", {"condition"}, false)
                         : s == "encounters" ? a.entries("encounters", {"encounter"}, false)
                         : s == "work"       ? a.entries("work", {"job_seeking", "employment"}, true)
                         : s == "placements" ? a.entries("placements", {"placement"}, false)
                         : s == "nothing"    ? a.nothing()
                         : s == "timeline"   ? a.timeline(root)
                                             : list();
    }
    return view;
}

void joinTimes(Json& view, const PurposeView& purpose, const std::vector<SourceFacts>& sources, std::int64_t as_of) {
    const Json* stored = view.find("nothing");
    if (!stored) return;
    std::set<std::string> present;
    for (const SourceFacts& s : sources) present.insert(s.id);
    for (const Json& row : stored->items()) present.erase(row.text("source"));
    view["nothing"] = toJson(nothingOf(purpose, sources, present, as_of));
}

Json toJson(const CaseView& view) {
    Json out = Json::object();
    out["schema"] = "porta.view/1";
    out["person"] = view.person;
    out["purpose"] = view.purpose;
    for (std::size_t i = 0; i < view.root.items.size(); ++i) out[view.root.keys[i]] = toJson(view.root.items[i]);
    return out;
}

}  // namespace porta::views
