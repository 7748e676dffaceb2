// porta connector list | describe: the configured sources and what they brought, and what each kind of source can be told.
#include <cstdio>
#include <iostream>

#include "app/context.h"
#include "base/date_time.h"
#include "connectors/registry.h"

namespace porta::app {

namespace {

const char* const kUsage =
    "usage: porta connector list [--json] [-c DIR] [--state DIR]\n"
    "       porta connector describe [KIND] [--json]\n"
    "`list` shows each source of the configuration: its kind, whether it is pulled or pushed to, and what it brought:\n"
    "unknown (there is no store yet), waiting (nothing has come) or receiving, objects, and its newest source time.\n"
    "`describe` shows what a kind of source can be told; without KIND, every kind.\n"
    "Example: porta connector describe files\n";

/// What the store knows of each source; nothing but names, counts and times.
Result<std::vector<Json>> listed(const config::Settings& settings) {
    std::map<std::string, std::int64_t> objects;
    auto reader = pipeline::Reader::open(settings);
    // A store that nobody made yet is no failure: the sources are known from the configuration.
    const bool known = reader.has_value();
    if (!known && reader.error().code != Errc::unavailable) return reader.error();
    std::vector<Json> lines;
    try {
        if (known) {
            const Json account = (*reader)->account();
            for (const Json& s : account.find("sources")->items())
                objects[s.text("source")] = s.find("objects")->integer();
        }
        for (const config::SourceSettings& s : settings.sources) {
            const schemas::Descriptor* kind = connectors::kindNamed(s.kind);
            const std::int64_t n = objects[s.id];
            const std::int64_t newest = known ? (*reader)->newestOf(s.id) : 0;
            Json j = Json::object();
            j["id"] = s.id;
            j["kind"] = s.kind;
            j["shape"] = kind ? schemas::name(kind->shape) : "";
            j["state"] = !known ? "unknown" : n ? "receiving" : "waiting";
            j["objects"] = n;
            j["newest_source_time"] = newest ? Json(isoInstant(newest)) : Json();
            lines.push_back(std::move(j));
        }
    } catch (const pipeline::Failure& f) {
        return f.error;
    }
    return lines;
}

int list(const Options& o) {
    auto settings = loadSettings(o);
    if (!settings) return complain(settings.error());
    auto lines = listed(*settings);
    if (!lines) return complain(lines.error());
    for (const Json& j : *lines) {
        if (o.has("--json")) {
            std::cout << print(j) << "\n";
            continue;
        }
        const std::string newest = j.text("newest_source_time");
        std::printf("%-28s %-6s %-5s %-10s %8lld objects  %s\n", j.text("id").c_str(), j.text("kind").c_str(),
                    j.text("shape").c_str(), j.text("state").c_str(),
                    static_cast<long long>(j.find("objects")->integer()), newest.empty() ? "-" : newest.c_str());
    }
    return 0;
}

std::string inWords(const schemas::Descriptor& kind) {
    std::string out = kind.name + " (" + schemas::name(kind.shape) + "): " + kind.summary + "\n";
    if (kind.settings.empty()) out += "  nothing to set\n";
    for (const schemas::Setting& s : kind.settings) {
        out += "  " + kind.section + "." + s.name + ": " + s.type;
        if (!s.unit.empty()) out += " (" + s.unit + ")";
        if (s.required) out += ", required";
        if (s.secret) out += ", holds a secret";
        if (!s.otherwise.empty()) out += ", default " + s.otherwise;
        out += "\n      " + s.sentence + "\n      Example: " + s.name + ": \"" + s.example + "\"\n";
    }
    return out;
}

int describe(const Options& o) {
    if (o.operands.size() == 1) {
        if (o.has("--json")) std::cout << print(connectors::catalogue()) << "\n";
        else
            for (const schemas::Descriptor& kind : connectors::registry()) std::cout << inWords(kind);
        return 0;
    }
    const schemas::Descriptor* kind = connectors::kindNamed(o.operands[1]);
    if (!kind) {
        std::string known;
        for (const schemas::Descriptor& k : connectors::registry()) known += (known.empty() ? "" : ", ") + k.name;
        return complain(
            fail(Errc::not_found, "there is no kind of source `" + o.operands[1] + "`; known: " + known, "kind"));
    }
    std::cout << (o.has("--json") ? print(connectors::describe(*kind)) + "\n" : inWords(*kind));
    return 0;
}

}  // namespace

int commandConnector(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    const std::string verb = o->operands.empty() ? "" : o->operands[0];
    if (!o->help && verb == "list" && o->operands.size() == 1) return list(*o);
    if (!o->help && verb == "describe" && o->operands.size() <= 2) return describe(*o);
    if (!o->help && !verb.empty() && verb != "list" && verb != "describe")
        return unknownVerb("connector", verb, {"list", "describe"}, kUsage);
    return usage(kUsage, o->help);
}

}  // namespace porta::app
