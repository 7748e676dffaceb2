// One binary, noun then verb: finds the command and hands it its arguments.
#include <sys/resource.h>
#include <sys/stat.h>

#include <exception>
#include <iostream>

#include "app/commands.h"
#include "base/yaml.h"

namespace {

using porta::app::Arguments;

struct Command {
    const char* name;
    int (*run)(const Arguments&);
    const char* summary;
};

const Command kCommands[] = {
    {"ingest", porta::app::commandIngest, "take in what the sources have, or the paths given"},
    {"run", porta::app::commandRun, "the service, or some of its roles"},
    {"account", porta::app::commandAccount, "what became of every raw record"},
    {"status", porta::app::commandStatus, "what is still on its way"},
    {"object", porta::app::commandObject, "list the objects that arrived"},
    {"raw", porta::app::commandRaw, "list raw records, show the bytes of one"},
    {"quarantine", porta::app::commandQuarantine, "list what could not be mapped, replay it"},
    {"person", porta::app::commandPerson, "find a person"},
    {"view", porta::app::commandView, "show one case view or household, export all of a purpose"},
    {"audit", porta::app::commandAudit, "trace a value, replay, read and verify the decision log"},
    {"identity", porta::app::commandIdentity, "who is one person and why, decisions, the identity log"},
    {"record", porta::app::commandRecord, "list and show canonical records, fold operations"},
    {"why", porta::app::commandWhy, "why a view shows this value, in words"},
    {"why-not", porta::app::commandWhyNot, "why a record is not in a view, in words"},
    {"map", porta::app::commandMap, "new, check, run, test, explain and compare mappings"},
    {"terms", porta::app::commandTerms, "code maps imported, codes that no map has, groups of classifications"},
    {"fhirpath", porta::app::commandFhirpath, "evaluate an expression, run a suite of them"},
    {"viewdef", porta::app::commandViewdef, "resources as rows of a table, by SQL on FHIR's view definitions"},
    {"read", porta::app::commandRead, "run a reader alone"},
    {"bench", porta::app::commandBench, "how fast your own files are read, mapped and taken in"},
    {"synth", porta::app::commandSynth, "invent a municipality"},
    {"sim", porta::app::commandSim, "the pipeline in a simulated world, under faults"},
    {"connector", porta::app::commandConnector, "the sources and what they brought; each kind and its settings"},
    {"backup", porta::app::commandBackup, "save data and keys, each to a place of its own"},
    {"restore", porta::app::commandRestore, "fill an empty store from a backup"},
    {"topics", porta::app::commandTopics, "the topics of the log: plan, make"},
    {"crashpoints", porta::app::commandCrashpoints, "names of the crash points for tests"},
};

}  // namespace

int main(int argc, char** argv) {
    // A core dump would hold personal values.
    rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // Nobody else on this machine reads what a command writes.
    if (argc < 2 || std::string(argv[1]) != "synth") ::umask(077);
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
    if (!asked) {
        std::vector<std::string> names;
        for (const Command& c : kCommands) names.push_back(c.name);
        std::string near = porta::nearest(noun, names);
        out << "porta: unknown command" << (near.empty() ? "" : "; did you mean `" + near + "`?") << "\n";
    }
    out << "porta: the gateway behind a unified access point\n\nusage: porta COMMAND … [-c DIR] [--state DIR]\n\n";
    for (const Command& c : kCommands)
        out << "  " << c.name << std::string(14 - std::string(c.name).size(), ' ') << c.summary << "\n";
    out << "\n`porta COMMAND --help` says more. Example: porta synth --people 300 --seed 7 --out /tmp/city\n";
    return asked ? 0 : 2;
}
