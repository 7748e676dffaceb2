// porta audit trace | replay | log | verify: what an auditor asks.
#include <iostream>

#include "app/permit.h"
#include "app/trace.h"
#include "pipeline/gateway.h"

namespace porta::app {

namespace {

int trace(const Options& o) {
    bool all = o.has("--all");
    std::int64_t person = all ? 0 : personNumber(o.operands[1]);
    auto p = permit(o, "audit.trace", person);
    if (!p) return complain(p.error());
    pipeline::Reader& reader = *p->reader;
    pipeline::Records records = reader.load(person);
    settleTimes(*p);
    const lineage::Lookup lookup = lookupIn(reader);
    Shown shown;
    std::vector<views::CaseView> views;
    bool found = all;
    for (const auto& one : records.persons) {
        auto view = views::assemble(personText(one.person), one.records, p->purpose, p->sources, p->as_of);
        if (!view.visible) continue;
        shown.persons.push_back(one.person);
        if (!all)
            for (const auto& value : views::traced(view)) found = found || value.pointer == o.operands[2];
        views.push_back(std::move(view));
    }
    if (!found)
        return p->ends(
            fail(Errc::not_found,
                 "the view has no value there; the pointer is one into `porta view show PERSON --format json`",
                 "trace.pointer"));
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const auto& view : views)
        for (const auto& value : views::traced(view))
            if (all || value.pointer == o.operands[2])
                std::cout << print(lineage::traceLine(view.person, value, lookup)) << "\n";
    return 0;
}

/// Who looked at whom is itself worth a look: reading the log is an entry of it, after what it shows.
int printLog(const Options& o) {
    std::int64_t person = personNumber(o.get("--person"));
    auto p = permit(o, "audit.log", person);
    if (!p) return complain(p.error());
    auto log = pipeline::DecisionLog::open(p->settings);
    if (!log) return complain(log.error());
    std::vector<Json> lines;
    auto done = (*log)->each([&](std::int64_t no, const Json& entry) {
        if (o.has("--person") && entry.text("person") != o.get("--person") && !inRanges(entry.text("whom"), person))
            return;
        Json line = Json::object();
        line["n"] = no;
        for (std::size_t i = 0; i < entry.size(); ++i) line[entry.keys()[i]] = entry.items()[i];
        lines.push_back(std::move(line));
    });
    if (!done) return complain(done.error());
    if (auto r = p->answers({}); !r) return complain(r.error());
    for (const Json& line : lines) std::cout << print(line) << "\n";
    return 0;
}

}  // namespace

int commandAudit(const Arguments& args) {
    auto o =
        parseOptions(args, {"--json", "--all"}, {"--as", "--purpose", "--case", "--as-of", "--source", "--person"});
    const char* const text =
        "usage: porta audit trace PERSON POINTER | trace --all | replay --all [--source ID] | log [--person P] | "
        "verify\n"
        "`log --person P` prints every look at that person, also through an export or a list of everybody.\n"
        "Example: porta audit trace p12 /identity/birth_date --as ada --purpose verification\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    try {
        if (verb == "trace" && (o->has("--all") || o->operands.size() == 3)) return trace(*o);
        auto settings = loadSettings(*o);
        if (!settings) return complain(settings.error());
        if (verb == "replay" && o->has("--all")) {
            auto report = pipeline::replayAll(*settings, o->get("--source"));
            if (!report) return complain(report.error());
            std::cout << print(*report) << "\n";
            return report->find("different")->size() || report->find("refused_digest")->integer() ? 1 : 0;
        }
        if (verb == "log") return printLog(*o);
        if (verb == "verify") {
            auto log = pipeline::DecisionLog::open(*settings);
            if (!log) return complain(log.error());
            auto count = (*log)->verify();
            if (!count) return complain(count.error());
            std::cout << "{\"entries\":" << *count << ",\"holds\":true}\n";
            return 0;
        }
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    if (verb == "trace" || verb == "replay") return usage(text, false);
    return unknownVerb("audit", verb, {"trace", "replay", "log", "verify"}, text);
}

}  // namespace porta::app
