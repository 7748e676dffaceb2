#include "mapping/engine/coverage.h"

namespace porta::mapping {

Coverage::Coverage(const Program& program) : program_(program), rules_(program.rules().size()) {}

void Coverage::need(const std::optional<fhirpath::Expression>& e, unsigned answers, const Yaml& at,
                    const std::string& name, GoldenReport& out) const {
    if (!e) return;
    auto found = decisions_.find(&*e);
    const unsigned seen = found == decisions_.end() ? 0 : found->second;
    for (unsigned answer : {kYes, kNo}) {
        if (!(answers & answer)) continue;
        ++out.rules;
        if (seen & answer) continue;
        const char* what = answers == kYes ? " (finds nothing)" : answer == kYes ? " (never holds)" : " (never fails)";
        out.unused.push_back({program_.rules().front().file, at.line, name + what, {}});
    }
}

void Coverage::fields(const std::vector<FieldRule>& rules, const Yaml& at, const std::string& name,
                      GoldenReport& out) const {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const FieldRule& f = rules[i];
        // An item of a list stands under a number, the only one perhaps alone.
        const Yaml* mine = !f.name.empty() ? at.find(f.name) : at.kind == Yaml::Kind::sequence ? &at.items[i] : &at;
        if (mine == nullptr) mine = &at;
        const std::string below = !f.name.empty()                   ? name + "." + f.name
                                  : at.kind == Yaml::Kind::sequence ? name + "[" + std::to_string(i) + "]"
                                                                    : name;
        auto place = [&](std::string_view key) -> const Yaml& { return mine->find(key) ? *mine->find(key) : *mine; };
        need(f.each, kYes, place("each"), below + ".each", out);
        need(f.when, kYes | kNo, place("when"), below + ".when", out);
        fields(f.fields, *mine, below, out);
    }
}

void Coverage::report(const Yaml& mapping, GoldenReport& out) const {
    const Program::Impl& program = program_.impl();
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        ++out.rules;
        if (!rules_[i]) out.unused.push_back(program.rules[i]);
    }
    const Yaml nothing;
    const Yaml* input = mapping.find("input");
    const Yaml* when = input ? input->find("when") : nullptr;
    need(program.when, kYes | kNo, when ? *when : nothing, "input.when", out);
    const Yaml* emits = mapping.find("emit");
    for (std::size_t i = 0; i < program.emits.size(); ++i) {
        const EmitRule& e = program.emits[i];
        const Yaml& y = emits->items[i];
        auto place = [&](std::string_view key) -> const Yaml& { return y.find(key) ? *y.find(key) : y; };
        need(e.each, kYes, place("each"), e.name + ".each", out);
        need(e.when, kYes | kNo, place("when"), e.name + ".when", out);
        fields(e.fields, place("fields"), e.name + ".fields", out);
    }
    for (const auto& [of, table] : program.tables) {
        const std::string& name = of;
        auto row = [&](const Row& r, const std::string& key) {
            ++out.rules;
            if (rows_.count(&r) == 0)
                out.unused.push_back({program.rules.front().file, r.line, "tables." + name + "." + key, {}});
        };
        for (const auto& [key, r] : table.rows) row(r, key);
        for (const auto& [key, all] : table.several)
            for (const Row& r : all) row(r, key);
        if (table.otherwise) row(*table.otherwise, "otherwise");
    }
}

}  // namespace porta::mapping
