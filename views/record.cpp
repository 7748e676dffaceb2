#include "views/record.h"

#include <algorithm>

#include "base/hash.h"

namespace porta::views {

using schemas::FoldedRecord;
using schemas::Leaf;
using schemas::StoredOperation;

namespace {

Json keys(const std::vector<schemas::RecordKey>& list) {
    Json a = Json::array();
    for (const auto& k : list) a.push(k.text());
    return a;
}

std::string top(const std::string& path) { return path.substr(0, path.find('/')); }

Json versionOf(const schemas::Version& version) {
    Json v = Json::object();
    if (version.text.empty()) {
        v["value"] = Json::array();
        for (std::int64_t part : version.parts) v["value"].push(part);
    } else {
        v["value"] = version.text;
    }
    v["order"] = name(version.order);
    return v;
}

Json validOf(const std::string& from, const std::string& to) {
    Json v = Json::object();
    if (!from.empty()) v["from"] = from;
    if (!to.empty()) v["to"] = to;
    return v;
}

/// Field path → the stretches of the raw record that it was made from.
Json spansOf(const StoredOperation& op, const std::function<bool(const std::string&)>& wanted) {
    Json spans = Json::object();
    for (const Leaf& leaf : op.op.leaves) {
        if (!wanted(top(leaf.path))) continue;
        Json list = Json::array();
        for (const schemas::Source& s : leaf.sources) {
            Json span = Json::array();
            span.push(std::int64_t{s.offset});
            span.push(std::int64_t{s.offset} + s.length);
            list.push(std::move(span));
        }
        if (list.size()) spans[leaf.path] = std::move(list);
    }
    return spans;
}

bool protection(const FoldedRecord& r, const std::string& what) {
    auto it = r.fields.find("protection");
    if (it == r.fields.end()) return false;
    const auto& leaves = it->second.setter->op.leaves;
    return std::any_of(leaves.begin(), leaves.end(),
                       [&](const Leaf& l) { return l.path == "protection/" + what && l.value == "true"; });
}

}  // namespace

Json recordJson(const FoldedRecord& r, const RecordFacts& facts) {
    Json out = Json::object(), key = Json::object(), source = Json::object(), security = Json::object(),
         legal = Json::object();
    std::string text = r.key.text();
    out["entity"] = r.key.entity;
    out["id"] = hex(sha256(text)).substr(0, 32);
    key["source"] = r.key.source;
    key["local_id"] = r.key.local_id;
    out["key"] = std::move(key);
    if (r.members.size() > 1) out["members"] = keys(r.members);
    RecordFacts::Source declared = facts.source(r.key.source);
    out["tenant"] = declared.tenant;
    if (r.newest) {
        out["version"] = versionOf(r.newest->op.version);
        out["op"] = name(r.newest->op.op);
    }
    out["status"] = r.live ? "current" : "retracted";
    out["subjects"] = keys(r.subjects);
    out["mentions"] = keys(r.mentions);
    out["valid"] = validOf(r.valid_from, r.valid_to);
    source["id"] = r.key.source;
    source["agency"] = declared.agency;
    source["domain"] = declared.domain;
    out["source"] = std::move(source);
    security["level"] = protection(r, "sealed") ? "sealed" : protection(r, "address_secret") ? "restricted" : "normal";
    security["tags"] = Json::array();
    out["security"] = std::move(security);
    legal["purpose"] = facts.purpose;
    legal["basis"] = facts.legal_basis;
    out["legal"] = std::move(legal);
    Json raw = Json::object(), fields = Json::object(), conflicts = Json::array(), issues = Json::array();
    if (r.newest) {
        RecordFacts::Mapped mapped = facts.mapped(*r.newest);
        out["recorded_at"] = mapped.recorded_at;
        out["mapping_digest"] = mapped.mapping_digest;
        out["engine_digest"] = mapped.engine_digest;
        raw["id"] = mapped.raw;
        for (const std::string& issue : r.newest->op.issues) issues.push(issue);
    }
    // A field may come from another operation than the newest one: its spans then name that raw record.
    Json spans = Json::object();
    for (const auto& one : r.fields) {
        // Named by reference, not by structured binding: clang 14 cannot capture those.
        const std::string& field = one.first;
        const schemas::FieldState& state = one.second;
        if (!facts.field(r.key.entity, field)) continue;
        auto value = parseJson(state.canonical);
        fields[field] = value ? *value : Json();
        Json at = Json::object();
        at["raw"] = facts.mapped(*state.setter).raw;
        at["at"] = spansOf(*state.setter, [&](const std::string& f) { return f == field; });
        spans[field] = std::move(at);
        if (state.rivals.size() < 2) continue;
        Json conflict = Json::object(), values = Json::array();
        for (const auto& rival : state.rivals) {
            auto v = parseJson(rival.canonical);
            values.push(v ? *v : Json());
        }
        conflict["field"] = field;
        conflict["values"] = std::move(values);
        conflicts.push(std::move(conflict));
    }
    raw["spans"] = std::move(spans);
    out["raw"] = std::move(raw);
    out["issues"] = std::move(issues);
    out["fields"] = std::move(fields);
    if (conflicts.size()) out["conflicts"] = std::move(conflicts);
    return out;
}

Json historyJson(std::vector<const StoredOperation*> operations, const FoldedRecord& r, const RecordFacts& facts) {
    std::sort(operations.begin(), operations.end(), [](const StoredOperation* x, const StoredOperation* y) {
        auto order = [](const StoredOperation* s) { return std::make_pair(rank(s->op.op), s->op.digest); };
        if (auto c = x->op.version <=> y->op.version; c != 0) return c < 0;
        return std::make_pair(order(x), x->raw) < std::make_pair(order(y), y->raw);
    });
    Json list = Json::array();
    for (const StoredOperation* s : operations) {
        bool sets = std::any_of(r.fields.begin(), r.fields.end(),
                                [&](const auto& f) { return f.second.setter->op.digest == s->op.digest; });
        bool live = std::any_of(r.live_operations.begin(), r.live_operations.end(),
                                [&](const StoredOperation* l) { return l->op.digest == s->op.digest; });
        RecordFacts::Mapped mapped = facts.mapped(*s);
        Json j = Json::object();
        j["key"] = s->op.key.text();
        j["op"] = name(s->op.op);
        j["version"] = versionOf(s->op.version);
        bool says_nothing = s->op.op == schemas::Op::presence;
        j["state"] = says_nothing ? "presence" : sets || s == r.newest ? "current" : live ? "superseded" : "void";
        if (!s->op.cls.empty()) j["class"] = s->op.cls;
        if (!s->op.cancels.empty()) j["cancels"] = s->op.cancels;
        if (!s->op.into.empty()) j["into"] = s->op.into;
        j["valid"] = validOf(s->op.valid_from, s->op.valid_to);
        j["raw"] = mapped.raw;
        j["recorded_at"] = mapped.recorded_at;
        j["mapping_digest"] = mapped.mapping_digest;
        j["digest"] = hex(s->op.digest.data(), s->op.digest.size());
        Json fields = Json::object();
        for (const auto& [field, canonical_value] : canonicalFields(s->op)) {
            if (!facts.field(s->op.key.entity, field)) continue;
            auto value = parseJson(canonical_value);
            fields[field] = value ? *value : Json();
        }
        j["fields"] = std::move(fields);
        list.push(std::move(j));
    }
    return list;
}

}  // namespace porta::views
