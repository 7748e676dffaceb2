// Any bytes: refused or accepted, never a crash; every span lies within the raw record. Each input is read in every way that a
// source can ask for.
#include <cstdlib>

#include "formats/format.h"

using namespace porta::formats;

namespace {

std::vector<Settings> waysToRead(Kind kind) {
    Settings plain;
    plain.kind = kind;
    std::vector<Settings> ways;
    auto way = [&](auto change) {
        Settings s = plain;
        change(s);
        ways.push_back(s);
    };
    if (kind == Kind::fixed) {
        plain.columns = *columnsFrom({"id:6", "-:1", "family:10", "given:8", "born:8"});
        way([](Settings& s) { s.ragged = true; });
        way([](Settings& s) { s.encoding = "iso-8859-15"; });
    } else if (kind == Kind::csv) {
        way([](Settings& s) { s.delimiter = ';', s.encoding = "windows-1252"; });
        way([](Settings& s) { s.header = false; });
        for (const char* wide : {"utf-16", "utf-16le", "utf-16be"}) way([&](Settings& s) { s.encoding = wide; });
    } else if (kind == Kind::xml) {
        way([](Settings& s) { s.record = "given"; });
    } else if (kind == Kind::hl7v2) {
        way([](Settings& s) { s.groups = true; });
    }
    if (kind == Kind::xml || kind == Kind::json || kind == Kind::ndjson) way([](Settings& s) { s.fhir = true; });
    ways.push_back(plain);
    return ways;
}

void read(const Settings& settings, std::string_view object) {
    if (!checkEncoding(settings)) std::abort();
    auto units = split(settings, object);
    if (!units) return;
    static NodeTree tree;
    for (const Unit& u : units->units) {
        if (u.offset + u.length > object.size()) std::abort();
        std::string_view raw = object.substr(u.offset, u.length);
        if (!parse(settings, raw, units->context, tree)) continue;
        for (NodeId id = 1; id < tree.size(); ++id)
            if (std::uint64_t{tree[id].span.offset} + tree[id].span.length > raw.size()) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<Settings> ways = waysToRead(PORTA_FUZZ_KIND);
    for (const Settings& way : ways) read(way, {reinterpret_cast<const char*>(data), size});
    return 0;
}
