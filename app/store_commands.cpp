// porta ingest, account, status, object, raw, quarantine, crashpoints: the log and its account.
#include <unistd.h>

#include <iostream>
#include <iterator>

#include "app/context.h"
#include "pipeline/crash_points.h"
#include "pipeline/gateway.h"

namespace porta::app {

namespace {

/// A bar on a terminal for work over a second, nothing in a pipe.
class Bar {
public:
    pipeline::Progress progress() {
        if (!::isatty(2)) return {};
        return [this](const std::string& source, std::uint64_t done, std::uint64_t total) {
            shown_ = true;
            std::string bar(total ? done * 30 / total : 30, '#');
            bar.resize(30, '.');
            std::cerr << "\r" << bar << " " << done << "/" << total << " " << source << "      " << std::flush;
        };
    }
    ~Bar() {
        if (shown_) std::cerr << "\r" << std::string(78, ' ') << "\r";
    }

private:
    bool shown_ = false;
};

Result<std::unique_ptr<pipeline::Gateway>> openGateway(const Options& o, config::Settings& settings) {
    auto loaded = loadSettings(o);
    if (!loaded) return loaded.error();
    settings = std::move(*loaded);
    if (settings.testing) pipeline::armCrashPoint();
    return pipeline::Gateway::open(settings);
}

template <class F>
int withReader(const Options& o, F&& work) {
    auto settings = loadSettings(o);
    if (!settings) return complain(settings.error());
    auto reader = pipeline::Reader::open(*settings);
    if (!reader) return complain(reader.error());
    try {
        return work(**reader);
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

int printAccount(const Options& o) {
    return withReader(o, [&](pipeline::Reader& reader) {
        Json account = reader.account();
        if (o.has("--json") || !::isatty(1)) {
            std::cout << print(account) << "\n";
            return 0;
        }
        std::printf("%-24s %9s %9s %11s %9s %8s\n", "source", "received", "published", "quarantined", "skipped",
                    "pending");
        for (const Json& s : account.find("sources")->items())
            std::printf("%-24s %9lld %9lld %11lld %9lld %8lld\n", s.text("source").c_str(),
                        static_cast<long long>(s.find("received")->integer()),
                        static_cast<long long>(s.find("published")->integer()),
                        static_cast<long long>(s.find("quarantined")->integer()),
                        static_cast<long long>(s.find("skipped")->integer()),
                        static_cast<long long>(s.find("pending")->integer()));
        return 0;
    });
}

}  // namespace

int commandIngest(const Arguments& args) {
    auto o = parseOptions(args, {"--json", "--strict"}, {"--source"});
    if (!o) return complain(o.error());
    if (o->help)
        return usage(
            "usage: porta ingest [--source ID] [PATH… | -] [-c DIR] [--state DIR] [--strict]\n"
            "One pass over the pull sources, or over these paths as that source; prints the account.\n"
            "Example: porta ingest -c config --source hospital adt_20240301.hl7\n",
            true);
    if (!o->operands.empty() && !o->has("--source")) return usage("porta ingest: paths need --source ID\n", false);
    {
        config::Settings settings;
        auto gateway = openGateway(*o, settings);
        if (!gateway) return complain(gateway.error());
        Bar bar;
        auto progress = bar.progress();
        Result<void> done;
        if (o->operands.empty()) done = (*gateway)->ingestAll(o->get("--source"), progress);
        for (const std::string& path : o->operands) {
            if (path == "-")
                done = (*gateway)->ingestBytes(o->get("--source"), "stdin",
                                               std::string(std::istreambuf_iterator<char>(std::cin), {}), progress);
            else done = (*gateway)->ingestFile(o->get("--source"), path, progress);
            if (!done) break;
        }
        if (!done) return complain(done.error());
    }
    int code = printAccount(*o);
    if (code || !o->has("--strict")) return code;
    return withReader(*o, [](pipeline::Reader& reader) {
        int quarantined = 0;
        reader.quarantine([&](const Json&) { quarantined = 1; });
        return quarantined ? 3 : 0;
    });
}

int commandAccount(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    if (o->help)
        return usage(
            "usage: porta account [--json] [-c DIR] [--state DIR]\nWhat became of every raw record, by "
            "source.\nExample: porta account --json -c config\n",
            true);
    return printAccount(*o);
}

int commandStatus(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    if (o->help)
        return usage(
            "usage: porta status [--json] [-c DIR] [--state DIR]\nWhat is still on its way; quiet = all zero.\n", true);
    return withReader(*o, [](pipeline::Reader& reader) {
        std::cout << print(reader.status()) << "\n";
        return 0;
    });
}

int commandObject(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty() || o->operands[0] != "list")
        return usage("usage: porta object list [-c DIR] [--state DIR]\n", o->help);
    return withReader(*o, [](pipeline::Reader& reader) {
        reader.objects([](const Json& j) { std::cout << print(j) << "\n"; });
        return 0;
    });
}

int commandRaw(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--source", "--state", "--records", "--as", "--purpose"});
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta raw list [--source ID] [--records published|quarantined|skipped] | show RAW\nExample: porta raw "
        "show r17 -c config\n";
    if (o->help || o->operands.empty()) return usage(text, o->help);
    if (o->operands[0] == "list") {
        // `--state` names the store's directory for every command; here it may also name the records' state.
        std::string records = o->get("--records");
        for (const char* s : {"published", "quarantined", "skipped", "pending"})
            if (o->get("--state") == s) {
                records = s;
                o->values.erase("--state");
                break;
            }
        return withReader(*o, [&](pipeline::Reader& reader) {
            reader.raws(o->get("--source"), records, [](const Json& j) { std::cout << print(j) << "\n"; });
            return 0;
        });
    }
    if (o->operands[0] == "show" && o->operands.size() == 2)
        return withReader(*o, [&](pipeline::Reader& reader) {
            auto number = pipeline::Reader::rawNumber(o->operands[1]);
            auto bytes =
                number ? reader.rawBytes(*number)
                       : Result<std::string>(fail(Errc::not_found, "a raw record is named like r17", "raw.missing"));
            if (!bytes) return complain(bytes.error());
            std::cout.write(bytes->data(), static_cast<std::streamsize>(bytes->size()));
            return 0;
        });
    return usage(text, false);
}

int commandQuarantine(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--source", "--reason", "--as", "--purpose"});
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta quarantine list [--json] | show N | replay [--source ID] [--reason CODE]\nExample: porta "
        "quarantine replay --reason unmapped -c config\n";
    if (o->help || o->operands.empty()) return usage(text, o->help);
    const std::string& verb = o->operands[0];
    if (verb == "list" || (verb == "show" && o->operands.size() == 2))
        return withReader(*o, [&](pipeline::Reader& reader) {
            bool found = verb == "list";
            auto number = verb == "show" ? pipeline::Reader::rawNumber(o->operands[1]) : std::nullopt;
            reader.quarantine([&](const Json& j) {
                if (verb == "show" && (!number || j.find("n")->integer() != *number)) return;
                found = true;
                std::cout << print(j) << "\n";
            });
            return found ? 0
                         : complain(fail(Errc::not_found, "there is no such quarantined record", "quarantine.missing"));
        });
    if (verb == "replay") {
        config::Settings settings;
        auto gateway = openGateway(*o, settings);
        if (!gateway) return complain(gateway.error());
        auto count = (*gateway)->replayQuarantine(o->get("--source"), o->get("--reason"));
        if (!count) return complain(count.error());
        Json j = Json::object();
        j["replayed"] = count->replayed;
        j["published"] = count->published;
        j["still"] = count->still;
        std::cout << print(j) << "\n";
        return 0;
    }
    return usage(text, false);
}

int commandCrashpoints(const Arguments& args) {
    auto o = parseOptions(args, {}, {"--reached-by"});
    if (!o) return complain(o.error());
    if (o->help) return usage("usage: porta crashpoints [--reached-by ingest|run]\n", true);
    for (const std::string& p : pipeline::crashPoints(o->get("--reached-by"))) std::cout << p << "\n";
    return 0;
}

}  // namespace porta::app
