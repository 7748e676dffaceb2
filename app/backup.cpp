// porta backup, restore: data and keys to two places, and back into an empty store. Neither shows a personal value.
#include "pipeline/backup.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "app/bar.h"
#include "app/context.h"
#include "app/topics.h"
#include "pipeline/crash_points.h"
#include "pipeline/kafka/kafka_log.h"

namespace porta::app {

namespace {

using namespace std::chrono_literals;

const char* const kBackupUsage =
    "usage: porta backup --to DIR --keys-to DIR [--wait SECONDS] [--json] [-c DIR] [--state DIR] [--set key=value]\n"
    "Saves the store and the decision log to one new directory and the wrapped keys to another, beside a running "
    "owner.\n"
    "Keep the two in different hands: the data open with the keys only, and the keys with the key file only "
    "(`keys.file`\n"
    "of the configuration), which is in neither: keep a copy of it once, at a third place.\n"
    "After people were erased destroy older backups of the keys; older data go on being restored with newer keys.\n"
    "Scaled out it waits up to SECONDS (30) for a moment in which no acknowledged record is in the log alone.\n"
    "Example: porta backup -c config --to /backup/data-0412 --keys-to /vault/keys-0412\n";

const char* const kRestoreUsage =
    "usage: porta restore --from DIR --keys-from DIR [--json] [-c DIR] [--state DIR] [--set key=value]\n"
    "Fills an empty store, embedded or in PostgreSQL whatever the backup came from, once every file is as its "
    "manifest\n"
    "says. It never overwrites. First put the key file where `keys.file` says. Scaled out the topics must not exist "
    "yet:\n"
    "what is in the log is not in the store, so restore first, then `porta topics apply`, then the roles.\n"
    "Afterwards the sources that keep their files are read again by themselves; put back files that were moved after\n"
    "the backup was made, and let senders repeat what they sent since then: what is there already is not taken twice.\n"
    "Example: porta restore -c config --state /srv/porta --from /backup/data-0412 --keys-from /vault/keys-0412\n";

int show(const Options& o, const Result<Json>& done) {
    if (!done) return complain(done.error());
    if (o.has("--json")) {
        std::cout << print(*done) << "\n";
        return 0;
    }
    for (std::size_t i = 0; i < done->keys().size(); ++i) {
        const Json& value = done->items()[i];
        std::cout << done->keys()[i] << ": " << (value.isString() ? value.string() : std::to_string(value.integer()))
                  << "\n";
    }
    return 0;
}

/// Messages of an earlier life of the store bear numbers that the restored one gives again.
Result<void> noTopics(const config::Settings& settings) {
    auto topics = plannedTopics(settings);
    if (!topics) return topics.error();
    if (auto r = pipeline::describeTopics(settings.kafka, *topics); !r) return r;
    for (const pipeline::TopicPlan& t : *topics)
        if (t.existing)
            return fail(
                Errc::misconfigured,
                "the topic " + t.name +
                    " exists; a store is restored beside a new log: delete the topics of this configuration, or "
                    "give them another log.kafka.prefix",
                "restore.topics");
    return {};
}

}  // namespace

int commandBackup(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--to", "--keys-to", "--wait"});
    if (!o) return complain(o.error());
    if (o->help || !o->operands.empty() || !o->has("--to") || !o->has("--keys-to")) return usage(kBackupUsage, o->help);
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(o->get("--wait", "30").c_str()));
    while (true) {
        Bar bar;
        auto done = pipeline::backup(*settings, o->get("--to"), o->get("--keys-to"), bar.progress());
        if (done || done.error().rule != pipeline::kBackupBusy || std::chrono::steady_clock::now() > until)
            return show(*o, done);
        std::this_thread::sleep_for(100ms);
    }
}

int commandRestore(const Arguments& args) {
    auto o = parseOptions(args, {"--json"}, {"--from", "--keys-from"});
    if (!o) return complain(o.error());
    if (!o->help && o->has("--from") && !o->has("--keys-from"))
        std::cerr << "porta restore: a backup opens with its keys only; name them with --keys-from DIR\n";
    if (o->help || !o->operands.empty() || !o->has("--from") || !o->has("--keys-from"))
        return usage(kRestoreUsage, o->help);
    auto settings = loadSettings(*o);
    if (!settings) return complain(settings.error());
    if (settings->testing) pipeline::armCrashPoint();
    if (settings->scaledOut())
        if (auto r = noTopics(*settings); !r) return complain(r.error());
    Bar bar;
    return show(*o, pipeline::restore(*settings, o->get("--from"), o->get("--keys-from"), bar.progress()));
}

}  // namespace porta::app
