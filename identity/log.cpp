#include "identity/log.h"

#include <algorithm>

namespace porta::identity {
namespace {

using Sets = std::vector<std::vector<std::string>>;

void canonicalise(Sets& sets, const std::set<std::string>& gone) {
    for (auto& set : sets) {
        std::erase_if(set, [&](const std::string& key) { return gone.contains(key); });
        std::sort(set.begin(), set.end());
        set.erase(std::unique(set.begin(), set.end()), set.end());
    }
    std::erase_if(sets, [](const auto& set) { return set.empty(); });
    std::sort(sets.begin(), sets.end());
}

Error misfit(const LogEntry& entry, const std::string& why) {
    return fail(Errc::internal,
                "identity log: " + std::string(name(entry.event)) + " of " + std::to_string(entry.person) + ": " + why,
                "identity.log");
}

}  // namespace

std::string_view name(LogEvent event) {
    switch (event) {
        case LogEvent::founded: return "founded";
        case LogEvent::joined: return "joined";
        case LogEvent::left: return "left";
        case LogEvent::merged: return "merged";
        case LogEvent::split: return "split";
        case LogEvent::revived: return "revived";
    }
    return "founded";
}

PersonId IdentityLog::personOf(const std::string& record) const {
    auto it = of_.find(record);
    return it == of_.end() ? 0 : it->second;
}

PersonId IdentityLog::resolve(PersonId id) const {
    for (auto it = persons_.find(id); it != persons_.end() && it->second.redirect != 0; it = persons_.find(id))
        id = it->second.redirect;
    return id;
}

bool IdentityLog::exists(PersonId id) const {
    auto it = persons_.find(id);
    return it != persons_.end() && !it->second.members.empty();
}

std::vector<LogEntry> IdentityLog::decide(Sets sets, const std::set<std::string>& gone, PersonId& next,
                                          const std::string& cause) const {
    canonicalise(sets, gone);
    std::vector<LogEntry> out;
    for (const std::string& key : gone)
        if (PersonId p = personOf(key)) out.push_back({LogEvent::left, p, 0, key, cause});

    // Which set inherits each living id: the one with its founding record, else the one with its earliest joined.
    std::map<PersonId, std::pair<std::uint64_t, std::size_t>> heir;  // id → (join order, 0 for the founder; set)
    std::map<PersonId, std::set<std::size_t>> parts;
    for (std::size_t s = 0; s < sets.size(); ++s)
        for (const std::string& key : sets[s])
            if (PersonId p = personOf(key)) {
                const Person& person = persons_.at(p);
                const std::uint64_t order = key == person.founder ? 0 : person.members.at(key);
                auto [it, fresh] = heir.try_emplace(p, order, s);
                if (!fresh) it->second = std::min(it->second, std::pair(order, s));
                parts[p].insert(s);
            }

    // The elder living id wins; without one, the elder sleeping or redirected id whose founding record is here wakes.
    // An id that lives on in a set not given here, its founding record having left it, is neither.
    auto livesElsewhere = [&](PersonId p) {
        const auto& members = persons_.at(p).members;
        return std::any_of(members.begin(), members.end(), [&](const auto& m) { return !gone.contains(m.first); });
    };
    std::vector<std::set<PersonId>> living(sets.size()), asleep(sets.size());
    for (const auto& [p, h] : heir) living[h.second].insert(p);
    for (std::size_t s = 0; s < sets.size(); ++s)
        for (const std::string& key : sets[s])
            if (auto it = founded_.find(key); it != founded_.end())
                for (PersonId p : it->second)
                    if (!heir.contains(p) && !livesElsewhere(p)) asleep[s].insert(p);

    std::vector<LogEntry> joins, merges;
    std::vector<PersonId> chosen(sets.size());
    for (std::size_t s = 0; s < sets.size(); ++s) {
        PersonId id = 0;
        std::string started;  // the record that founded or revived, and so needs no join
        LogEntry start;
        if (!living[s].empty()) {
            id = *living[s].begin();
#ifndef PORTA_CONTROL_UNMERGE_FORGETS
        } else if (!asleep[s].empty()) {
            id = *asleep[s].begin();
            started = persons_.at(id).founder;
            start = {LogEvent::revived, id, persons_.at(id).redirect, started, cause};
#endif
        } else {
            id = next++;
            started = sets[s].front();
            start = {LogEvent::founded, id, 0, started, cause};
        }
        for (const auto& [p, where] : parts)
            if (where.contains(s) && heir.at(p).second != s) out.push_back({LogEvent::split, p, id, {}, cause});
        if (!started.empty()) out.push_back(start);
        for (const std::string& key : sets[s])
            if (key != started && personOf(key) != id) joins.push_back({LogEvent::joined, id, 0, key, cause});
        chosen[s] = id;
    }
    // A redirect follows the founding record, so that an old id leads to where that record is now; else its records.
    std::map<std::string_view, PersonId> now;
    for (std::size_t s = 0; s < sets.size(); ++s)
        for (const std::string& key : sets[s]) now.emplace(key, chosen[s]);
    std::map<PersonId, PersonId> redirects;  // those that this decision changes: a woken id has none
    for (PersonId id : chosen) redirects[id] = 0;
    for (std::size_t s = 0; s < sets.size(); ++s)
        for (PersonId p : living[s]) {
            if (p == chosen[s]) continue;
            const std::string& founder = persons_.at(p).founder;
            const auto here = now.find(founder);
            PersonId target = here != now.end() ? here->second : gone.contains(founder) ? 0 : personOf(founder);
            if (target == 0) target = chosen[s];
            redirects[p] = target;
            merges.push_back({LogEvent::merged, p, target, {}, cause});
        }
    auto leadsTo = [&](PersonId id) {
        for (;;) {
            const auto changed = redirects.find(id);
            const PersonId to = changed != redirects.end() ? changed->second : persons_.at(id).redirect;
            if (to == 0) return id;
            id = to;
        }
    };
    // A redirect set here can move another that leads through it: until nothing changes (each is set at most once).
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t s = 0; s < sets.size(); ++s)
            for (PersonId p : asleep[s])
                if (p != chosen[s] && leadsTo(p) != chosen[s]) {
                    redirects[p] = chosen[s];
                    merges.push_back({LogEvent::merged, p, chosen[s], {}, cause});
                    changed = true;
                }
    }
    // Ids outside of what is decided here: those whose last record left now, and those that lead through one that changed.
    auto home = [&](const std::string& founder) -> PersonId {
        if (const auto here = now.find(founder); here != now.end()) return here->second;
        return gone.contains(founder) ? 0 : personOf(founder);
    };
    auto lead = [&](PersonId p) {
        const PersonId to = home(persons_.at(p).founder);
        if (to == 0 || to == p || leadsTo(p) == to) return;
        redirects[p] = to;
        merges.push_back({LogEvent::merged, p, to, {}, cause});
    };
    std::vector<PersonId> changed;
    for (const std::string& key : gone)
        if (PersonId p = personOf(key); p && !heir.contains(p) && !redirects.contains(p) && !livesElsewhere(p)) lead(p);
    for (const auto& [p, to] : redirects) changed.push_back(p);
    while (!changed.empty()) {
        auto through = followers_.find(changed.back());
        changed.pop_back();
        if (through == followers_.end()) continue;
        for (PersonId p : through->second) {
            if (redirects.contains(p)) continue;
            lead(p);
            changed.push_back(p);
        }
    }
    out.insert(out.end(), joins.begin(), joins.end());
    out.insert(out.end(), merges.begin(), merges.end());
    return out;
}

Result<void> IdentityLog::apply(const LogEntry& entry) {
    auto at = persons_.find(entry.person);
    const bool known = at != persons_.end();
    auto enter = [&](Person& person) {
        if (PersonId before = personOf(entry.record)) persons_.at(before).members.erase(entry.record);
        person.members[entry.record] = clock_ + 1;
        of_[entry.record] = entry.person;
    };
    auto follow = [&](PersonId& redirect, PersonId to) {
        if (redirect) followers_[redirect].erase(entry.person);
        if (to) followers_[to].insert(entry.person);
        redirect = to;
    };
    switch (entry.event) {
        case LogEvent::founded: {
            if (known || entry.person <= 0) return misfit(entry, "the id is taken");
            if (entry.record.empty()) return misfit(entry, "no record");
            Person& person = persons_[entry.person];
            person.founder = entry.record;
            founded_[entry.record].insert(entry.person);
            enter(person);
            break;
        }
        case LogEvent::revived:
            if (!known || !at->second.members.empty()) return misfit(entry, "the id is not asleep");
            if (entry.record != at->second.founder) return misfit(entry, "not its founding record");
            follow(at->second.redirect, 0);
            enter(at->second);
            break;
        case LogEvent::joined:
            if (!known || at->second.redirect != 0 || at->second.members.empty())
                return misfit(entry, "the person does not exist");
            if (entry.record.empty()) return misfit(entry, "no record");
            enter(at->second);
            break;
        case LogEvent::left:
            if (!known || personOf(entry.record) != entry.person) return misfit(entry, "the record is not there");
            at->second.members.erase(entry.record);
            of_.erase(entry.record);
            break;
        case LogEvent::merged:
            if (!known || !at->second.members.empty()) return misfit(entry, "the id still has records");
            if (entry.other == entry.person || !exists(entry.other)) return misfit(entry, "no survivor");
            follow(at->second.redirect, entry.other);
            break;
        case LogEvent::split:
            if (!known || entry.other == entry.person) return misfit(entry, "nothing to split");
            break;
    }
    ++clock_;
    return {};
}

}  // namespace porta::identity
