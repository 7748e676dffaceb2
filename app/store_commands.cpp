// porta ingest, account, status, crashpoints: what comes in and the account of it. None of them shows a personal value.
#include <unistd.h>

#include <iostream>
#include <iterator>

#include "app/bar.h"
#include "app/open.h"
#include "app/scaled_out.h"
#include "pipeline/crash_points.h"

namespace porta::app {

namespace {

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
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    if (settings->scaledOut()) {
        if (auto done = ingestScaledOut(*settings, o->get("--source"), o->operands); !done)
            return complain(done.error());
    } else {
        auto gateway = openGateway(*settings);
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
            "usage: porta account [--json] [-c DIR] [--state DIR]\n"
            "What became of every raw record, by source; with --json also why, and how many operations of each entity "
            "were\n"
            "published.\n"
            "Example: porta account --json -c config\n",
            true);
    return printAccount(*o);
}

int commandStatus(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {});
    if (!o) return complain(o.error());
    if (o->help)
        return usage(
            "usage: porta status [--json] [-c DIR] [--state DIR]\nWhat is still on its way; quiet = all zero.\n"
            "Example: porta status --json -c config\n",
            true);
    return withReader(*o, [](pipeline::Reader& reader) {
        std::cout << print(reader.status()) << "\n";
        return 0;
    });
}

int commandCrashpoints(const Arguments& args) {
    auto o = parseOptions(args, {}, {"--reached-by"});
    if (!o) return complain(o.error());
    if (o->help)
        return usage(
            "usage: porta crashpoints [--reached-by ingest|run]\nExample: porta crashpoints --reached-by ingest\n",
            true);
    for (const std::string& p : pipeline::crashPoints(o->get("--reached-by"))) std::cout << p << "\n";
    return 0;
}

}  // namespace porta::app
