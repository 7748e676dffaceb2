#include "pipeline/features.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "identity/national_id.h"
#include "pipeline/records.h"

namespace porta::pipeline {

using schemas::FoldedRecord;
using schemas::Operation;

namespace {

constexpr std::string_view kFields[] = {"identifiers", "names", "birth_date", "sex"};

/// Calls `item(op, "names/0")` for each item of a list that the record states.
template <typename Take>
void eachItem(const FoldedRecord& record, std::string_view field, const Take& take) {
    auto it = record.fields.find(std::string(field));
    if (it == record.fields.end()) return;
    const Operation& op = it->second.setter->op;
    std::set<std::string_view> items;
    for (const schemas::Leaf& leaf : op.leaves) {
        std::string_view path = leaf.path;
        if (path.size() > field.size() && path.substr(0, field.size()) == field && path[field.size()] == '/')
            items.insert(path.substr(0, path.find('/', field.size() + 1)));
    }
    for (std::string_view item : items) take(op, std::string(item));
}

std::string givenNames(const Operation& op, const std::string& at, std::string_view after) {
    std::string given;
    for (std::size_t i = 0; const std::string* g = leafValue(op, at + "/given/" + std::to_string(i)); ++i) {
        given += *g;
        given += after;
    }
    return given;
}

void sortUnique(std::vector<std::string>& texts) {
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

}  // namespace

bool identityReads(std::string_view path) {
    std::string_view field = path.substr(0, path.find('/'));
    return std::find(std::begin(kFields), std::end(kFields), field) != std::end(kFields);
}

Operation forIdentity(const Operation& op) {
    Operation o;
    o.key = op.key;
    o.op = op.op;
    o.version = op.version;
    o.cls = op.cls;
    o.cancels = op.cancels;
    o.into = op.into;
    o.digest = op.digest;
    for (const schemas::Leaf& leaf : op.leaves)
        if (identityReads(leaf.path)) o.leaves.push_back({leaf.path, leaf.kind, leaf.value});
    return o;
}

const std::string* leafValue(const Operation& op, std::string_view path) {
    for (const schemas::Leaf& leaf : op.leaves)
        if (leaf.path == path && leaf.kind != schemas::LeafKind::null) return &leaf.value;
    return nullptr;
}

std::string fieldText(const FoldedRecord& record, const std::string& field) {
    auto it = record.fields.find(field);
    const std::string* v = it == record.fields.end() ? nullptr : leafValue(it->second.setter->op, field);
    return v ? *v : "";
}

identity::Features featuresOf(const FoldedRecord& record) {
    identity::Features f;
    f.key = record.key.text();
    std::string sex = fieldText(record, "sex");
    if (auto birth = record.fields.find("birth_date"); birth != record.fields.end()) {
        auto add = [&](const Operation& op) {
            const std::string* v = leafValue(op, "birth_date");
            if (v && v->size() == 10) f.birth_dates.push_back(*v);
        };
        add(birth->second.setter->op);
        for (const auto& rival : birth->second.rivals)
            if (rival.setter) add(rival.setter->op);
        sortUnique(f.birth_dates);
    }
    std::string birth_date = fieldText(record, "birth_date");
    eachItem(record, "identifiers", [&](const Operation& op, const std::string& at) {
        const std::string *type = leafValue(op, at + "/type"), *value = leafValue(op, at + "/value");
        if (!type || !value || *type == "local") return;
        identity::IdCheck check = identity::checkId(*type, *value, birth_date, sex);
        if (check.state == identity::IdState::valid) f.identifiers.push_back(*type + ":" + check.normalised);
    });
    sortUnique(f.identifiers);
    if (auto names = record.fields.find("names"); names != record.fields.end()) {
        const Operation& op = names->second.setter->op;
        if (const std::string* family = leafValue(op, "names/0/family")) f.family = identity::foldName(*family);
        f.given = identity::foldName(givenNames(op, "names/0", " "));
    }
    return f;
}

std::vector<std::string> findTokens(const FoldedRecord& record) {
    std::vector<std::string> tokens;
    if (std::string birth = fieldText(record, "birth_date"); !birth.empty()) tokens.push_back(birthToken(birth));
    eachItem(record, "names", [&](const Operation& op, const std::string& at) {
        std::string given = givenNames(op, at, " ");
        for (const char* part : {"/family", "/birth_family"})
            if (const std::string* family = leafValue(op, at + part))
                for (const std::string& form : {*family, given + *family, *family + " " + given})
                    tokens.push_back(nameToken(form));
    });
    eachItem(record, "identifiers", [&](const Operation& op, const std::string& at) {
        const std::string *type = leafValue(op, at + "/type"), *value = leafValue(op, at + "/value");
        if (type && value) tokens.push_back(idToken(*type + ":" + *value));
    });
    sortUnique(tokens);
    return tokens;
}

std::string fingerprint(const FoldedRecord& record) {
    std::vector<std::string> parts;
    for (const schemas::RecordKey& m : record.members) parts.push_back(m.text());
    for (std::string_view field : kFields) {
        auto it = record.fields.find(std::string(field));
        if (it == record.fields.end()) continue;
        parts.emplace_back(field);
        parts.push_back(it->second.canonical);
        for (const auto& rival : it->second.rivals) parts.push_back(rival.canonical);
    }
    Sha256 digest = sha256(pack(parts));
    return {reinterpret_cast<const char*>(digest.data()), 16};
}

}  // namespace porta::pipeline
