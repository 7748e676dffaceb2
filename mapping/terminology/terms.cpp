#include "mapping/terminology/terms.h"

#include <algorithm>

#include "mapping/engine/targets.h"

namespace porta::mapping {

using fhirpath::Coding;
using Answer = fhirpath::Terminology::Answer;
using Kind = fhirpath::Terminology::Kind;

namespace {

constexpr const char* kSchemas = "https://porta.example/schemas/entities/";

constexpr std::size_t kSteps = 10000;  ///< upwards from a code

bool sameLetters(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// `person.json#contacts/kind`: the schema of an entity and a field in it, without places in lists.
std::string fieldUrl(const std::string& entity, std::string path) {
    for (std::size_t at = path.find("/N"); at != std::string::npos; at = path.find("/N")) path.erase(at, 2);
    return kSchemas + entity + ".json#" + path;
}

}  // namespace

void Terms::Set::add(Member member) {
    for (std::size_t at : by_code[member.code])
        if (members[at].system == member.system) return;
    if (std::find(systems.begin(), systems.end(), member.system) == systems.end()) systems.push_back(member.system);
    by_code[member.code].push_back(members.size());
    members.push_back(std::move(member));
}

void Terms::add(Kind kind, Named named) {
    Tables& tables = tables_[static_cast<std::size_t>(kind)];
    for (const std::string& name : named.names) tables.by_name.emplace(name, static_cast<Id>(tables.all.size()));
    tables.all.push_back(std::move(named));
}

Terms Terms::made() {
    Terms terms;
    for (const std::string& name : Hierarchy::names()) {
        System system;
        system.hierarchy = Hierarchy::named(name);
        system.complete = system.hierarchy->complete();
        for (const Hierarchy::Title& t : system.hierarchy->titles()) {
            system.concepts.emplace(t.code, Concept{std::string(t.title)});
            system.order.emplace_back(t.code);
        }
        Named named{{name}, std::make_shared<System>(std::move(system))};
        for (std::string_view url : named.system->hierarchy->urls()) named.names.emplace_back(url);
        terms.add(Kind::code_system, std::move(named));
    }
    for (const auto& [entity, path] : valueSets()) {
        Set set;
        const std::string url = fieldUrl(entity, path);
        for (const std::string& code : valueSet(entity, path)) set.add({url, code, {}});
        terms.add(Kind::value_set, {{url}, nullptr, std::make_shared<Set>(std::move(set))});
    }
    return terms;
}

std::shared_ptr<Terms> Terms::builtIn() {
    static const Terms kTerms = made();
    return std::make_shared<Terms>(kTerms);
}

void Terms::addMap(std::vector<std::string> names, std::string source_system, std::size_t codes, Translate translate) {
    Named named{std::move(names)};
    named.map = std::make_shared<Map>(Map{std::move(source_system), codes, std::move(translate)});
    add(Kind::code_map, std::move(named));
}

std::vector<Terms::Listed> Terms::list() const {
    std::vector<Listed> out;
    for (Kind kind : {Kind::value_set, Kind::code_system, Kind::code_map})
        for (Id id = 0; id < of(kind).all.size(); ++id) {
            const Named& n = of(kind).all[id];
            Listed one{kind, n.names};
            std::vector<Coding> codes;
            if (n.set) one.all = expand(id, codes);
            if (n.system) one.all = n.system->complete;
            one.codes = n.set ? codes.size() : n.system ? n.system->order.size() : n.map->codes;
            out.push_back(std::move(one));
        }
    return out;
}

Terms::Id Terms::find(Kind kind, std::string_view url) const {
    const auto found = of(kind).by_name.find(url);
    return found == of(kind).by_name.end() ? kNone : found->second;
}

std::string_view Terms::url(Kind kind, Id id) const { return of(kind).all[id].names.front(); }

std::vector<std::string> Terms::urls(Kind kind) const {
    std::vector<std::string> out;
    for (const Named& n : of(kind).all) out.insert(out.end(), n.names.begin(), n.names.end());
    return out;
}

/// A system may have several names.
bool Terms::sameSystem(std::string_view a, std::string_view b) const {
    if (a == b) return true;
    const Id known = find(Kind::code_system, a);
    return known != kNone && find(Kind::code_system, b) == known;
}

bool Terms::folds(std::string_view system) const {
    const Id known = find(Kind::code_system, system);
    return known != kNone && of(Kind::code_system).all[known].system->folds;
}

bool Terms::mixed(Id value_set) const {
    const Set& set = *of(Kind::value_set).all[value_set].set;
    const std::string_view first = !set.systems.empty() ? std::string_view(set.systems[0])
                                   : !set.whole.empty() ? url(Kind::code_system, set.whole[0])
                                                        : std::string_view();
    auto other = [&](std::string_view system) { return !sameSystem(system, first); };
    return std::any_of(set.systems.begin(), set.systems.end(), other) ||
           std::any_of(set.whole.begin(), set.whole.end(), [&](Id id) { return other(url(Kind::code_system, id)); });
}

Answer Terms::member(Id id, const Coding& coding, std::string_view& display) const {
    const Set& set = *of(Kind::value_set).all[id].set;
    if (const auto found = set.by_code.find(coding.code); found != set.by_code.end())
        for (std::size_t at : found->second) {
            const Member& m = set.members[at];
            if (!coding.system.empty() && !sameSystem(m.system, coding.system)) continue;
            display = m.display;
            return Answer::yes;
        }
    for (const Member& m : set.members)
        if (sameLetters(m.code, coding.code) && folds(m.system) &&
            (coding.system.empty() || sameSystem(m.system, coding.system)))
            return display = m.display, Answer::yes;
    Answer answer = Answer::no;
    for (Id system : set.whole) {
        if (!coding.system.empty() && find(Kind::code_system, coding.system) != system) continue;
        const Answer here = holds(system, coding.code, display);
        if (here == Answer::yes) return here;
        if (here == Answer::unknown) answer = here;
    }
    return answer;
}

bool Terms::expand(Id id, std::vector<Coding>& out) const {
    const Set& set = *of(Kind::value_set).all[id].set;
    for (const Member& m : set.members) out.push_back({m.system, m.code, m.display});
    for (Id system : set.whole) {
        const System& s = *of(Kind::code_system).all[system].system;
        if (!s.complete) return false;
        for (const std::string& code : s.order)
            out.push_back({url(Kind::code_system, system), code, s.concepts.find(code)->second.display});
    }
    return true;
}

Answer Terms::holds(Id id, std::string_view code, std::string_view& display) const {
    const System& system = *of(Kind::code_system).all[id].system;
    if (const auto found = system.concepts.find(code); found != system.concepts.end()) {
        display = found->second.display;
        return Answer::yes;
    }
    if (system.folds)
        for (const std::string& known : system.order)
            if (sameLetters(known, code)) return display = system.concepts.find(known)->second.display, Answer::yes;
    if (system.complete || (system.hierarchy && !system.hierarchy->possible(code))) return Answer::no;
    return Answer::unknown;
}

std::vector<std::string> Terms::parents(Id id, std::string_view code) const {
    const System& system = *of(Kind::code_system).all[id].system;
    if (!system.hierarchy) {
        const auto found = system.concepts.find(code);
        return found == system.concepts.end() ? std::vector<std::string>() : found->second.parents;
    }
    std::string parent = system.hierarchy->parent(code);
    return parent.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(parent)};
}

/// Whether a way upwards leads there; `steps` counts down, since parents may meet again, or go round.
bool Terms::reaches(const System& system, std::string_view upper, std::string_view code, std::size_t& steps) const {
    const auto found = system.concepts.find(code);
    if (found == system.concepts.end()) return false;
    for (const std::string& parent : found->second.parents) {
        if (parent == upper) return true;
        if (steps == 0 || reaches(system, upper, parent, --steps)) return steps != 0;
    }
    return false;
}

Answer Terms::above(Id id, std::string_view upper, std::string_view code) const {
    const System& system = *of(Kind::code_system).all[id].system;
    if (!system.ranked) return Answer::unknown;
    if (system.hierarchy) {
        for (std::string at = system.hierarchy->parent(code); !at.empty(); at = system.hierarchy->parent(at))
            if (at == upper) return Answer::yes;
        return Answer::no;
    }
    std::size_t steps = kSteps;
    if (reaches(system, upper, code, steps)) return Answer::yes;
    return system.complete && steps > 0 ? Answer::no : Answer::unknown;
}

bool Terms::translate(Id id, const Coding& coding, std::string_view day, std::vector<Match>& out) const {
    const Map& map = *of(Kind::code_map).all[id].map;
    if (!coding.system.empty() && !map.source_system.empty() && !sameSystem(coding.system, map.source_system))
        return true;
    return map.translate(coding.code, day, out);
}

}  // namespace porta::mapping
