#include "mapping/engine/stand_ins.h"

#include "mapping/engine/compiled.h"
#include "mapping/engine/reuse.h"

namespace porta::mapping {

namespace {

class Seen : public Probe {
public:
    std::vector<StandIn> found;

    void translated(const Table& table, const Choice& choice, std::string_view code) override {
        const bool otherwise = table.otherwise && choice.row == &*table.otherwise;
        if (choice.row && !choice.of_group && !otherwise) return;
        found.push_back({table.name, std::string(code), !choice.row ? "kept" : otherwise ? "otherwise" : "group"});
    }
    void untranslated(const Table& table, std::string_view code) override {
        found.push_back({table.name, std::string(code), "left out"});
    }
};

}  // namespace

std::vector<StandIn> standIns(const std::vector<std::shared_ptr<const Program>>& programs,
                              const formats::Settings& format, const Input& input, formats::NodeTree& tree) {
    Seen seen;
    Watching watching(seen);
    Outcome out;
    mapInto(programs, format, input, tree, out);
    if (out.state != State::published) return {};
    return std::move(seen.found);
}

}  // namespace porta::mapping
