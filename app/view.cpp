// porta view show | export, porta person find: what teams see.
#include <iostream>

#include "app/context.h"
#include "identity/partition.h"

namespace porta::app {

int commandView(const Arguments& args) {
    auto o = parseOptions(args, {"--json", "--canonical"}, {"--as", "--purpose", "--case", "--as-of", "--format"});
    const char* const text =
        "usage: porta view show PERSON [--format text|json] | export [--canonical]\n"
        "       --as USER --purpose P [--case C] [--as-of INSTANT] [-c DIR] [--state DIR]\n"
        "Example: porta view show p12 --as anna --purpose care-coordination\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    try {
        if (verb == "export") {
            auto p = permit(*o, o->has("--canonical") ? "view.export.canonical" : "view.export", 0);
            if (!p) return complain(p.error());
            pipeline::Records records = p->reader->load(0);
            settleTimes(*p);
            std::vector<std::string> lines;
            bool canonical_form = o->has("--canonical");
            for (const auto& person : records.persons) {
                auto view = views::assemble(canonical_form ? "" : personText(person.person), person.records, p->purpose,
                                            p->sources, p->as_of);
                if (view.person.empty()) continue;
                if (canonical_form) lines.push_back(canonical(views::toJson(view)));
                else std::cout << print(views::toJson(view)) << "\n";
            }
            std::sort(lines.begin(), lines.end());
            for (const std::string& l : lines) std::cout << l << "\n";
            return 0;
        }
        if (verb == "show" && o->operands.size() == 2) {
            std::int64_t person = personNumber(o->operands[1]);
            auto p = permit(*o, "view.show", person);
            if (!p) return complain(p.error());
            pipeline::Records records = p->reader->load(person);
            settleTimes(*p);
            if (!person || records.persons.empty())
                return complain(fail(Errc::not_found, "there is no such person; `porta person find` looks for one",
                                     "person.missing"));
            auto view = views::assemble(o->operands[1], records.persons[0].records, p->purpose, p->sources, p->as_of);
            if (o->has("--json") || o->get("--format") == "json") std::cout << print(views::toJson(view)) << "\n";
            else std::cout << views::toText(view);
            return 0;
        }
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    return usage(text, false);
}

int commandPerson(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--as-of", "--name", "--birth", "--id"});
    const char* const text =
        "usage: porta person find [--name N] [--birth D] [--id TYPE:VALUE] --as USER --purpose P\n"
        "A value given as - is read from stdin, so that it stands in no process list.\nExample: echo Rossi | porta "
        "person find --name - --birth 1980-05-17\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty() || o->operands[0] != "find") return usage(text, o->help);
    for (const char* key : {"--name", "--birth", "--id"})
        if (o->get(key) == "-") std::getline(std::cin, o->values[key]);
    try {
        auto p = permit(*o, "person.find", 0);
        if (!p) return complain(p.error());
        pipeline::Records records = p->reader->load(0);
        settleTimes(*p);
        std::string name = identity::foldName(o->get("--name"));
        for (const auto& person : records.persons) {
            auto view = views::assemble(personText(person.person), person.records, p->purpose, p->sources, p->as_of);
            Json j = views::toJson(view);
            const Json* id = j.find("identity");
            if (!id) continue;
            bool named = name.empty(), numbered = !o->has("--id");
            for (const Json& n : id->find("names")->items()) {
                std::string given;
                if (const Json* g = n.find("given"))
                    for (const Json& one : g->items()) given += one.string() + " ";
                for (const std::string& form :
                     {n.text("family"), given + n.text("family"), n.text("family") + " " + given})
                    named = named || identity::foldName(form) == name;
            }
            for (const Json& i : id->find("identifiers")->items())
                numbered = numbered || i.text("type") + ":" + i.text("value") == o->get("--id");
            if (!named || !numbered || (o->has("--birth") && id->text("birth_date") != o->get("--birth"))) continue;
            Json out = Json::object();
            out["person"] = view.person;
            out["names"] = *id->find("names");
            out["birth_date"] = id->text("birth_date");
            Json sources = Json::array();
            if (const Json* involved = j.find("involved"))
                for (const Json& row : involved->items()) sources.push(row.text("source"));
            out["sources"] = std::move(sources);
            std::cout << print(out) << "\n";
        }
        return 0;
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

}  // namespace porta::app
