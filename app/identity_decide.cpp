// porta identity decide | withdraw | review: what people decide about two records.
#include <iostream>
#include <iterator>

#include "app/identity_facts.h"
#include "base/date_time.h"
#include "pipeline/world.h"

namespace porta::app {

namespace {

/// Who else agreed must be somebody else who holds the purpose.
Result<void> checkSecond(const Options& o, const Permitted& p) {
    if (!o.has("--second")) return {};
    auto purposes = policy::Purposes::load(p.settings.directory + "/purposes.yaml");
    if (!purposes) return purposes.error();
    if (o.get("--second") == p.user)
        return fail(Errc::denied, "not permitted; --second names somebody else than --as", "user.second");
    auto decision = purposes->decide(o.get("--second"), p.granted.id);
    if (!decision.allowed)
        return fail(Errc::denied, "not permitted; --second must hold the purpose too", "user.second");
    return {};
}

Result<std::string> reasonOf(const Options& o) {
    std::string reason = o.get("--reason");
    if (reason == "-") reason.assign(std::istreambuf_iterator<char>(std::cin), {});
    while (!reason.empty() && (reason.back() == '\n' || reason.back() == '\r' || reason.back() == ' '))
        reason.pop_back();
    if (reason.empty())
        return fail(Errc::malformed, "a decision needs --reason TEXT, or --reason - to read it from stdin", "option");
    return reason;
}

std::int64_t newestOn(const std::vector<identity::Fact>& facts, const std::string& a, const std::string& b) {
    std::int64_t newest = -1;
    for (const auto& f : facts)
        if ((f.a == a && f.b == b) || (f.a == b && f.b == a)) newest = std::max(newest, f.instant);
    return newest;
}

/// Writes the fact and prints it as stored, with whom the two records are now.
int enter(Permitted& p, IdentityFacts& facts, Json fact, const std::string& a, const std::string& b) {
    std::int64_t now = pipeline::openClock(p.settings)->now();
    if (newestOn(facts.facts(), a, b) >= now)
        return p.ends(
            fail(Errc::conflict,
                 "there is a fact on this pair that is not older than the clock; instants order decisions, so "
                 "this one would not count",
                 "identity.instant"));
    fact["at"] = isoInstant(now);
    std::string id = factId(fact);
    Json named = Json::object();
    named["fact"] = id;
    for (std::size_t i = 0; i < fact.size(); ++i) named[fact.keys()[i]] = fact.items()[i];
    Shown shown;
    for (const std::string& key : {a, b})
        if (std::int64_t person = facts.known(key).person) shown.persons.push_back(person);
    if (auto r = p.answers(shown); !r) return complain(r.error());
    if (auto r = enterFact(p.settings, named); !r) return complain(r.error());
    for (const identity::Fact& f : pairFacts(*p.reader)) {
        if (f.id != id) continue;
        Json out = toJson(f);
        const std::string* keys[] = {&a, &b};
        const char* const names[] = {"person_a", "person_b"};
        for (int i = 0; i < 2; ++i) {
            std::int64_t person = p.reader->personOf(*keys[i]);
            out[names[i]] = person ? Json(personText(person)) : Json();
        }
        std::cout << print(out) << "\n";
        return 0;
    }
    return complain(fail(Errc::internal, "the decision was taken in and is not there; see `porta quarantine list`",
                         "desk.missing"));
}

}  // namespace

int decideSame(const Options& o) {
    const std::string &a = o.operands[1], &b = o.operands[2], &verdict = o.operands[3];
    if (verdict != "same" && verdict != "different")
        return complain(fail(Errc::malformed, "the decision is `same` or `different`", "option"));
    auto reason = reasonOf(o);
    if (!reason) return complain(reason.error());
    auto p = permit(o, "identity.decide", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    if (auto r = checkSecond(o, *p); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    for (const std::string& key : {a, b}) {
        auto named = facts.keyNamed(key);
        if (!named) return p->ends(named.error());
        // A sealed person is nobody here, also to those who guess a key.
        if (!facts.visible(key)) return p->ends(fail(Errc::denied, "not permitted", "purpose.sealed"));
    }
    if (facts.survivor(a) == facts.survivor(b))
        return p->ends(fail(Errc::conflict, "both keys name one record of the source", "identity.one-record"));
    bool same = verdict == "same";
    auto chain =
        identity::contradiction(facts.inForce(), a, b, same ? identity::Verdict::same : identity::Verdict::different,
                                [&](const std::string& k) { return facts.survivor(k); });
    if (!chain.empty()) {
        // A link through records that this purpose does not see is counted, not named.
        std::vector<identity::Fact> seen;
        for (const auto& f : chain)
            if (facts.visible(f.a) && facts.visible(f.b)) seen.push_back(f);
        std::string hidden =
            seen.size() < chain.size()
                ? (seen.empty() ? "" : ", ") + std::string("and decisions that this purpose does not see")
                : "";
        return p->ends(fail(Errc::conflict,
                            "this contradicts what was decided: " + words(seen) + hidden +
                                "; withdraw one of them first (porta identity withdraw FACT)",
                            "identity.contradiction"));
    }
    Json fact = Json::object();
    fact["kind"] = verdict;
    fact["a"] = a;
    fact["b"] = b;
    fact["by"] = p->user;
    if (o.has("--second")) fact["second"] = o.get("--second");
    fact["reason"] = *reason;
    fact["evidence"] = facts.evidenceDigest(a, b);
    return enter(*p, facts, std::move(fact), a, b);
}

int withdrawDecision(const Options& o) {
    auto reason = reasonOf(o);
    if (!reason) return complain(reason.error());
    auto p = permit(o, "identity.withdraw", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    if (auto r = checkSecond(o, *p); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    auto number = pipeline::Reader::rawNumber(o.operands[1]);
    for (const identity::Fact& f : facts.inForce()) {
        if (f.id != o.operands[1] && (!number || f.raw != *number)) continue;
        if (!facts.visible(f.a) || !facts.visible(f.b)) break;
        Json fact = Json::object();
        fact["kind"] = "withdraw";
        fact["a"] = f.a;
        fact["b"] = f.b;
        fact["by"] = p->user;
        if (o.has("--second")) fact["second"] = o.get("--second");
        fact["reason"] = *reason;
        return enter(*p, facts, std::move(fact), f.a, f.b);
    }
    return p->ends(
        p->missing("no such decision is in force; `porta identity decisions` prints them", "identity.decision"));
}

int reviewDecisions(const Options& o) {
    bool all = o.operands[0] == "decisions";
    auto p = permit(o, all ? "identity.decisions" : "identity.review", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    auto held = facts.inForce();
    auto survivor = [&](const std::string& k) { return facts.survivor(k); };
    Shown shown;
    std::vector<std::string> lines;
    for (const identity::Fact& f : held) {
        if (!facts.visible(f.a) || !facts.visible(f.b)) continue;
        auto report = [&](const char* review, const std::string& words) {
            Json j = Json::object();
            if (*review) {
                j["review"] = review;
                j["words"] = words;
            }
            Json fact = toJson(f);
            for (std::size_t i = 0; i < fact.size(); ++i) j[fact.keys()[i]] = fact.items()[i];
            for (const std::string& key : {f.a, f.b})
                if (std::int64_t person = facts.known(key).person) shown.persons.push_back(person);
            lines.push_back(print(j));
        };
        if (all) {
            report("", "");
            continue;
        }
        bool here = facts.known(f.a).person && facts.known(f.b).person;
        if (f.kind == identity::FactKind::different) {
            std::vector<identity::Fact> others;
            for (const auto& other : held)
                if (other.id != f.id) others.push_back(other);
            auto chain = identity::contradiction(others, f.a, f.b, identity::Verdict::different, survivor);
            bool visible = std::all_of(chain.begin(), chain.end(),
                                       [&](const auto& c) { return facts.visible(c.a) && facts.visible(c.b); });
            if (!chain.empty())
                report("contradiction", "`different` holds against " +
                                            (visible ? words(chain) : std::string("decisions that are not shown")));
        }
        if (!here) {
            report("waiting", "at least one of the two records is not here, or not any more");
            continue;
        }
        if (!f.evidence.empty() && f.evidence != facts.evidenceDigest(f.a, f.b))
            report("evidence-changed", "the records say something else now than when this was decided");
        auto compared = identity::compare(facts.known(f.a).says, facts.known(f.b).says);
        if (f.kind == identity::FactKind::same && compared.contradicts)
            report("against-evidence", "decided `same`, and the birth dates contradict");
        if (f.kind == identity::FactKind::different && compared.joins)
            report("against-evidence", "decided `different`, and the first tier would join them");
    }
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const std::string& l : lines) std::cout << l << "\n";
    return 0;
}

}  // namespace porta::app
