#include "app/identity_facts.h"

#include <algorithm>

namespace porta::app {

Result<schemas::RecordKey> IdentityFacts::keyNamed(const std::string& text) const {
    std::size_t first = text.find('|'), second = first == std::string::npos ? first : text.find('|', first + 1);
    if (second == std::string::npos || second + 1 == text.size())
        return fail(Errc::malformed, "a record key is written source|person|local_id, in quotes", "option");
    schemas::RecordKey key{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
    if (key.entity != "person")
        return fail(Errc::malformed, "only Person records are joined: source|person|local_id", "option");
    if (auto r = p_.mayRead(key.source); !r) return r.error();
    if (!p_.settings.source(key.source))
        return fail(Errc::not_found, "there is no such source in this configuration", "source");
    return key;
}

const Known& IdentityFacts::known(const std::string& text) {
    auto it = known_.find(text);
    if (it != known_.end()) return it->second;
    Known k;
    k.says.key = text;
    std::size_t first = text.find('|'), second = first == std::string::npos ? first : text.find('|', first + 1);
    if (second != std::string::npos) {
        auto records = p_.reader->loadRecord(
            {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)});
        for (const auto& record : records.all) {
            if (!record.live) continue;
            k.says = identity::statementOf(record);
            for (const auto& m : record.members) k.members.push_back(m.text());
            k.person = p_.reader->personOf(record.key.text());
        }
    }
    return known_.emplace(text, std::move(k)).first->second;
}

bool IdentityFacts::visible(const std::string& key) {
    if (!p_.purpose.source(key.substr(0, key.find('|')))) return false;
    std::int64_t person = known(key).person;
    if (p_.purpose.sealed || !person) return true;
    auto it = sealed_.find(person);
    if (it == sealed_.end()) it = sealed_.emplace(person, p_.reader->isSealed(person)).first;
    return !it->second;
}

std::string IdentityFacts::survivor(const std::string& key) { return known(key).says.key; }

std::string IdentityFacts::evidenceDigest(const std::string& a, const std::string& b) {
    std::string x = identity::canonicalText(known(a).says), y = identity::canonicalText(known(b).says);
    if (y < x) std::swap(x, y);
    return hex(sha256(x + "\n" + y));
}

std::vector<std::string> IdentityFacts::recordsOf(std::int64_t person) {
    std::vector<std::string> out;
    auto records = p_.reader->load(person);
    for (const auto& one : records.persons)
        for (const auto& r : one.records)
            if (r.live && r.key.entity == "person" && visible(r.key.text())) out.push_back(r.key.text());
    return out;
}

std::optional<identity::Fact> IdentityFacts::decided(const std::string& a, const std::string& b) {
    std::string x = survivor(a), y = survivor(b);
    std::optional<identity::Fact> found;
    for (const identity::Fact& f : inForce()) {
        std::string p = survivor(f.a), q = survivor(f.b);
        if (!((p == x && q == y) || (p == y && q == x))) continue;
        // Of several names of one pair the partition lets `different` win.
        if (!found || f.kind == identity::FactKind::different) found = f;
    }
    return found;
}

std::string IdentityFacts::link(const std::string& a, const std::string& b) {
    if (auto f = decided(a, b))
        return f->kind == identity::FactKind::same ? "decision " + f->id + " by " + f->by + " says same" : "";
    auto compared = identity::compare(known(a).says, known(b).says);
    if (!compared.joins) return "";
    std::string words;
    for (const auto& e : compared.evidence)
        if (e.speaks == identity::Evidence::Speaks::for_) words += (words.empty() ? "" : "; ") + e.words;
    return words;
}

Json toJson(const identity::Fact& f) {
    Json j = Json::object();
    j["n"] = f.raw;
    j["fact"] = f.id;
    j["kind"] = name(f.kind);
    j["a"] = f.a;
    j["b"] = f.b;
    j["by"] = f.by;
    if (!f.second.empty()) j["second"] = f.second;
    j["reason"] = f.reason;
    j["at"] = f.at;
    return j;
}

}  // namespace porta::app
