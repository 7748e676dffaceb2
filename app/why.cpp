// porta why, why-not: why a view shows a value, and why a record is not in one.
#include <algorithm>
#include <iostream>

#include "app/permit.h"
#include "app/trace.h"
#include "lineage/words.h"

namespace porta::app {

namespace {

int why(const Options& o) {
    std::int64_t person = personNumber(o.operands[0]);
    auto p = permit(o, "why", person);
    if (!p) return complain(p.error());
    const Error missing =
        fail(Errc::not_found, "there is no such person; `porta person find` looks for one", "person.missing");
    if (!person) return p->ends(missing);
    pipeline::Records records = p->reader->load(person);
    settleTimes(*p);
    if (records.persons.empty()) return p->ends(missing);
    auto view = views::assemble(o.operands[0], records.persons[0].records, p->purpose, p->sources, p->as_of);
    if (!view.visible) return p->ends(missing);
    const lineage::Lookup lookup = lookupIn(*p->reader);
    Json found;
    for (const auto& value : views::traced(view))
        if (value.pointer == o.operands[1]) found = lineage::traceLine(view.person, value, lookup);
    if (found.isNull())
        return p->ends(
            fail(Errc::not_found,
                 "the view has no value there; the pointer is one into `porta view show PERSON --format json`",
                 "trace.pointer"));
    std::string words = lineage::inWords(found);
    // A value that the sources disagree on was chosen; the rule is that of views/identity.cpp.
    Json j = views::toJson(view);
    if (const Json* identity = j.find("identity"))
        for (const Json& c : identity->find("conflicts")->items()) {
            if (o.operands[1] != "/identity/" + c.text("field")) continue;
            words +=
                "The sources disagree. The value that most records state is chosen; among equals health before "
                "employment before social, then the smaller source and local id:\n";
            for (const Json& v : c.find("values")->items())
                words += "  " + v.text("value") + " says " + v.text("source") +
                         (v.text("stated").empty() ? "" : ", " + v.text("stated")) + "\n";
        }
    if (auto r = p->answers({.persons = {person}}); !r) return complain(r.error());
    if (o.has("--json")) {
        found["words"] = words;
        std::cout << print(found) << "\n";
    } else {
        std::cout << words;
    }
    return 0;
}

/// The way of one raw record, step by step, until it ends or stands in a view.
class Way {
public:
    Way(Permitted& p, std::int64_t asked, Shown& shown) : p_(p), asked_(asked), shown_(shown) {}

    Json of(const pipeline::RawRow& row) {
        out_ = Json::object();
        out_["raw"] = pipeline::Reader::rawText(row.id);
        out_["steps"] = Json::array();
        in_view_ = false;
        const auto& object = p_.reader->objectOf(row.object);
        step("received", "it arrived in object " + std::to_string(row.object) + " of " + object.row.source);
        step("split", "it is raw record " + std::to_string(row.position) + " of that object, counted from 0");
        if (row.state == pipeline::RawState::skipped) step("skipped", "it was skipped by the rule " + row.reason);
        else if (row.state == pipeline::RawState::quarantined)
            step("quarantined", "it waits in quarantine as `" + row.reason + "`; `porta quarantine show " +
                                    pipeline::Reader::rawText(row.id) + "` says more");
        else published(row);
        out_["in_view"] = in_view_;
        return out_;
    }

private:
    void step(const char* name, const std::string& words) {
        Json s = Json::object();
        s["step"] = name;
        s["words"] = words;
        out_["steps"].push(std::move(s));
    }

    void published(const pipeline::RawRow& row) {
        auto operations = p_.reader->operations(row);
        if (!operations) throw pipeline::Failure{operations.error()};
        std::vector<schemas::RecordKey> keys;
        for (const auto& op : *operations)
            if (std::find(keys.begin(), keys.end(), op.key) == keys.end()) keys.push_back(op.key);
        step("published", "it says something of " + std::to_string(keys.size()) + " records");
        for (const auto& key : keys) record(key, row.id);
    }

    void record(const schemas::RecordKey& key, std::int64_t raw) {
        std::string section = views::sectionOf(key.entity), name = "record " + key.text();
        if (!section.empty() && !p_.purpose.section(section))
            return step("withheld", "a record of the section " + section + ", which this purpose does not have");
        if (key.entity == "human_fact") return step("fact", name + " is a decision; decisions are shown in no view");
        auto records = p_.reader->loadRecord(key);
        if (records.all.empty() || !records.all[0].live)
            return step("deleted", name + " is not live: it was deleted or cancelled");
        const schemas::FoldedRecord& r = records.all[0];
        if (r.key != key) step("merged", "the source merged " + key.text() + " into " + r.key.text());
        bool live = std::any_of(r.live_operations.begin(), r.live_operations.end(),
                                [&](const auto* op) { return op->raw == raw; });
        bool sets =
            std::any_of(r.fields.begin(), r.fields.end(), [&](const auto& f) { return f.second.setter->raw == raw; });
        if (!live) step("void", "what this raw record says of " + name + " was cancelled, or stands below a delete");
        else if (!sets)
            step("superseded", "what this raw record says of " + name + " was replaced" +
                                   (r.newest ? "; the newest is " + pipeline::Reader::rawText(r.newest->raw) : ""));
        std::vector<std::int64_t> persons;
        for (const auto& k : key.entity == "person" ? r.members : r.subjects)
            if (std::int64_t one = p_.reader->personOf(k.text())) persons.push_back(one);
        if (persons.empty())
            return step("nobody", name +
                                      " belongs to no person: the Person record that it names is not live or has "
                                      "not arrived");
        shown_.persons.insert(shown_.persons.end(), persons.begin(), persons.end());
        if (asked_ && std::find(persons.begin(), persons.end(), asked_) == persons.end())
            return step("elsewhere", name + " belongs to " + personText(persons[0]) +
                                         "; `porta identity why-not` compares two records");
        if (!live || !sets) return;
        in_view_ = true;
        step("shown", name + " is in the view of " + personText(asked_ ? asked_ : persons[0]) +
                          (section.empty() ? ", in no section of its own" : ", section " + section));
    }

    Permitted& p_;
    std::int64_t asked_;
    Shown& shown_;
    Json out_;
    bool in_view_ = false;
};

/// The objects whose path is this one, or ends with it after a slash.
std::vector<std::int64_t> objectsAt(Permitted& p, const std::string& path) {
    std::vector<std::int64_t> found;
    p.reader->objects([&](const Json& j) {
        std::string at = j.text("path");
        bool ends =
            at.size() > path.size() && at.compare(at.size() - path.size() - 1, std::string::npos, "/" + path) == 0;
        if ((at == path || ends) && p.purpose.source(j.text("source"))) found.push_back(j.find("n")->integer());
    });
    return found;
}

int whyNot(const Options& o) {
    std::int64_t person = personNumber(o.get("--person"));
    auto p = permit(o, "why-not", person);
    if (!p) return complain(p.error());
    if (o.has("--person") && !person)
        return p->ends(fail(Errc::malformed, "--person takes a person's number, like p12", "option"));
    const std::string& what = o.operands[0];
    const Error missing = p->missing(
        "there is no such raw record or object; `porta raw list` and `porta object list` "
        "print them",
        "raw.missing");
    Shown shown;
    std::vector<Json> answers;
    Way way(*p, person, shown);
    auto take = [&](const pipeline::RawRow& row) {
        auto operations = p->reader->operations(row);
        if (!operations) throw pipeline::Failure{operations.error()};
        if (!p->purpose.sealed)
            for (std::int64_t one : p->reader->personsOf(*operations))
                if (p->reader->isSealed(one)) return;
        answers.push_back(way.of(row));
    };
    if (auto number = pipeline::Reader::rawNumber(what)) {
        auto row = p->reader->raw(*number);
        if (row && p->purpose.source(p->reader->objectOf(row->object).row.source)) take(*row);
    } else {
        for (std::int64_t no : objectsAt(*p, what)) {
            const auto object = p->reader->objectOf(no).row;
            if (object.state == pipeline::ObjectState::duplicate || object.state == pipeline::ObjectState::voided) {
                bool duplicate = object.state == pipeline::ObjectState::duplicate;
                Json j = Json::object(), step = Json::object();
                step["step"] = duplicate ? "duplicate" : "void";
                step["words"] = duplicate ? "object " + std::to_string(no) + " repeats object " +
                                                std::to_string(object.duplicate_of) + "; its records are counted there"
                                          : "object " + std::to_string(no) +
                                                " changed while it was read; the new "
                                                "bytes are another object";
                j["object"] = no;
                j["steps"] = Json::array();
                j["steps"].push(std::move(step));
                j["in_view"] = false;
                answers.push_back(std::move(j));
                continue;
            }
            for (std::int64_t id = object.first_raw; id < object.first_raw + object.n; ++id)
                if (auto row = p->reader->raw(id)) take(*row);
        }
    }
    if (answers.empty()) return p->ends(missing);
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const Json& j : answers) {
        if (o.has("--json")) {
            std::cout << print(j) << "\n";
            continue;
        }
        std::cout << (j.find("raw") ? j.text("raw") : "object " + print(*j.find("object"))) << "\n";
        for (const Json& s : j.find("steps")->items()) std::cout << "  " << s.text("words") << "\n";
    }
    return 0;
}

template <class F>
int caught(F&& work) {
    try {
        return work();
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

}  // namespace

int commandWhy(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--as-of"});
    const char* const text =
        "usage: porta why PERSON POINTER [--json] --as USER --purpose P\n"
        "Why a view shows this value, in words; POINTER is one into `porta view show PERSON --format json`.\n"
        "Example: porta why p12 /identity/birth_date --as ada --purpose verification\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.size() != 2) return usage(text, o->help);
    return caught([&] { return why(*o); });
}

int commandWhyNot(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--person"});
    const char* const text =
        "usage: porta why-not RAW|PATH [--person P] [--json] --as USER --purpose P\n"
        "What became of a raw record, or of every raw record of an object, and why it is not in the view of P.\n"
        "Example: porta why-not r17 --person p12 --as ada --purpose verification\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.size() != 1) return usage(text, o->help);
    return caught([&] { return whyNot(*o); });
}

}  // namespace porta::app
