// Any bytes: refused or accepted, never a crash; every span lies within the raw record.
#include <cstdlib>

#include "formats/format.h"

using namespace porta::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view object(reinterpret_cast<const char*>(data), size);
    Settings settings;
    settings.kind = PORTA_FUZZ_KIND;
    if (settings.kind == Kind::fixed)
        settings.columns = *columnsFrom({"id:6", "-:1", "family:10", "given:8", "born:8"});
    auto units = split(settings, object);
    if (!units) return 0;
    NodeTree tree;
    for (const Unit& u : units->units) {
        if (u.offset + u.length > size) std::abort();
        std::string_view raw = object.substr(u.offset, u.length);
        if (!parse(settings, raw, units->context, tree)) continue;
        for (NodeId id = 1; id < tree.size(); ++id)
            if (std::uint64_t{tree[id].span.offset} + tree[id].span.length > raw.size()) std::abort();
    }
    return 0;
}
