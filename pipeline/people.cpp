#include "pipeline/people.h"

#include <algorithm>

#include "pipeline/features.h"
#include "pipeline/store.h"

namespace porta::pipeline {

using schemas::Op;
using schemas::Operation;
using schemas::StoredOperation;

namespace {

void insertOnce(std::vector<People::Ref>& refs, People::Ref ref) {
    if (std::find(refs.begin(), refs.end(), ref) == refs.end()) refs.push_back(ref);
}

Operation decoded(const std::string& bytes) {
    auto operations = schemas::decode(bytes);
    if (!operations) throw Failure{operations.error()};
    return std::move(operations->at(0));
}

}  // namespace

People::Ref People::known(const std::string& key) const {
    auto it = refs_.find(key);
    return it == refs_.end() ? kNone : it->second;
}

People::Ref People::refOf(const std::string& key) {
    if (Ref ref = known(key); ref != kNone) return ref;
    Ref ref = static_cast<Ref>(records_.size());
    records_.emplace_back().key = key;
    refs_.emplace(records_.back().key, ref);
    return ref;
}

void People::touch(Ref ref) {
    if (records_[ref].touched) return;
    records_[ref].touched = true;
    touched_.push_back(ref);
}

void People::touchAll() {
    for (Ref ref = 0; ref < records_.size(); ++ref) touch(ref);
}

/// Whether an operation is greater than all others of its live record and says again what the greatest of them says: then
/// the fold of the record gives what it gave. Keeps `greatest`.
bool People::repeats(Record& record, const Operation& op, const std::string& leaves) const {
    const bool data = op.op == Op::upsert || op.op == Op::patch;
    if (!data || (!record.operations.empty() && !record.greatest)) {
        record.greatest.reset();
        return false;
    }
    if (!record.greatest) {
        record.greatest = {op.version, op.op, 0};
        return false;
    }
    Record::Greatest& g = *record.greatest;
    auto order = op.version <=> g.version;
    if (order == 0) order = schemas::rank(op.op) <=> schemas::rank(g.op);
    if (order < 0) return false;
    if (order == 0) {
        record.greatest.reset();
        return false;
    }
    const bool same =
        record.survivor != kNone && record.paired.empty() && g.op == op.op && *record.operations[g.at].leaves == leaves;
    g = {op.version, op.op, record.operations.size()};
    return same;
}

void People::add(const Operation& op, std::int64_t raw, std::int64_t object, int generation) {
    Ref ref = refOf(op.key.text());
    Record& r = records_[ref];
    Operation head = forIdentity(op), body;
    body.leaves = std::move(head.leaves);
    head.leaves.clear();
    std::string leaves = schemas::encode({std::move(body)});
    const std::size_t before = r.greatest ? r.greatest->at : 0;
    const bool repeated = repeats(r, op, leaves);
    r.operations.push_back(
        {raw, object, generation, schemas::encode({std::move(head)}),
         repeated ? r.operations[before].leaves : std::make_shared<const std::string>(std::move(leaves))});
    if (repeated) {
        repeated_.push_back(ref);
        return;
    }
    touch(ref);
    if (op.op != Op::merge && op.op != Op::unmerge) return;
    Ref other = refOf(schemas::RecordKey{op.key.source, op.key.entity, op.into}.text());
    insertOnce(records_[ref].paired, other);
    insertOnce(records_[other].paired, ref);
    touch(other);
}

void People::forget(const std::string& key, std::int64_t raw) {
    Ref ref = known(key);
    if (ref == kNone) return;
    records_[ref].greatest.reset();
    std::erase_if(records_[ref].operations, [&](const Stored& s) { return s.raw == raw; });
    touch(ref);
}

void People::decide(Verdicts verdicts) {
    auto connect = [&](const Verdicts& some, const Verdicts& others, bool add) {
        for (const auto& [pair, verdict] : some) {
            auto other = others.find(pair);
            if (other != others.end() && other->second == verdict) continue;
            Ref a = refOf(pair.first), b = refOf(pair.second);
            if (add) {
                insertOnce(records_[a].decided, b);
                insertOnce(records_[b].decided, a);
            } else if (other == others.end()) {
                std::erase(records_[a].decided, b);
                std::erase(records_[b].decided, a);
            }
            for (Ref ref : {a, b}) {
                touch(ref);
                forced_.insert(ref);
            }
        }
    };
    connect(verdicts_, verdicts, false);
    connect(verdicts, verdicts_, true);
    verdicts_ = std::move(verdicts);
}

bool People::isLive(const std::string& key) const {
    Ref ref = known(key);
    return ref != kNone && records_[ref].survivor != kNone;
}

void People::eachLive(const std::function<void(const std::string&)>& live) const {
    for (const Record& r : records_)
        if (r.survivor != kNone) live(r.key);
}

Result<void> People::restore(const identity::LogEntry& entry) {
    next_person_ = std::max(next_person_, std::max(entry.person, entry.other) + 1);
    return log_.apply(entry);
}

void People::enter(Ref survivor, Class c) {
    for (Ref m : c.members) records_[m].survivor = survivor;
    for (const std::string& t : identity::tokens(c.features)) by_token_[t].push_back(survivor);
    classes_[survivor] = std::move(c);
}

void People::leave(Ref survivor) {
    auto it = classes_.find(survivor);
    for (Ref m : it->second.members) records_[m].survivor = kNone;
    for (const std::string& t : identity::tokens(it->second.features)) {
        auto at = by_token_.find(t);
        std::erase(at->second, survivor);
        if (at->second.empty()) by_token_.erase(at);
    }
    classes_.erase(it);
}

/// Everything that can be one person with these classes, or was until now: by a token, a verdict, or the identity log.
std::vector<People::Ref> People::component(std::set<Ref> from) {
    std::vector<Ref> all, next(from.begin(), from.end());
    std::set<Ref> seen = std::move(from);
    std::set<std::string> seen_tokens;
    auto reach = [&](Ref survivor) {
        if (survivor != kNone && seen.insert(survivor).second) next.push_back(survivor);
    };
    while (!next.empty()) {
        Ref s = next.back();
        next.pop_back();
        all.push_back(s);
        const Class& c = classes_.at(s);
        for (const std::string& t : identity::tokens(c.features)) {
            const std::vector<Ref>& sharing = by_token_.at(t);
            if (sharing.size() > 1 && seen_tokens.insert(t).second)
                for (Ref other : sharing) reach(other);
        }
        for (Ref m : c.members) {
            for (Ref other : records_[m].decided) reach(records_[other].survivor);
            auto person = log_.persons().find(log_.personOf(records_[m].key));
            if (person == log_.persons().end() || person->second.members.size() < 2) continue;
            for (const auto& [mate, joined] : person->second.members)
                if (Ref ref = known(mate); ref != kNone) reach(records_[ref].survivor);
        }
    }
    return all;
}

std::vector<identity::Decision> People::decisionsAmong(const std::vector<Ref>& survivors) const {
    std::vector<identity::Decision> decisions;
    std::set<Ref> inside(survivors.begin(), survivors.end());
    for (Ref survivor : survivors)
        for (Ref member : classes_.at(survivor).members)
            for (Ref with : records_[member].decided) {
                Ref other = records_[with].survivor;
                if (other == kNone || other == survivor || !inside.count(other)) continue;
                std::pair<std::string, std::string> pair{records_[member].key, records_[with].key};
                if (pair.second < pair.first) continue;  // the other side gives it
                identity::Decision d{records_[survivor].key, records_[other].key, verdicts_.at(pair)};
                if (d.b < d.a) std::swap(d.a, d.b);
                decisions.push_back(std::move(d));
            }
    return decisions;
}

/// These records are one living person, and nobody else is: there is nothing to decide.
bool People::isWhole(const std::vector<std::string>& set) const {
    identity::PersonId person = log_.personOf(set.front());
    if (!person || log_.persons().at(person).members.size() != set.size()) return false;
    return std::all_of(set.begin(), set.end(), [&](const std::string& key) { return log_.personOf(key) == person; });
}

People::Change People::settle(const schemas::SnapshotScopes& scopes) {
    Change change;
    // 1. Alias classes of what was touched, folded anew.
    for (std::size_t i = 0; i < touched_.size(); ++i)
        for (Ref other : records_[touched_[i]].paired) touch(other);
    std::vector<StoredOperation> operations;
    std::set<Ref> before;
    for (Ref ref : touched_) {
        Record& r = records_[ref];
        r.touched = false;
        for (const Stored& s : r.operations) {
            operations.push_back({decoded(s.operation), s.raw, s.object, s.generation});
            operations.back().op.leaves = decoded(*s.leaves).leaves;
        }
        if (r.survivor != kNone) before.insert(r.survivor);
        change.touched.push_back(r.key);
    }
    std::set<Ref> changed;
    std::vector<std::pair<Ref, Class>> fresh;
    for (const schemas::FoldedRecord& record : schemas::fold(operations, scopes)) {
        if (!record.live || record.key.entity != "person") continue;
        Ref survivor = refOf(record.key.text());
        Class c;
        c.fingerprint = fingerprint(record);
        if (auto old = classes_.find(survivor); old != classes_.end() && old->second.fingerprint == c.fingerprint) {
            before.erase(survivor);
            continue;
        }
        c.features = featuresOf(record);
        for (const schemas::RecordKey& m : record.members) c.members.push_back(refOf(m.text()));
        change.find_tokens[records_[survivor].key] = findTokens(record);
        changed.insert(survivor);
        fresh.emplace_back(survivor, std::move(c));
    }

    // 2. Who could be one person with what left, by the tokens and persons of before.
    std::set<std::string> gone;
    std::set<Ref> neighbours;
    for (Ref survivor : before) {
        const Class& c = classes_.at(survivor);
        for (const std::string& t : identity::tokens(c.features))
            neighbours.insert(by_token_.at(t).begin(), by_token_.at(t).end());
        for (Ref m : c.members) {
            gone.insert(records_[m].key);
            auto person = log_.persons().find(log_.personOf(records_[m].key));
            if (person == log_.persons().end()) continue;
            for (const auto& [mate, joined] : person->second.members)
                if (Ref ref = known(mate); ref != kNone && records_[ref].survivor != kNone)
                    neighbours.insert(records_[ref].survivor);
        }
        change.find_tokens[records_[survivor].key];
    }
    for (Ref survivor : before) leave(survivor);
    for (auto& [survivor, c] : fresh) {
        for (Ref m : c.members) gone.erase(records_[m].key);
        enter(survivor, std::move(c));
    }
    for (Ref ref : forced_) neighbours.insert(records_[ref].survivor);
    for (Ref survivor : neighbours)
        if (classes_.count(survivor)) changed.insert(survivor);
    for (Ref ref : repeated_) change.touched.push_back(records_[ref].key);
    touched_.clear();
    repeated_.clear();
    forced_.clear();

    // 3. Their components are computed as a whole; what was decided goes to the identity log: ids are recorded facts.
    std::vector<Ref> whole = component(std::move(changed));
    std::vector<identity::Features> features;
    for (Ref s : whole) features.push_back(classes_.at(s).features);
    std::vector<std::vector<std::string>> sets = identity::partition(features, decisionsAmong(whole));
    for (auto& set : sets) {
        std::vector<std::string> members;
        for (const std::string& s : set)
            for (Ref m : classes_.at(known(s)).members) members.push_back(records_[m].key);
        std::sort(members.begin(), members.end());
        set = std::move(members);
    }
    std::erase_if(sets, [&](const auto& set) { return isWhole(set); });
    change.entries = log_.decide(std::move(sets), gone, next_person_, "resolve");
    for (const identity::LogEntry& e : change.entries) {
        if (!e.record.empty()) change.before.try_emplace(e.record, log_.personOf(e.record));
        if (auto r = log_.apply(e); !r) throw Failure{r.error()};
    }
    return change;
}

}  // namespace porta::pipeline
