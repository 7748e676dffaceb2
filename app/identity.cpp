// porta identity export: which records are one person now. `identity check` stands in identity_check.cpp.
#include <iostream>

#include "app/permit.h"

namespace porta::app {

int commandIdentity(const Arguments& args) {
    if (!args.empty() && args[0] == "check") return commandIdentityCheck(Arguments(args.begin() + 1, args.end()));
    auto o = parseOptions(args, {"--json"}, {"--as", "--purpose", "--case", "--as-of"});
    const char* const text =
        "usage: porta identity export | check TYPE VALUE\n`export` prints record_key,person of every live Person "
        "record.\nExample: porta identity export -c config > persons.csv\n";
    if (!o) return complain(o.error());
    if (o->help || o->operands.empty() || o->operands[0] != "export") return usage(text, o->help);
    try {
        auto p = permit(*o, "identity.export", 0);
        if (!p) return complain(p.error());
        pipeline::Records records = p->reader->load(0);
        std::cout << "record_key,person\n";
        auto cell = [](const std::string& t) {
            if (t.find_first_of(",\"\n") == std::string::npos) return t;
            std::string out = "\"";
            for (char c : t) out += c == '"' ? std::string("\"\"") : std::string(1, c);
            return out + "\"";
        };
        for (const auto& person : records.persons)
            for (const auto& record : person.records)
                if (record.key.entity == "person" && record.live && p->purpose.source(record.key.source))
                    std::cout << cell(record.key.text()) << "," << personText(person.person) << "\n";
        return 0;
    } catch (const pipeline::Failure& f) {
        return complain(f.error);
    }
}

}  // namespace porta::app
