// One binary, noun then verb: finds the command and hands it its arguments.
#include <sys/resource.h>

#include <exception>
#include <iostream>

#include "app/commands.h"

namespace {

using porta::app::Arguments;

struct Command {
    const char* name;
    int (*run)(const Arguments&);
    const char* summary;
};

int record(const Arguments& args) {
    if (!args.empty() && args[0] == "fold")
        return porta::app::commandRecordFold(Arguments(args.begin() + 1, args.end()));
    std::cerr << "usage: porta record fold FILE\n";
    return 2;
}

const Command kCommands[] = {
    {"ingest", porta::app::commandIngest, "take in what the sources have, or the paths given"},
    {"run", porta::app::commandRun, "the service, or some of its roles"},
    {"account", porta::app::commandAccount, "what became of every raw record"},
    {"status", porta::app::commandStatus, "what is still on its way"},
    {"object", porta::app::commandObject, "list the objects that arrived"},
    {"raw", porta::app::commandRaw, "list raw records, show the bytes of one"},
    {"quarantine", porta::app::commandQuarantine, "list what could not be mapped, replay it"},
    {"person", porta::app::commandPerson, "find a person"},
    {"view", porta::app::commandView, "show one case view, export all of a purpose"},
    {"audit", porta::app::commandAudit, "trace a value, replay, read and verify the decision log"},
    {"identity", porta::app::commandIdentity, "export who is one person, check an identifier"},
    {"record", record, "fold operations"},
    {"map", porta::app::commandMap, "check, run and test mappings"},
    {"read", porta::app::commandRead, "run a reader alone"},
    {"synth", porta::app::commandSynth, "invent a municipality"},
    {"topics", porta::app::commandTopics, "the topics of the log: plan, make"},
    {"crashpoints", porta::app::commandCrashpoints, "names of the crash points for tests"},
};

}  // namespace

int main(int argc, char** argv) {
    // A core dump would hold personal values.
    rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    std::ios::sync_with_stdio(false);
    std::string noun = argc > 1 ? argv[1] : "--help";
    Arguments args(argv + (argc > 1 ? 2 : 1), argv + argc);
    try {
        for (const Command& c : kCommands)
            if (noun == c.name) return c.run(args);
    } catch (const std::exception&) {
        // The text of a foreign exception may quote data: it is not printed.
        std::cerr << "porta: internal: an unexpected failure; run again, and report the command if it stays\n";
        return 1;
    }
    bool asked = noun == "--help" || noun == "-h" || noun == "help";
    std::ostream& out = asked ? std::cout : std::cerr;
    if (!asked) out << "porta: unknown command `" << noun << "`\n";
    out << "porta: the gateway behind a unified access point\n\nusage: porta COMMAND … [-c DIR] [--state DIR]\n\n";
    for (const Command& c : kCommands)
        out << "  " << c.name << std::string(14 - std::string(c.name).size(), ' ') << c.summary << "\n";
    out << "\n`porta COMMAND --help` says more. Example: porta synth --people 300 --seed 7 --out /tmp/city\n";
    return asked ? 0 : 2;
}
