#include "pipeline/disclosure.h"

#include <algorithm>
#include <filesystem>

#include "base/date_time.h"
#include "base/yaml.h"

namespace porta::pipeline {

namespace {

Json listOf(const std::vector<std::string>& names) {
    Json a = Json::array();
    for (const std::string& n : names) a.push(n);
    return a;
}

}  // namespace

Result<void> limitToSources(policy::Purposes& purposes, const config::Settings& settings) {
    std::vector<std::vector<std::string>> lists(settings.sources.size());
    std::vector<policy::SourceLimit> limits;
    for (std::size_t i = 0; i < settings.sources.size(); ++i) {
        const auto& s = settings.sources[i];
        if (s.purposes)
            for (const auto& named : *s.purposes) {
                if (!purposes.purpose(named.id)) {
                    Yaml at;
                    at.line = named.line;
                    at.column = named.column;
                    return YamlChecks(settings.directory + "/" + s.file)
                        .unknown(at, "purpose", named.id, purposes.purposeNames());
                }
                lists[i].push_back(named.id);
            }
        limits.push_back({s.id, s.purposes ? &lists[i] : nullptr});
    }
    purposes.limitSources(limits);
    return {};
}

Result<policy::Purposes> loadPurposes(const config::Settings& settings) {
    const std::string path = settings.directory + "/purposes.yaml";
    if (!std::filesystem::exists(path)) return policy::Purposes{};
    auto purposes = policy::Purposes::load(path);
    if (!purposes) return purposes;
    if (auto limited = limitToSources(*purposes, settings); !limited) return limited.error();
    return purposes;
}

views::PurposeView viewOf(const policy::Purpose& purpose) {
    views::PurposeView view;
    view.id = purpose.id;
    view.all_sections = purpose.all_sections;
    view.all_sources = purpose.all_sources;
    view.sealed = purpose.sealed;
    view.sections.insert(purpose.sections.begin(), purpose.sections.end());
    view.sources.insert(purpose.sources.begin(), purpose.sources.end());
    for (const auto& [section, names] : purpose.fields) view.fields[section] = {names.begin(), names.end()};
    return view;
}

std::vector<views::SourceFacts> sourceFacts(const config::Settings& settings) {
    std::vector<views::SourceFacts> sources;
    for (const auto& s : settings.sources)
        sources.push_back({s.id, s.agency_name, s.domain, s.file, s.coverage_from, 0, s.promise_micros});
    return sources;
}

Json decisionEntry(std::int64_t now, const Asking& asking, const policy::Decision& decision,
                   const policy::Purpose& granted, const std::vector<views::SourceFacts>& sources) {
    Json entry = Json::object();
    entry["at"] = isoInstant(now);
    entry["actor"] = asking.actor;
    entry["role"] = asking.role;
    entry["purpose"] = asking.purpose;
    entry["legal_basis"] = granted.legal_basis;
    entry["case"] = asking.case_ref;
    entry["action"] = asking.action;
    entry["person"] = asking.person ? personText(asking.person) : "";
    entry["decision"] = decision.allowed ? "permitted" : "refused";
    entry["rule"] = decision.rule;
    if (!decision.allowed) return entry;
    entry["sections"] = granted.all_sections ? listOf({"all"}) : listOf(granted.sections);
    Json fields = Json::object();
    for (const auto& [section, names] : granted.fields) fields[section] = listOf(names);
    entry["fields"] = std::move(fields);
    entry["sources"] = Json::array();
    for (const auto& s : sources)
        if (granted.source(s.id)) entry["sources"].push(s.id);
    return entry;
}

void addPersons(Json& entry, std::vector<std::int64_t> persons, bool everybody) {
    std::sort(persons.begin(), persons.end());
    persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
    entry["persons"] = static_cast<std::int64_t>(persons.size());
    entry["whom"] = everybody ? "everybody" : personRanges(std::move(persons));
}

std::string personText(std::int64_t person) { return "p" + std::to_string(person); }

std::string personRanges(std::vector<std::int64_t> persons) {
    std::sort(persons.begin(), persons.end());
    std::string out;
    for (std::size_t i = 0; i < persons.size();) {
        std::size_t last = i;
        while (last + 1 < persons.size() && persons[last + 1] <= persons[last] + 1) ++last;
        if (!out.empty()) out += ',';
        out += personText(persons[i]);
        if (persons[last] != persons[i]) out += "-" + personText(persons[last]);
        i = last + 1;
    }
    return out;
}

}  // namespace porta::pipeline
