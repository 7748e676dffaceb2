// porta identity why | why-not | how | log: who is one person, and why.
#include <deque>
#include <iostream>

#include "app/identity_facts.h"
#include "base/date_time.h"

namespace porta::app {

namespace {

/// The links that lead from one record of a person to another, each in words; empty when this purpose sees none.
std::vector<Json> chainBetween(IdentityFacts& facts, std::int64_t person, const std::string& a, const std::string& b) {
    auto records = facts.recordsOf(person);
    std::map<std::string, std::pair<std::string, std::string>> from;  // record → (reached from, words)
    std::string start = facts.survivor(a), end = facts.survivor(b);
    from[start];
    for (std::deque<std::string> queue{start}; !queue.empty() && !from.count(end); queue.pop_front())
        for (const std::string& next : records) {
            if (from.count(next)) continue;
            std::string words = facts.link(queue.front(), next);
            if (words.empty()) continue;
            from[next] = {queue.front(), words};
            queue.push_back(next);
        }
    std::vector<Json> chain;
    if (!from.count(end)) return chain;
    for (std::string at = end; at != start; at = from[at].first) {
        Json link = Json::object();
        link["a"] = from[at].first;
        link["b"] = at;
        link["words"] = from[at].second;
        chain.insert(chain.begin(), std::move(link));
    }
    return chain;
}

std::string conclusion(bool one, bool joins, const std::optional<identity::Fact>& decided, bool chained) {
    if (one && decided) return "one person, because it was decided";
    if (one && joins) return "one person, by their own evidence";
    if (one && chained) return "one person, through the records between them";
    if (one) return "one person, and not by evidence of these two or of records that this purpose sees";
    if (decided) return "two persons, because it was decided";
    if (joins)
        return "two persons: their evidence would join them, but something else in the group stands against it, such "
               "as a "
               "decision or a contradicting birth date";
    return "two persons: the first tier wants a shared valid identifier and the same birth date, or, where one is "
           "missing, the same names";
}

}  // namespace

int explainPair(const Options& o, bool asked_same) {
    const std::string &a = o.operands[1], &b = o.operands[2];
    auto p = permit(o, asked_same ? "identity.why" : "identity.why-not", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    for (const std::string& key : {a, b}) {
        auto named = facts.keyNamed(key);
        if (!named) return p->ends(named.error());
        if (!facts.known(key).person || !facts.visible(key))
            return p->ends(fail(Errc::not_found, "there is no such live record", "record.missing"));
    }
    std::int64_t person = facts.known(a).person, other = facts.known(b).person;
    bool one = person == other;
    Json out = Json::object();
    out["a"] = a;
    out["b"] = b;
    out["one_person"] = one;
    out["person_a"] = personText(person);
    out["person_b"] = personText(other);
    bool alias = facts.survivor(a) == facts.survivor(b);
    auto compared = identity::compare(facts.known(a).says, facts.known(b).says);
    Json evidence = Json::array();
    for (const auto& e : compared.evidence) {
        Json row = Json::object();
        row["about"] = e.about;
        row["speaks"] = name(e.speaks);
        row["words"] = e.words;
        evidence.push(std::move(row));
    }
    auto decided = facts.decided(a, b);
    out["evidence"] = std::move(evidence);
    out["decision"] = decided ? toJson(*decided) : Json();
    Json chain = Json::array();
    if (one && !alias)
        for (Json& link : chainBetween(facts, person, a, b)) chain.push(std::move(link));
    out["conclusion"] = alias ? std::string("one record: the source itself merged them")
                              : conclusion(one, compared.joins, decided, chain.size() > 0);
    out["chain"] = std::move(chain);
    if (auto r = p->answers({.persons = {person, other}}); !r) return complain(r.error());
    if (o.has("--json")) {
        std::cout << print(out) << "\n";
    } else {
        std::cout << a << " and " << b << ": " << out.text("conclusion") << ".\n";
        for (const Json& e : out.find("evidence")->items())
            std::cout << "  "
                      << (e.text("speaks") == "for"       ? "+ "
                          : e.text("speaks") == "against" ? "- "
                                                          : "  ")
                      << e.text("words") << "\n";
        if (decided)
            std::cout << "  decision " << decided->id << " (" << name(decided->kind) << ") by " << decided->by << ", "
                      << decided->at << ": " << decided->reason << "\n";
        if (out.find("chain")->size() > 1)
            for (const Json& link : out.find("chain")->items())
                std::cout << "  " << link.text("a") << " – " << link.text("b") << ": " << link.text("words") << "\n";
    }
    return one == asked_same ? 0 : 1;
}

int explainPerson(const Options& o) {
    std::int64_t person = personNumber(o.operands[1]);
    auto p = permit(o, "identity.how", person);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    std::vector<std::string> now = person ? facts.recordsOf(person) : std::vector<std::string>{};
    std::vector<std::string> lines;
    Shown shown{.persons = {person}};
    auto causeOf = [&](const pipeline::Reader::IdentityEvent& e, const std::string& key) -> std::string {
        if (e.event == "founded") return "the first live record of this person";
        if (e.event == "revived") return "its founding record is on its own again";
        if (e.event == "merged") return "its records and those of the other turned out to be one person";
        if (e.event == "split") return "what held these records together holds no more";
        const Known& k = facts.known(key);
        if (e.event == "left")
            return !k.person            ? "the record is deleted, or merged away by its source"
                   : k.person == person ? "it left and came back"
                                        : "it belongs to " + personText(k.person) + " now";
        if (k.person != person) return "evidence that holds no more";
        if (k.members.size() > 1 && facts.survivor(key) != key)
            return "the source merged it into " + facts.survivor(key);
        for (const std::string& mate : now)
            if (mate != facts.survivor(key))
                if (std::string words = facts.link(facts.survivor(key), mate); !words.empty())
                    return "with " + mate + ": " + words;
        return "evidence that this purpose does not see";
    };
    if (!now.empty())
        p->reader->identityLog([&](const pipeline::Reader::IdentityEvent& e) {
            if (e.person != person && e.other != person) return;
            Json j = Json::object();
            j["seq"] = e.seq;
            j["at"] = isoInstant(e.at);
            j["event"] = e.event;
            j["person"] = personText(e.person);
            if (e.other) j["other"] = personText(e.other);
            std::string key;
            if (e.hash) {
                auto named = p->reader->keyOf(e.hash);
                if (!named || !facts.visible(named->text())) return;
                j["record"] = key = named->text();
            }
            j["cause"] = causeOf(e, key);
            lines.push_back(print(j));
        });
    // A person who is here only by what this purpose does not see answers like one who is not here.
    if (lines.empty() || now.empty())
        return p->ends(
            fail(Errc::not_found, "there is no such person; `porta person find` looks for one", "person.missing"));
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const std::string& l : lines) std::cout << l << "\n";
    return 0;
}

int printIdentityLog(const Options& o) {
    auto p = permit(o, "identity.log", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    IdentityFacts facts(*p);
    if (auto r = p->answers({.everybody = true}); !r) return complain(r.error());
    // Persons of whom a visible record was named; events without a record say nothing of anybody else.
    std::set<std::int64_t> told;
    p->reader->identityLog([&](const pipeline::Reader::IdentityEvent& e) {
        Json j = Json::object();
        j["seq"] = e.seq;
        j["at"] = isoInstant(e.at);
        j["event"] = e.event;
        j["person"] = personText(e.person);
        if (e.other) j["other"] = personText(e.other);
        if (e.hash) {
            auto named = p->reader->keyOf(e.hash);
            if (named && !facts.visible(named->text())) return;
            if (!named && !(p->purpose.all_sources && p->purpose.sealed)) return;
            j["record"] = named ? Json(named->text()) : Json();
            told.insert(e.person);
        } else if (!told.count(e.person)) {
            return;
        }
        std::cout << print(j) << "\n";
    });
    return 0;
}

}  // namespace porta::app
