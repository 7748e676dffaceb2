// `porta bench VERB`: finds the verb.
#include <iostream>

#include "app/bench_verbs.h"
#include "app/context.h"

namespace porta::app {

int commandBench(const Arguments& args) {
    const std::string text =
        "usage: porta bench map MAPPING INPUT | read FORMAT INPUT | fhirpath INPUT EXPR… | ingest\n"
        "Times your own files on this machine: what is read, mapped and stored is compared first, and no time is "
        "given\n"
        "for other answers.\n\n"
        "  map       a file through a mapping: read, mapped, and made a stored record, on one thread\n"
        "  read      a file through its reader alone\n"
        "  fhirpath  expressions over the records of a file, from their bytes\n"
        "  ingest    a configuration's sources, or files of one, into a store of their own that is removed "
        "afterwards\n\n"
        "`porta bench VERB --help` says more.\n"
        "Example: porta bench map mapping/library/hl7v2-adt.yaml adt.hl7 --time-zone Europe/Rome\n";
    const std::string verb = args.empty() ? "" : args[0];
    const Arguments rest(args.begin() + (args.empty() ? 0 : 1), args.end());
    if (verb == "map") return benchMap(rest);
    if (verb == "read") return benchRead(rest);
    if (verb == "fhirpath") return benchFhirpath(rest);
    if (verb == "ingest") return benchIngest(rest);
    if (verb.empty() || verb == "--help" || verb == "-h") return usage(text, !verb.empty());
    return unknownVerb("bench", verb, {"map", "read", "fhirpath", "ingest"}, text);
}

}  // namespace porta::app
