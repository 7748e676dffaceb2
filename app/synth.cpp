// porta synth: an invented municipality.
#include <iostream>

#include "app/context.h"
#include "synth/municipality.h"

namespace porta::app {

int commandSynth(const Arguments& args) {
    auto o = parseOptions(args, {}, {"--people", "--seed", "--out", "--drops"});
    if (!o) return complain(o.error());
    const char* const text =
        "usage: porta synth --people N --seed S --out DIR\nInvents a municipality: feeds, configuration, truth and "
        "facts.\nExample: porta synth --people 300 --seed 7 --out /tmp/city && porta ingest -c /tmp/city/config\n";
    synth::Wish wish;
    wish.people = std::strtoll(o->get("--people", "300").c_str(), nullptr, 10);
    wish.seed = std::strtoull(o->get("--seed", "1").c_str(), nullptr, 10);
    wish.out = o->get("--out");
    if (o->help || wish.out.empty() || wish.people < 1 || wish.people > 1000000) return usage(text, o->help);
    auto done = synth::invent(wish);
    return done ? 0 : complain(done.error());
}

}  // namespace porta::app
