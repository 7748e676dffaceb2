// porta object, raw, quarantine: what arrived, record by record. The work list of `quarantine list` shows no personal
// value; everything else here does, and goes through `permit`.
#include <algorithm>
#include <iostream>

#include "app/open.h"
#include "app/permit.h"
#include "app/scaled_out.h"

namespace porta::app {

namespace {

const std::vector<std::string> kAsking{"--as", "--purpose", "--case"};

std::vector<std::string> asking(std::vector<std::string> more) {
    more.insert(more.end(), kAsking.begin(), kAsking.end());
    return more;
}

/// What a purpose without `sealed: true` must leave out; nothing has to be read for one that has it.
pipeline::Reader::Sealed sealedFor(Permitted& p) {
    return p.purpose.sealed ? pipeline::Reader::Sealed{} : p.reader->sealed();
}

int listRaws(const Options& o, const std::string& state) {
    auto p = permit(o, "raw.list", 0);
    if (!p) return complain(p.error());
    std::string source = o.get("--source");
    if (!source.empty())
        if (auto r = p->mayRead(source); !r) return p->ends(r.error());
    auto sealed = sealedFor(*p);
    if (auto r = p->answers({.everybody = true}); !r) return complain(r.error());
    p->reader->raws(source, state, [&](const Json& j) {
        if (!p->purpose.source(j.text("source"))) return;
        if (sealed.raws.count(pipeline::Reader::rawNumber(j.text("raw")).value_or(0))) return;
        std::cout << print(j) << "\n";
    });
    return 0;
}

/// The raw record when this purpose may see it whole, with the live persons that it is about.
Result<pipeline::RawRow> rawFor(Permitted& p, const std::string& text, Shown& shown) {
    // Bytes hold every field of a record, so a purpose with some sections only does not get them.
    if (auto r = p.mayShow("raw"); !r) return r.error();
    const Error missing = p.missing("there is no such raw record; `porta raw list` prints them", "raw.missing");
    auto number = pipeline::Reader::rawNumber(text);
    if (!number) return missing;
    auto row = p.reader->raw(*number);
    if (!row) return row.error().code == Errc::not_found ? missing : row.error();
    if (!p.purpose.source(p.reader->objectOf(row->object).row.source)) return missing;
    auto operations = p.reader->operations(*row);
    if (!operations) return operations.error();
    auto persons = p.reader->personsOf(*operations);
    shown.persons.assign(persons.begin(), persons.end());
    shown.raw = *number;
    if (!p.purpose.sealed &&
        std::any_of(persons.begin(), persons.end(), [&](std::int64_t one) { return p.reader->isSealed(one); }))
        return missing;
    return row;
}

int showRaw(const Options& o) {
    auto p = permit(o, "raw.show", 0);
    if (!p) return complain(p.error());
    Shown shown;
    auto row = rawFor(*p, o.operands[1], shown);
    if (!row) return p->ends(row.error());
    auto bytes = p->reader->rawBytes(row->id);
    if (!bytes) return p->ends(bytes.error());
    if (auto r = p->answers(shown); !r) return complain(r.error());
    std::cout.write(bytes->data(), static_cast<std::streamsize>(bytes->size()));
    return 0;
}

int showQuarantined(const Options& o) {
    auto p = permit(o, "quarantine.show", 0);
    if (!p) return complain(p.error());
    Shown shown;
    auto row = rawFor(*p, o.operands[1], shown);
    if (!row) return p->ends(row.error());
    Json found;
    p->reader->quarantine([&](const Json& j) {
        if (j.find("n")->integer() == row->id) found = j;
    });
    if (found.isNull())
        return p->ends(p->missing("there is no such quarantined record; `porta quarantine list` prints them",
                                  "quarantine.missing"));
    auto bytes = p->reader->rawBytes(row->id);
    if (!bytes) return p->ends(bytes.error());
    const pipeline::KnownObject& object = p->reader->objectOf(row->object);
    Json arrived = Json::object();
    arrived["n"] = object.row.no;
    arrived["path"] = object.meta.path;
    arrived["sha256"] = object.meta.sha256;
    arrived["object_time"] = object.meta.object_time;
    found["object"] = std::move(arrived);
    found["index"] = row->position;
    found["offset"] = row->start;
    found["length"] = row->length;
    auto generation = p->reader->generations().find(row->generation);
    if (generation != p->reader->generations().end()) found["mapping_digest"] = generation->second.mapping_digest;
    const auto& span = found.find("span")->items();
    std::size_t from = std::min(static_cast<std::size_t>(span[0].integer()), bytes->size());
    std::string piece = bytes->substr(from, static_cast<std::size_t>(span[1].integer() - span[0].integer()));
    found["bytes"] = hex(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
    found["next"] = "porta raw show " + found.text("raw") + "; after a mapping was fixed: porta quarantine replay";
    if (auto r = p->answers(shown); !r) return complain(r.error());
    std::cout << print(found) << "\n";
    return 0;
}

}  // namespace

int commandObject(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, asking({"--source"}));
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta object list [--source ID] --as USER --purpose P [-c DIR] [--state DIR]\n"
        "The objects that arrived from the sources of the purpose: path, digest, time, state.\n"
        "Example: porta object list --source hospital --as ada --purpose verification\n";
    if (o->help || o->operands.empty()) return usage(text, o->help);
    if (o->operands[0] != "list") return unknownVerb("object", o->operands[0], {"list"}, text);
    try {
        auto p = permit(*o, "object.list", 0);
        if (!p) return complain(p.error());
        std::string source = o->get("--source");
        if (!source.empty())
            if (auto r = p->mayRead(source); !r) return p->ends(r.error());
        if (auto r = p->answers({.everybody = true}); !r) return complain(r.error());
        p->reader->objects([&](const Json& j) {
            if (p->purpose.source(j.text("source")) && (source.empty() || j.text("source") == source))
                std::cout << print(j) << "\n";
        });
        return 0;
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

int commandRaw(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, asking({"--source", "--records"}));
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta raw list [--source ID] [--state published|quarantined|skipped|pending] | show RAW\n"
        "       --as USER --purpose P [-c DIR] [--state DIR]\n"
        "Raw records of the sources of the purpose; `show` prints the bytes, for purposes with the section `raw`.\n"
        "Example: porta raw show r17 --as ada --purpose verification\n";
    if (o->help || o->operands.empty()) return usage(text, o->help);
    try {
        if (o->operands[0] == "list") {
            // `--state` names the store's directory for every command; here it may also name the records' state.
            std::string state = o->get("--records");
            for (const char* s : {"published", "quarantined", "skipped", "pending"})
                if (o->get("--state") == s) {
                    state = s;
                    o->values.erase("--state");
                    break;
                }
            return listRaws(*o, state);
        }
        if (o->operands[0] == "show" && o->operands.size() == 2) return showRaw(*o);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
    if (o->operands[0] == "show") return usage(text, false);
    return unknownVerb("raw", o->operands[0], {"list", "show"}, text);
}

int commandQuarantine(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, asking({"--source", "--reason"}));
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta quarantine list [--json] | replay [--source ID] [--reason CODE] | show N --as USER --purpose P\n"
        "`list` is the work list and shows no personal value; `show` adds the object and the bytes that were refused.\n"
        "Example: porta quarantine replay --reason unmapped -c config\n";
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    if (verb == "list")
        return withReader(*o, [&](pipeline::Reader& reader) {
            reader.quarantine([&](const Json& j) { std::cout << print(j) << "\n"; });
            return 0;
        });
    if (verb == "show" && o->operands.size() == 2) {
        try {
            return showQuarantined(*o);
        } catch (const pipeline::Failure& f) {
            return complain(f.error);
        }
    }
    if (verb == "replay") {
        auto settings = loadSettings(*o);
        if (!settings) return complain(settings.error());
        auto replay = [&]() -> Result<pipeline::ReplayCount> {
            if (settings->scaledOut()) return replayScaledOut(*settings, o->get("--source"), o->get("--reason"));
            auto gateway = openGateway(*settings);
            if (!gateway) return gateway.error();
            return (*gateway)->replayQuarantine(o->get("--source"), o->get("--reason"));
        };
        auto count = replay();
        if (!count) return complain(count.error());
        Json j = Json::object();
        j["replayed"] = count->replayed;
        j["published"] = count->published;
        j["still"] = count->still;
        std::cout << print(j) << "\n";
        return 0;
    }
    if (verb == "show") return usage(text, false);
    return unknownVerb("quarantine", verb, {"list", "show", "replay"}, text);
}

}  // namespace porta::app
