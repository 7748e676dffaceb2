#include "views/case_view.h"

#include <algorithm>
#include <map>

#include "views/assembler.h"

namespace porta::views {

using schemas::FoldedRecord;
using schemas::Leaf;
using schemas::StoredOperation;

namespace {

const char* const kSections[] = {"involved",  "alerts",    "needs",   "conditions", "encounters", "assessments",
                                 "plans",     "benefits",  "work",    "education",  "services",   "placements",
                                 "documents", "household", "nothing", "timeline"};

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
