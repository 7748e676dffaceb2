#pragma once
/// What a mapping's goldens reach: every rule made something, every condition held once and failed once, every `each` found
/// something, every row of every table was taken, and the input's condition refused something. Private to mapping/engine.
#include <map>
#include <set>

#include "base/yaml.h"
#include "mapping/engine/compiled.h"
#include "mapping/engine/golden.h"

namespace porta::mapping {

/// Owner: the program outlives it.
class Coverage : public Probe {
public:
    explicit Coverage(const Program& program);
    void rule(std::uint32_t rule) override { rules_[rule] = true; }
    void row(const Row& row) override { rows_.insert(&row); }
    void evaluated(const fhirpath::Expression& e, formats::NodeId, bool found) override { note(e, found); }
    void decided(const fhirpath::Expression& e, formats::NodeId, bool holds) override { note(e, holds); }
    /// Sets `rules` and `unused`, with the places of `mapping`, the program's text.
    void report(const Yaml& mapping, GoldenReport& out) const;

private:
    enum : unsigned { kYes = 1, kNo = 2 };
    void note(const fhirpath::Expression& e, bool yes) { decisions_[&e] |= yes ? kYes : kNo; }
    void fields(const std::vector<FieldRule>& rules, const Yaml& at, const std::string& name, GoldenReport& out) const;
    void need(const std::optional<fhirpath::Expression>& e, unsigned answers, const Yaml& at, const std::string& name,
              GoldenReport& out) const;

    const Program& program_;
    std::vector<bool> rules_;
    std::map<const fhirpath::Expression*, unsigned> decisions_;
    std::set<const Row*> rows_;
};

}  // namespace porta::mapping
