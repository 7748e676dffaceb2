#include "identity/explain.h"

#include <algorithm>
#include <set>

#include "identity/national_id.h"
#include "identity/partition.h"

namespace porta::identity {

namespace {

const std::string* value(const schemas::StoredOperation* op, const std::string& path) {
    for (const schemas::Leaf& leaf : op->op.leaves)
        if (leaf.path == path && leaf.kind != schemas::LeafKind::null) return &leaf.value;
    return nullptr;
}

std::string textOf(const schemas::FoldedRecord& r, const std::string& field) {
    auto it = r.fields.find(field);
    const std::string* v = it == r.fields.end() ? nullptr : value(it->second.setter, field);
    return v ? *v : "";
}

std::vector<std::string> full(const std::vector<std::string>& dates) {
    std::vector<std::string> out;
    std::copy_if(dates.begin(), dates.end(), std::back_inserter(out),
                 [](const std::string& d) { return d.size() == 10; });
    return out;
}

std::string list(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& t : texts) out += (out.empty() ? "" : " or ") + t;
    return out;
}

using Speaks = Evidence::Speaks;

/// True when a valid identifier is shared, which alone links nobody.
bool compareIdentifiers(const Statement& a, const Statement& b, std::vector<Evidence>& out) {
    bool shared = false;
    std::set<std::string> seen;
    for (const auto& x : a.identifiers)
        for (const auto& y : b.identifiers) {
            if (x.type != y.type || !seen.insert(x.type + x.value + y.value).second) continue;
            if (x.value != y.value) {
                out.push_back({"identifier", Speaks::neither, "they state different " + x.type + " numbers"});
                continue;
            }
            if (x.state == "valid" && y.state == "valid") {
                shared = true;
                out.push_back({"identifier", Speaks::for_, "both state the valid " + x.type + " " + x.value});
            } else {
                const auto& bad = x.state == "valid" ? y : x;
                out.push_back({"identifier", Speaks::neither,
                               "both state the " + x.type + " " + x.value + ", but in one record it is `" + bad.state +
                                   "`" +
                                   (bad.state == "contradicts" ? ": it contradicts that record's own birth date or "
                                                                 "sex and is taken as someone else's"
                                                               : " and links nothing")});
            }
        }
    if (!shared) out.push_back({"identifier", Speaks::neither, "they share no valid national identifier"});
    return shared;
}

}  // namespace

Statement statementOf(const schemas::FoldedRecord& record) {
    Statement s;
    s.key = record.key.text();
    std::string sex = textOf(record, "sex"), birth = textOf(record, "birth_date");
    std::set<std::string> dates;
    if (!birth.empty()) dates.insert(birth);
    if (auto it = record.fields.find("birth_date"); it != record.fields.end())
        for (const auto& rival : it->second.rivals)
            if (const std::string* v = rival.setter ? value(rival.setter, "birth_date") : nullptr) dates.insert(*v);
    s.birth_dates.assign(dates.begin(), dates.end());
    if (auto it = record.fields.find("identifiers"); it != record.fields.end())
        for (std::size_t i = 0;; ++i) {
            std::string at = "identifiers/" + std::to_string(i) + "/";
            const std::string *v = value(it->second.setter, at + "value"),
                              *type = value(it->second.setter, at + "type");
            if (!v) break;
            if (!type || *type == "local") continue;
            IdCheck check = checkId(*type, *v, birth, sex);
            s.identifiers.push_back({*type, check.normalised, std::string(name(check.state))});
        }
    std::sort(s.identifiers.begin(), s.identifiers.end(), [](const auto& x, const auto& y) {
        return std::tie(x.type, x.value, x.state) < std::tie(y.type, y.value, y.state);
    });
    if (auto it = record.fields.find("names"); it != record.fields.end()) {
        if (const std::string* family = value(it->second.setter, "names/0/family")) s.family = *family;
        for (std::size_t i = 0; const std::string* g = value(it->second.setter, "names/0/given/" + std::to_string(i));
             ++i)
            s.given += (s.given.empty() ? "" : " ") + *g;
    }
    return s;
}

std::string canonicalText(const Statement& s) {
    std::string out = s.key + "\n" + foldName(s.given) + "\n" + foldName(s.family) + "\n";
    for (const std::string& d : s.birth_dates) out += d + "\n";
    for (const auto& i : s.identifiers) out += i.type + ":" + i.value + ":" + i.state + "\n";
    return out;
}

std::string_view name(Speaks speaks) {
    switch (speaks) {
        case Speaks::for_: return "for";
        case Speaks::against: return "against";
        case Speaks::neither: return "neither";
    }
    return "";
}

Comparison compare(const Statement& a, const Statement& b) {
    Comparison c;
    bool shared = compareIdentifiers(a, b, c.evidence);
    std::vector<std::string> da = full(a.birth_dates), db = full(b.birth_dates);
    bool dated = !da.empty() && !db.empty(), same_date = false;
    if (!dated) {
        c.evidence.push_back({"birth-date", Speaks::neither, "at least one states no full birth date"});
    } else {
        for (const std::string& d : da) same_date = same_date || std::find(db.begin(), db.end(), d) != db.end();
        c.contradicts = !same_date;
        c.evidence.push_back(same_date ? Evidence{"birth-date", Speaks::for_, "both state the birth date " + list(da)}
                                       : Evidence{"birth-date", Speaks::against,
                                                  "the birth dates " + list(da) + " and " + list(db) +
                                                      " contradict, which never joins without a decision"});
    }
    std::string ga = foldName(a.given), gb = foldName(b.given), fa = foldName(a.family), fb = foldName(b.family);
    bool same_name = !ga.empty() && !fa.empty() && ga == gb && fa == fb;
    if (same_name) c.evidence.push_back({"name", Speaks::for_, "the given and family names are equal"});
    else if (ga == gb && !ga.empty())
        c.evidence.push_back({"name", Speaks::neither, "the given names are equal, the family names are not"});
    else if (fa == fb && !fa.empty())
        c.evidence.push_back({"name", Speaks::neither, "the family names are equal, the given names are not"});
    else c.evidence.push_back({"name", Speaks::neither, "the names differ, or one record states none"});
    c.joins = shared && (same_date || (!dated && same_name));
    return c;
}

}  // namespace porta::identity
