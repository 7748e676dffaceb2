// porta person find: candidates, then each candidate's own view, then the question: what a purpose does not show is not
// searched either, and a sealed person is found by nobody.
#include <iostream>

#include "app/permit.h"
#include "identity/partition.h"

namespace porta::app {

namespace {

struct Wish {
    std::string name, birth, id;
};

/// Persons that may fit, by the keyed hashes of what is asked: nobody else is decrypted. Without a question, everybody.
std::vector<std::int64_t> candidates(pipeline::Reader& reader, const Wish& wish) {
    std::vector<std::string> tokens;
    if (!wish.name.empty()) tokens.push_back(pipeline::nameToken(wish.name));
    if (!wish.birth.empty()) tokens.push_back(pipeline::birthToken(wish.birth));
    if (!wish.id.empty()) tokens.push_back(pipeline::idToken(wish.id));
    return tokens.empty() ? reader.persons() : reader.candidates(tokens);
}

bool fits(const Json& identity, const Wish& wish) {
    if (!wish.birth.empty() && identity.text("birth_date") != wish.birth) return false;
    bool named = wish.name.empty(), numbered = wish.id.empty();
    std::string name = identity::foldName(wish.name);
    if (const Json* names = identity.find("names"))
        for (const Json& n : names->items()) {
            std::string given;
            if (const Json* g = n.find("given"))
                for (const Json& one : g->items()) given += one.string() + " ";
            for (const std::string& form : {n.text("family"), given + n.text("family"), n.text("family") + " " + given})
                named = named || identity::foldName(form) == name;
        }
    if (const Json* identifiers = identity.find("identifiers"))
        for (const Json& i : identifiers->items())
            numbered = numbered || i.text("type") + ":" + i.text("value") == wish.id;
    return named && numbered;
}

}  // namespace

int commandPerson(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--as-of", "--name", "--birth", "--id"});
    const char* const text =
        "usage: porta person find [--name N] [--birth D] [--id TYPE:VALUE] --as USER --purpose P\n"
        "A value given as - is read from stdin, so that it stands in no process list.\n"
        "Example: echo Rossi | porta person find --name - --birth 1980-05-17 --as anna --purpose care-coordination\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    if (o->operands[0] != "find") return unknownVerb("person", o->operands[0], {"find"}, text);
    for (const char* key : {"--name", "--birth", "--id"})
        if (o->get(key) == "-") std::getline(std::cin, o->values[key]);
    const Wish wish{o->get("--name"), o->get("--birth"), o->get("--id")};
    try {
        auto p = permit(*o, "person.find", 0);
        if (!p) return complain(p.error());
        if (auto r = p->mayShow("identity"); !r) return p->ends(r.error());
        settleTimes(*p);
        views::PurposeView open = p->purpose;
        open.sealed = false;
        Shown shown;
        std::vector<std::string> lines;
        for (std::int64_t person : candidates(*p->reader, wish)) {
            pipeline::Records records = p->reader->load(person);
            if (records.persons.empty()) continue;
            auto view = views::assemble(personText(person), records.persons[0].records, open, p->sources, p->as_of);
            if (!view.visible) continue;
            Json j = views::toJson(view);
            const Json& identity = *j.find("identity");
            if (!fits(identity, wish)) continue;
            Json out = Json::object();
            out["person"] = view.person;
            out["names"] = identity.find("names") ? *identity.find("names") : Json::array();
            out["birth_date"] = identity.text("birth_date");
            Json sources = Json::array();
            std::set<std::string> seen;
            for (const auto& record : records.persons[0].records)
                if (record.live && open.source(record.key.source)) seen.insert(record.key.source);
            for (const std::string& s : seen) sources.push(s);
            out["sources"] = std::move(sources);
            shown.persons.push_back(person);
            lines.push_back(print(out));
        }
        if (auto r = p->answers(shown); !r) return complain(r.error());
        for (const std::string& line : lines) std::cout << line << "\n";
        return 0;
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

}  // namespace porta::app
