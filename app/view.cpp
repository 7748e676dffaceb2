// porta view show | household | export: what teams see.
#include <algorithm>
#include <chrono>
#include <iostream>

#include "app/permit.h"
#include "pipeline/receive.h"
#include "views/fhir.h"
#include "views/household.h"

namespace porta::app {

namespace {

Error noPerson() {
    return fail(Errc::not_found, "there is no such person; `porta person find` looks for one", "person.missing");
}

/// One moment of the store, so that no view mixes two states of a person.
pipeline::Records load(Permitted& p, std::int64_t person) {
    pipeline::Records records;
    p.reader->atOneMoment([&] {
        records = p.reader->load(person);
        settleTimes(p);
    });
    return records;
}

int exportViews(const Options& o) {
    bool canonical_form = o.has("--canonical");
    auto p = permit(o, canonical_form ? "view.export.canonical" : "view.export", 0);
    if (!p) return complain(p.error());
    pipeline::Records records = load(*p, 0);
    std::vector<std::string> lines;
    Shown shown;
    for (const auto& person : records.persons) {
        auto view = views::assemble(canonical_form ? "" : personText(person.person), person.records, p->purpose,
                                    p->sources, p->as_of);
        if (!view.visible) continue;
        shown.persons.push_back(person.person);
        lines.push_back(canonical_form ? canonical(views::toJson(view)) : print(views::toJson(view)));
    }
    if (canonical_form) std::sort(lines.begin(), lines.end());
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const std::string& l : lines) std::cout << l << "\n";
    return 0;
}

int showView(const Options& o) {
    std::string format = o.has("--json") ? "json" : o.get("--format", "text");
    if (format != "text" && format != "json" && format != "fhir")
        return complain(fail(Errc::malformed, "--format is text, json or fhir", "option"));
    std::int64_t person = personNumber(o.operands[1]);
    auto p = permit(o, "view.show", person);
    if (!p) return complain(p.error());
    if (!person) return p->ends(noPerson());
    pipeline::Records records = load(*p, person);
    if (records.persons.empty()) return p->ends(noPerson());
    auto view = views::assemble(o.operands[1], records.persons[0].records, p->purpose, p->sources, p->as_of);
    if (!view.visible) return p->ends(noPerson());
    if (auto r = p->answers({.persons = {person}}); !r) return complain(r.error());
    if (format == "text") std::cout << views::toText(view);
    else std::cout << print(format == "json" ? views::toJson(view) : views::toFhir(views::toJson(view))) << "\n";
    return 0;
}

int showHousehold(const Options& o) {
    std::int64_t person = personNumber(o.operands[1]);
    auto p = permit(o, "view.household", person);
    if (!p) return complain(p.error());
    if (auto r = p->mayShow("household"); !r) return p->ends(r.error());
    if (!person) return p->ends(noPerson());
    pipeline::Records records = load(*p, person);
    if (records.persons.empty()) return p->ends(noPerson());
    const auto& own = records.persons[0].records;
    if (!views::assemble(o.operands[1], own, p->purpose, p->sources, p->as_of).visible) return p->ends(noPerson());
    Shown shown;
    shown.persons.push_back(person);
    auto personOf = [&](const schemas::RecordKey& key) {
        std::int64_t other = p->reader->personOf(key.text());
        // Whoever is sealed is named by no household either.
        if (other && other != person && !p->purpose.sealed && p->reader->isSealed(other)) return std::string("-");
        if (other) shown.persons.push_back(other);
        return other ? personText(other) : std::string();
    };
    Json household = views::household(o.operands[1], own, p->purpose, p->sources, p->as_of, personOf);
    if (auto r = p->answers(shown); !r) return complain(r.error());
    if (o.has("--json") || o.get("--format") == "json") std::cout << print(household) << "\n";
    else std::cout << views::householdText(household);
    return 0;
}

/// Prints what was delivered, with today's times, as lines of `view export`; on wish also who is no longer there.
int printReceived(Permitted& p, pipeline::Receiver& receiver,
                  const std::map<std::int64_t, pipeline::ViewMessage>& newest, bool also_gone) {
    settleTimes(p);
    std::vector<std::string> lines;
    Shown shown;
    for (const auto& [person, message] : newest) {
        auto line = receiver.line(message);
        if (!line) return p.ends(line.error());
        if (line->empty() && !also_gone) continue;
        auto view = line->empty() ? Result<Json>(Json::object()) : parseJson(*line);
        if (!view) return p.ends(view.error());
        if (line->empty()) {
            (*view)["schema"] = "porta.view/1";
            (*view)["person"] = personText(person);
            (*view)["purpose"] = p.purpose.id;
            (*view)["gone"] = true;
        }
        views::joinTimes(*view, p.purpose, p.sources, p.as_of);
        shown.persons.push_back(person);
        lines.push_back(print(*view));
    }
    if (auto r = p.answers(shown); !r) return complain(r.error());
    for (const std::string& l : lines) std::cout << l << "\n";
    std::cout.flush();
    return 0;
}

int receiveViews(const Options& o) {
    using namespace std::chrono_literals;
    auto p = permit(o, "view.receive", 0);
    if (!p) return complain(p.error());
    if (!p->settings.scaledOut())
        return p->ends(fail(Errc::misconfigured,
                            "views are delivered through Kafka, and this configuration has no log.kafka; use `porta "
                            "view export`",
                            "log"));
    auto opened = pipeline::Receiver::open(p->settings, p->granted);
    if (!opened) return p->ends(opened.error());
    pipeline::Receiver& receiver = **opened;
    const int wait_ms = p->settings.poll_ms;
    std::map<std::int64_t, pipeline::ViewMessage> newest;
    for (auto moved = std::chrono::steady_clock::now(); !receiver.complete();) {
        auto messages = receiver.poll(wait_ms);
        if (!messages) return p->ends(messages.error());
        for (auto& m : *messages) newest[m.person] = std::move(m);
        auto now = std::chrono::steady_clock::now();
        if (!messages->empty()) moved = now;
        else if (now - moved > 30s)
            return p->ends(fail(Errc::unavailable,
                                "the topic of this purpose does not give what was sent to it; try again, and see "
                                "whether the brokers have lost or deleted it",
                                "view.receive"));
    }
    if (int code = printReceived(*p, receiver, newest, false)) return code;
    while (o.has("--follow") && std::cout) {
        auto messages = receiver.poll(wait_ms);
        if (!messages) return complain(messages.error());
        if (messages->empty()) continue;
        newest.clear();
        for (auto& m : *messages) newest[m.person] = std::move(m);
        // Each answer is a look of its own: a grant that was withdrawn ends it, and the log names whom it showed.
        auto again = permit(o, "view.receive", 0);
        if (!again) return complain(again.error());
        if (int code = printReceived(*again, receiver, newest, true)) return code;
    }
    return 0;
}

}  // namespace

int commandView(const Arguments& args) {
    auto o = parseOptions(args, {"--json", "--canonical", "--follow"},
                          {"--as", "--purpose", "--case", "--as-of", "--format"});
    const char* const text =
        "usage: porta view show PERSON [--format text|json|fhir] | household PERSON [--json] | export [--canonical]\n"
        "       | receive [--follow]\n"
        "       --as USER --purpose P [--case C] [--as-of INSTANT] [-c DIR] [--state DIR]\n"
        "`receive` reads what was delivered to the recipients of the purpose through Kafka: the newest view of each "
        "person,\n"
        "as lines of `export`; with --follow it goes on with each change, and says `gone` of who is no longer there.\n"
        "Example: porta view show p12 --as anna --purpose care-coordination\n"
        "         porta view receive --as anna --purpose care-coordination -c config --set "
        "log.kafka.brokers=127.0.0.1:9092\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    try {
        if (verb == "export") return exportViews(*o);
        if (verb == "receive" && o->operands.size() == 1) return receiveViews(*o);
        if (verb == "show" && o->operands.size() == 2) return showView(*o);
        if (verb == "household" && o->operands.size() == 2) return showHousehold(*o);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    if (verb == "show" || verb == "household" || verb == "receive") return usage(text, false);
    return unknownVerb("view", verb, {"show", "household", "export", "receive"}, text);
}

}  // namespace porta::app
