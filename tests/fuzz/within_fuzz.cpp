// Any bytes as a document in a value, in every format around it: opened or refused inside of the value, each span inside of it.
#include <cstdlib>

#include "formats/within.h"

using namespace porta::formats;

namespace {

void open(Kind outer, const std::string& raw, Within::Decode decode, Kind inner) {
    Settings around, within;
    around.kind = outer;
    within.kind = inner;
    NodeTree tree;
    if (!parse(around, raw, outer == Kind::csv ? "a" : "", tree)) return;
    const NodeId before = static_cast<NodeId>(tree.size());
    for (NodeId id = 1; id < before; ++id) {
        const Span value = tree[id].span;
        const std::size_t end = std::size_t{value.offset} + value.length;
        auto inside = [&](std::size_t offset, std::size_t length) {
            if (offset < value.offset || offset + length > end) std::abort();
        };
        const auto first = static_cast<NodeId>(tree.size());
        if (auto opened = openWithin({decode, within}, outer, raw, id, tree); !opened) {
            inside(opened.error().offset, opened.error().length);
            continue;
        }
        for (NodeId n = first; n < tree.size(); ++n) inside(tree[n].span.offset, tree[n].span.length);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::pair<Kind, std::string> around[] = {
        {Kind::hl7v2, "MSH|^~\\&|A|B|||20240502101500||ORU^R01|1|P|2.5.1\rOBX|1|ED|1||" + text + "\r"},
        {Kind::xml, "<a>" + text + "</a>"},
        {Kind::json, "{\"a\":\"" + text + "\"}"},
        {Kind::csv, "\"" + text + "\"\n"}};
    for (const auto& [outer, raw] : around)
        for (Within::Decode decode : {Within::Decode::none, Within::Decode::base64})
            for (Kind inner : {Kind::xml, Kind::json}) open(outer, raw, decode, inner);
    return 0;
}
