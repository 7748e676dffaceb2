// porta identity: its verbs, and `export`, which records are one person now. `identity check` stands in identity_check.cpp.
#include <algorithm>
#include <iostream>

#include "app/identity_facts.h"

namespace porta::app {

namespace {

int exportPersons(const Options& o) {
    auto p = permit(o, "identity.export", 0);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
    pipeline::Records records = p->reader->load(0);
    auto cell = [](const std::string& t) {
        if (t.find_first_of(",\"\n") == std::string::npos) return t;
        std::string out = "\"";
        for (char c : t) out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + "\"";
    };
    Shown shown;
    std::string out = "record_key,person\n";
    for (const auto& person : records.persons) {
        if (!p->purpose.sealed && views::isSealed(person.records)) continue;
        for (const auto& record : person.records)
            if (record.key.entity == "person" && record.live && p->purpose.source(record.key.source)) {
                out += cell(record.key.text()) + "," + personText(person.person) + "\n";
                shown.persons.push_back(person.person);
            }
    }
    if (auto r = p->answers(shown); !r) return complain(r.error());
    std::cout << out;
    return 0;
}

}  // namespace

int commandIdentity(const Arguments& args) {
    if (!args.empty() && args[0] == "check") return commandIdentityCheck(Arguments(args.begin() + 1, args.end()));
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--as-of", "--second", "--reason"});
    const char* const text =
        "usage: porta identity why A B | why-not A B [--json] | how PERSON | log | export\n"
        "       porta identity decide A B same|different --as U [--second U] --reason -\n"
        "       porta identity withdraw FACT --as U --reason - | decisions | review\n"
        "       porta identity check TYPE VALUE\n"
        "A and B are record keys (source|person|local_id) and may not have arrived yet for a decision; a FACT is "
        "named\n"
        "as `decide` and `decisions` print it, or by its number `n`. A reason given as - is read from stdin. `export`\n"
        "prints record_key,person of every live Person record. All but `check` need --as USER --purpose P.\n"
        "Example: echo seen together | porta identity decide 'clinic|person|7' 'care|person|9' same --as ada --reason "
        "-\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    std::size_t n = o->operands.size();
    try {
        if (verb == "export" && n == 1) return exportPersons(*o);
        if (verb == "why" && n == 3) return explainPair(*o, true);
        if (verb == "why-not" && n == 3) return explainPair(*o, false);
        if (verb == "how" && n == 2) return explainPerson(*o);
        if (verb == "log" && n == 1) return printIdentityLog(*o);
        if (verb == "decide" && n == 4) return decideSame(*o);
        if (verb == "withdraw" && n == 2) return withdrawDecision(*o);
        if ((verb == "review" || verb == "decisions") && n == 1) return reviewDecisions(*o);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    const std::vector<std::string> verbs{"why",    "why-not",  "how",       "log",    "export",
                                         "decide", "withdraw", "decisions", "review", "check"};
    if (std::find(verbs.begin(), verbs.end(), verb) != verbs.end()) return usage(text, false);
    return unknownVerb("identity", verb, verbs, text);
}

}  // namespace porta::app
