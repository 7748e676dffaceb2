// porta record fold | list | show: canonical records, each with its envelope.
#include <algorithm>
#include <iostream>

#include "app/permit.h"
#include "base/date_time.h"
#include "views/record.h"

namespace porta::app {

namespace {

views::RecordFacts factsFor(Permitted& p) {
    views::RecordFacts facts;
    facts.purpose = p.granted.id;
    facts.legal_basis = p.granted.legal_basis;
    facts.source = [&p](const std::string& id) {
        views::RecordFacts::Source s;
        if (const auto* declared = p.settings.source(id)) {
            s.tenant = declared->tenant;
            s.agency = declared->agency_id;
            s.domain = declared->domain;
        }
        return s;
    };
    facts.mapped = [&p](const schemas::StoredOperation& op) {
        views::RecordFacts::Mapped m;
        auto row = p.reader->raw(op.raw);
        if (row) m.recorded_at = isoInstant(row->received_at);
        m.raw = pipeline::Reader::rawText(op.raw);
        auto g = p.reader->generations().find(op.generation);
        if (g != p.reader->generations().end()) {
            m.mapping_digest = g->second.mapping_digest;
            m.engine_digest = g->second.engine_digest;
        }
        return m;
    };
    facts.field = [&p](const std::string& entity, const std::string& field) {
        return p.purpose.field(views::sectionOf(entity), field);
    };
    return facts;
}

/// Which persons a record is of now.
std::vector<std::int64_t> personsOf(pipeline::Reader& reader, const schemas::FoldedRecord& record) {
    std::vector<std::int64_t> out;
    const auto& keys = record.key.entity == "person" ? record.members : record.subjects;
    for (const schemas::RecordKey& k : keys)
        if (std::int64_t person = reader.personOf(k.text())) out.push_back(person);
    return out;
}

bool sectionShown(const Permitted& p, const std::string& entity) {
    std::string section = views::sectionOf(entity);
    return section.empty() ? p.purpose.all_sections : p.purpose.section(section);
}

int listRecords(const Options& o) {
    auto p = permit(o, "record.list", 0);
    if (!p) return complain(p.error());
    std::string source = o.get("--source"), entity = o.get("--entity");
    if (!source.empty())
        if (auto r = p->mayRead(source); !r) return p->ends(r.error());
    pipeline::Records records = p->reader->load(0);
    std::set<std::int64_t> sealed;
    if (!p->purpose.sealed)
        for (const auto& person : records.persons)
            if (views::isSealed(person.records)) sealed.insert(person.person);
    Shown shown;
    std::vector<std::string> lines;
    for (const auto& r : records.all) {
        if (!p->purpose.source(r.key.source) || (!source.empty() && r.key.source != source)) continue;
        if ((!entity.empty() && r.key.entity != entity) || !sectionShown(*p, r.key.entity)) continue;
        auto persons = personsOf(*p->reader, r);
        if (std::any_of(persons.begin(), persons.end(), [&](std::int64_t one) { return sealed.count(one) > 0; }))
            continue;
        Json j = Json::object();
        j["key"] = r.key.text();
        j["source"] = r.key.source;
        j["entity"] = r.key.entity;
        j["live"] = r.live;
        j["operations"] = static_cast<std::int64_t>(r.live_operations.size());
        j["persons"] = Json::array();
        for (std::int64_t one : persons) j["persons"].push(personText(one));
        if (r.newest) j["version"] = r.newest->op.version.text;
        shown.persons.insert(shown.persons.end(), persons.begin(), persons.end());
        lines.push_back(print(j));
    }
    if (auto r = p->answers(shown); !r) return complain(r.error());
    for (const std::string& l : lines) std::cout << l << "\n";
    return 0;
}

int showRecord(const Options& o) {
    auto p = permit(o, "record.show", 0);
    if (!p) return complain(p.error());
    const std::string& text = o.operands[1];
    std::size_t first = text.find('|'), second = first == std::string::npos ? first : text.find('|', first + 1);
    if (second == std::string::npos)
        return p->ends(fail(Errc::malformed, "a record key is written source|entity|local_id, in quotes", "option"));
    schemas::RecordKey key{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
    // By the key alone, before the store is asked: the answer is the same whether the record exists.
    if (auto r = p->mayRead(key.source); !r) return p->ends(r.error());
    if (!sectionShown(*p, key.entity))
        return p->ends(fail(Errc::denied, "not permitted; this purpose does not have the section of this entity",
                            "purpose.section"));
    pipeline::Records records = p->reader->loadRecord(key);
    const Error missing =
        fail(Errc::not_found, "there is no such record; `porta record list` prints them", "record.missing");
    if (records.all.empty()) return p->ends(missing);
    Shown shown{.persons = personsOf(*p->reader, records.all[0])};
    for (std::int64_t person : shown.persons)
        if (!p->purpose.sealed && p->reader->isSealed(person)) return p->ends(missing);
    auto facts = factsFor(*p);
    Json out = views::recordJson(records.all[0], facts);
    if (o.has("--history")) {
        std::vector<const schemas::StoredOperation*> operations;
        const auto& members = records.all[0].members;
        for (const auto& op : records.operations.front())
            if (op.op.key == key || std::find(members.begin(), members.end(), op.op.key) != members.end())
                operations.push_back(&op);
        out["operations"] = views::historyJson(operations, records.all[0], facts);
    }
    if (auto r = p->answers(shown); !r) return complain(r.error());
    std::cout << print(out) << "\n";
    return 0;
}

}  // namespace

int commandRecord(const Arguments& args) {
    if (!args.empty() && args[0] == "fold") return commandRecordFold(Arguments(args.begin() + 1, args.end()));
    auto o = parseOptions(args, {"--json", "--history"}, {"--as", "--purpose", "--case", "--source", "--entity"});
    const char* const text =
        "usage: porta record list [--source ID] [--entity E] | show KEY [--history] --as USER --purpose P\n"
        "       porta record fold FILE\n"
        "Canonical records with their envelope; KEY is source|entity|local_id, `--history` adds every operation.\n"
        "Example: porta record show 'clinic|person|7' --history --as ada --purpose verification\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    try {
        if (verb == "list" && o->operands.size() == 1) return listRecords(*o);
        if (verb == "show" && o->operands.size() == 2) return showRecord(*o);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    if (verb == "list" || verb == "show") return usage(text, false);
    return unknownVerb("record", verb, {"fold", "list", "show"}, text);
}

}  // namespace porta::app
