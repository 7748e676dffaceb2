#include "views/household.h"

#include <algorithm>

#include "base/date_time.h"

namespace porta::views {

namespace {

schemas::RecordKey keyNamed(const std::string& text) {
    std::size_t first = text.find('|'), second = first == std::string::npos ? first : text.find('|', first + 1);
    if (second == std::string::npos) return {};
    return {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

/// Past when the claim ended before `as_of`, compared as days.
const char* stateOf(const Json& claim, const std::string& today) {
    std::string end = claim.text("end");
    return !end.empty() && end.substr(0, 10) < today.substr(0, end.size()) ? "past" : "present";
}

void copy(const Json& from, Json& to, std::initializer_list<const char*> fields) {
    for (const char* field : fields)
        if (const Json* v = from.find(field); v && !v->isNull()) to[field] = *v;
}

void sorted(Json& list) {
    std::stable_sort(list.items().begin(), list.items().end(),
                     [](const Json& a, const Json& b) { return canonical(a) < canonical(b); });
}

}  // namespace

Json household(const std::string& person, const std::vector<schemas::FoldedRecord>& records, const PurposeView& purpose,
               const std::vector<SourceFacts>& sources, std::int64_t as_of,
               const std::function<std::string(const schemas::RecordKey&)>& person_of) {
    std::string today = isoInstant(as_of);
    Json households = Json::array(), relationships = Json::array();
    std::set<std::string> declaring;
    auto named = [&](const std::string& text, Json& row) {
        schemas::RecordKey key = keyNamed(text);
        if (!purpose.source(key.source)) return false;
        std::string other = person_of(key);
        if (other == "-") return false;
        row["record"] = text;
        if (!other.empty()) row["person"] = other;
        return true;
    };
    for (const schemas::FoldedRecord& r : records) {
        if (!r.live || !purpose.source(r.key.source)) continue;
        if (r.key.entity != "household" && r.key.entity != "relationship") continue;
        declaring.insert(r.key.source);
        Json claim = toJson(recordNode(r)), row = Json::object();
        row["source"] = r.key.source;
        if (r.key.entity == "household") {
            copy(claim, row, {"kind"});
            Json members = Json::array();
            if (const Json* list = claim.find("members"))
                for (const Json& m : list->items()) {
                    Json member = Json::object();
                    if (!named(m.text("person"), member)) continue;
                    copy(m, member, {"role", "head", "start", "end"});
                    member["state"] = stateOf(m, today);
                    members.push(std::move(member));
                }
            sorted(members);
            row["members"] = std::move(members);
            households.push(std::move(row));
        } else {
            // The other end: the one that is not this person.
            std::string other = claim.text("b");
            if (schemas::RecordKey key = keyNamed(other); key.local_id.empty() || person_of(key) == person)
                other = claim.text("a");
            if (!named(other, row)) continue;
            copy(claim, row, {"type", "legal_responsibility", "start", "end"});
            row["state"] = stateOf(claim, today);
            relationships.push(std::move(row));
        }
    }
    sorted(households);
    sorted(relationships);
    Json out = Json::object();
    out["schema"] = "porta.household/1";
    out["person"] = person;
    out["purpose"] = purpose.id;
    out["as_of"] = today;
    out["households"] = std::move(households);
    out["relationships"] = std::move(relationships);
    Json by = Json::array(), not_permitted = Json::array();
    for (const std::string& s : declaring) by.push(s);
    for (const SourceFacts& s : sources)
        if (!purpose.source(s.id)) not_permitted.push(s.id);
    out["declared_by"] = std::move(by);
    out["not_permitted"] = std::move(not_permitted);
    out["says"] = declaring.empty() ? "no source of this purpose states a household or family of this person; that "
                                      "does not mean that the person lives alone"
                                    : "what the sources claim, each with its own dates";
    return out;
}

std::string householdText(const Json& h) {
    std::string out = "Household of " + h.text("person") + "   (purpose: " + h.text("purpose") + ")\n";
    auto line = [&](const Json& m, const char* what) {
        out += "  " + (m.text("person").empty() ? m.text("record") : m.text("person"));
        if (!m.text(what).empty()) out += ", " + m.text(what);
        if (const Json* head = m.find("head"); head && head->boolean()) out += ", head";
        if (const Json* legal = m.find("legal_responsibility"); legal && legal->boolean())
            out += ", legal responsibility";
        if (!m.text("start").empty()) out += ", from " + m.text("start");
        if (!m.text("end").empty()) out += ", to " + m.text("end");
        out += m.text("state") == "past" ? " (past)\n" : "\n";
    };
    for (const Json& one : h.find("households")->items()) {
        out += "\nAs " + one.text("source") + " states it\n";
        for (const Json& m : one.find("members")->items()) line(m, "role");
    }
    if (h.find("relationships")->size()) out += "\nFamily\n";
    for (const Json& r : h.find("relationships")->items()) line(r, "type");
    out += "\n" + h.text("says") + "\n";
    if (h.find("not_permitted")->size()) {
        out += "Not permitted for this purpose:";
        for (const Json& s : h.find("not_permitted")->items()) out += " " + s.string();
        out += "\n";
    }
    return out;
}

}  // namespace porta::views
