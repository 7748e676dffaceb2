#include "lineage/words.h"

namespace porta::lineage {

namespace {

std::string shown(const Json* value) { return !value ? "" : value->isString() ? value->string() : print(*value); }

std::string rule(const Json& line) {
    const Json* r = line.find("rule");
    if (!r) return "";
    return "The rule is " + r->text("name") + ", " + r->text("file") + ":" + shown(r->find("line")) + ".\n";
}

std::string places(const Json& line) {
    std::string out;
    for (const Json& s : line.find("sources")->items()) {
        const auto& span = s.find("span")->items();
        out += "  raw record " + s.text("raw") + ", bytes " + print(span[0]) + " to " + print(span[1]) + ": " +
               s.text("decoded") + "\n";
    }
    return out;
}

}  // namespace

std::string inWords(const Json& line) {
    std::string how = line.text("how"), record = line.text("record");
    std::string out = line.text("pointer") + " is shown as `" + shown(line.find("value")) + "`.\n";
    if (how == "copied") return out + "Record " + record + " says so in these words:\n" + places(line) + rule(line);
    if (how == "translated") {
        out += "Record " + record + " states a code of its own:\n" + places(line);
        if (const Json* t = line.find("table"))
            out += "Row " + shown(t->find("row")) + " of the table " + t->text("map") + " translates it.\n";
        return out + rule(line);
    }
    if (how == "constant")
        return out + "The mapping states it for every such record, here for " + record + ".\n" + rule(line);
    if (how == "declared") return out + "The configuration declares it: " + line.text("config_key") + ".\n";
    if (how == "absent") {
        out += "It says what is not there: computed from what the source declares and from the log";
    } else {
        if (!record.empty()) {
            out += "It is computed from record " + record;
            std::string at = places(line);
            return out + (at.empty() ? ".\n" : ", from these words:\n" + at) + rule(line);
        }
        out += "It is computed";
    }
    if (const Json* inputs = line.find("inputs"); inputs && inputs->size()) {
        out += ", from";
        for (const Json& i : inputs->items()) out += " " + i.string();
    }
    return out + ".\n";
}

}  // namespace porta::lineage
