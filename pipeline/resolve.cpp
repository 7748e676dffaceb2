#include "pipeline/resolve.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "identity/national_id.h"
#include "pipeline/connect.h"

namespace porta::pipeline {

using schemas::Op;
using schemas::Operation;
using schemas::StoredOperation;

namespace {

/// Identity needs the values, not where they stand.
Operation withoutSpans(const Operation& op) {
    Operation o = op;
    std::vector<schemas::Leaf> kept;
    for (schemas::Leaf& leaf : o.leaves) {
        std::string_view field = std::string_view(leaf.path).substr(0, leaf.path.find('/'));
        if (field != "identifiers" && field != "names" && field != "birth_date" && field != "sex") continue;
        leaf.sources.clear();
        kept.push_back(std::move(leaf));
    }
    o.leaves = std::move(kept);
    return o;
}

const std::string* leafValue(const Operation& op, std::string_view path) {
    for (const schemas::Leaf& leaf : op.leaves)
        if (leaf.path == path && leaf.kind != schemas::LeafKind::null) return &leaf.value;
    return nullptr;
}

/// Value of a field's leaf below the operation that sets it.
std::string fieldText(const schemas::FoldedRecord& record, const std::string& field) {
    auto it = record.fields.find(field);
    const std::string* v = it == record.fields.end() ? nullptr : leafValue(it->second.setter->op, field);
    return v ? *v : "";
}

identity::Features featuresOf(const schemas::FoldedRecord& record) {
    identity::Features f;
    f.key = record.key.text();
    std::string sex = fieldText(record, "sex");
    auto birth = record.fields.find("birth_date");
    if (birth != record.fields.end()) {
        auto add = [&](const Operation& op) {
            const std::string* v = leafValue(op, "birth_date");
            if (v && v->size() == 10 &&
                std::find(f.birth_dates.begin(), f.birth_dates.end(), *v) == f.birth_dates.end())
                f.birth_dates.push_back(*v);
        };
        add(birth->second.setter->op);
        for (const auto& rival : birth->second.rivals)
            if (rival.setter) add(rival.setter->op);
        std::sort(f.birth_dates.begin(), f.birth_dates.end());
    }
    std::string birth_date = fieldText(record, "birth_date");
    auto ids = record.fields.find("identifiers");
    if (ids != record.fields.end()) {
        const Operation& op = ids->second.setter->op;
        for (std::size_t i = 0;; ++i) {
            std::string at = "identifiers/" + std::to_string(i) + "/";
            const std::string* value = leafValue(op, at + "value");
            if (!value) break;
            const std::string* type = leafValue(op, at + "type");
            if (!type || *type == "local") continue;
            identity::IdCheck check = identity::checkId(*type, *value, birth_date, sex);
            if (check.state == identity::IdState::valid) f.identifiers.push_back(*type + ":" + check.normalised);
        }
        std::sort(f.identifiers.begin(), f.identifiers.end());
        f.identifiers.erase(std::unique(f.identifiers.begin(), f.identifiers.end()), f.identifiers.end());
    }
    auto names = record.fields.find("names");
    if (names != record.fields.end()) {
        const Operation& op = names->second.setter->op;
        if (const std::string* family = leafValue(op, "names/0/family")) f.family = identity::foldName(*family);
        std::string given;
        for (std::size_t i = 0;; ++i) {
            const std::string* g = leafValue(op, "names/0/given/" + std::to_string(i));
            if (!g) break;
            given += *g + " ";
        }
        f.given = identity::foldName(given);
    }
    return f;
}

/// What `person find` looks for: names, birth dates and identifiers as the record states them.
std::set<std::string> findTokens(const schemas::FoldedRecord& record) {
    std::set<std::string> tokens;
    if (std::string birth = fieldText(record, "birth_date"); !birth.empty()) tokens.insert(birthToken(birth));
    auto each = [&](const char* field, auto&& take) {
        auto it = record.fields.find(field);
        if (it == record.fields.end()) return;
        const Operation& op = it->second.setter->op;
        std::set<std::string> items;
        for (const schemas::Leaf& leaf : op.leaves)
            if (leaf.path.rfind(std::string(field) + "/", 0) == 0)
                items.insert(leaf.path.substr(0, leaf.path.find('/', std::strlen(field) + 1)));
        for (const std::string& item : items) take(op, item);
    };
    each("names", [&](const Operation& op, const std::string& at) {
        std::string given;
        for (std::size_t i = 0; const std::string* g = leafValue(op, at + "/given/" + std::to_string(i)); ++i)
            given += *g + " ";
        for (const char* part : {"/family", "/birth_family"})
            if (const std::string* family = leafValue(op, at + part))
                for (const std::string& form : {*family, given + *family, *family + " " + given})
                    tokens.insert(nameToken(form));
    });
    each("identifiers", [&](const Operation& op, const std::string& at) {
        const std::string *type = leafValue(op, at + "/type"), *value = leafValue(op, at + "/value");
        if (type && value) tokens.insert(idToken(*type + ":" + *value));
    });
    return tokens;
}

std::string pairedKey(const Operation& op) { return schemas::RecordKey{op.key.source, op.key.entity, op.into}.text(); }

}  // namespace

Resolver::Resolver(Store& store, Keys& keys, std::map<std::string, double> delete_shares, bool outbox)
    : store_(store),
      keys_(keys),
      delete_shares_(std::move(delete_shares)),
      outbox_(outbox),
      hash_(indexHash(keys)),
      objects_(store, keys) {
    for (const auto& [source, share] : delete_shares_) scopes_[source];
}

void Resolver::take(const RecordMessage& record, Keyset& touched) {
    for (const Operation& op : record.operations) {
        std::string key = op.key.text();
        if (scopes_.count(op.key.source)) present_[record.object].keys.insert(key);
        if (op.key.entity == "human_fact") {
            facts_.push_back({op, record.raw, record.object, record.generation});
            facts_changed_ = true;
            const std::string *kind = leafValue(op, "kind"), *a = leafValue(op, "a"), *b = leafValue(op, "b");
            if (kind && *kind == "confirm") {
                if (const std::string* object = leafValue(op, "object")) confirmed_.insert(*object);
            } else if (kind && a && b) {
                touched.insert(*a);
                touched.insert(*b);
            }
            continue;
        }
        if (outbox_ && op.key.entity != "person") {
            std::vector<std::int64_t>& known = subjects_[hash_(key)];
            for (const schemas::RecordKey& subject : op.subjects)
                if (std::int64_t h = hash_(subject.text()); std::find(known.begin(), known.end(), h) == known.end())
                    known.push_back(h);
        }
        if (op.key.entity != "person" || op.op == Op::presence) continue;
        if (outbox_) person_keys_[hash_(key)] = key;
        persons_[key].push_back({withoutSpans(op), record.raw, record.object, record.generation});
        touched.insert(key);
        if (op.op == Op::merge || op.op == Op::unmerge) {
            std::string other = pairedKey(op);
            merged_[key].insert(other);
            merged_[other].insert(key);
            touched.insert(other);
        }
    }
    if (record.key_unreadable) present_[record.object].unreadable.insert(record.raw);
}

/// What a raw record said before it was mapped again no longer counts.
void Resolver::forget(std::int64_t raw, Keyset& touched, EntityCounts& counts) {
    RecordMessage old;
    store_.query("SELECT object, generation, box FROM operation WHERE raw = ?1", {raw}, [&](const Row& r) {
        old.object = r.integer(0);
        old.generation = static_cast<int>(r.integer(1));
        old.box = r.bytes(2);
    });
    if (auto present = present_.find(old.object); present != present_.end()) present->second.unreadable.erase(raw);
    auto operations = openOperations(keys_, raw, old.generation, old.box);
    if (!operations) throw Failure{operations.error()};
    for (const Operation& op : *operations) {
        if (op.op != Op::presence) --counts[{op.key.source, op.key.entity}];
        auto it = persons_.find(op.key.text());
        if (it == persons_.end()) continue;
        touched.insert(it->first);
        std::erase_if(it->second, [&](const StoredOperation& s) { return s.raw == raw; });
    }
    facts_changed_ |= std::erase_if(facts_, [&](const StoredOperation& s) { return s.raw == raw; }) > 0;
}

/// Leaves the records that are news; counts, for each object named, those that had no outcome here before.
std::map<std::int64_t, std::int64_t> Resolver::keepNews(std::vector<RecordMessage>& batch) {
    constexpr std::size_t kStep = 100;
    static const std::string sql = [] {
        std::string text = "SELECT raw, attempts FROM operation WHERE raw IN (?1";
        for (std::size_t i = 2; i <= kStep; ++i) text += ", ?" + std::to_string(i);
        return text + ")";
    }();
    std::unordered_map<std::int64_t, std::int64_t> known;
    for (std::size_t from = 0; from < batch.size(); from += kStep) {
        std::vector<Value> raws(kStep);
        for (std::size_t i = 0; i < kStep; ++i) raws[i] = batch[std::min(from + i, batch.size() - 1)].raw;
        store_.query(sql, raws, [&](const Row& r) { known[r.integer(0)] = r.integer(1); });
    }
    std::map<std::int64_t, std::int64_t> done;
    std::erase_if(batch, [&](const RecordMessage& record) {
        std::int64_t& count = done[record.object];
        if (!record.raw) return false;
        std::int64_t& attempts = known[record.raw];
        if (attempts >= record.attempts) return true;
        if (!attempts) ++count;
        attempts = record.attempts;
        return false;
    });
    return done;
}

void Resolver::writeRecord(const RecordMessage& record) {
    store_.run(
        "INSERT INTO operation(raw, object, generation, attempts, unreadable, box) VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON "
        "CONFLICT(raw) DO UPDATE SET generation = excluded.generation, attempts = excluded.attempts, unreadable = "
        "excluded.unreadable, box = excluded.box",
        {record.raw, record.object, std::int64_t{record.generation}, record.attempts,
         std::int64_t{record.key_unreadable}, Blob{record.box}});
    std::set<std::int64_t> hashes;
    for (const Operation& op : record.operations) {
        hashes.insert(hash_(op.key.text()));
        if (!op.into.empty()) hashes.insert(hash_(pairedKey(op)));
        for (const schemas::RecordKey& s : op.subjects) hashes.insert(hash_(s.text()));
    }
    for (std::int64_t h : hashes)
        store_.run("INSERT INTO link(hash, raw) VALUES(?1, ?2) ON CONFLICT DO NOTHING", {h, record.raw});
}

/// An object of a full feed whose raw records all have an outcome.
void Resolver::addSnapshot(std::int64_t no) {
    const KnownObject& object = objects_.at(no);
    schemas::Snapshot s;
    s.instant = object.row.instant;
    s.version_text = object.meta.object_time;
    s.object_digest = object.meta.sha256;
    s.object = no;
    s.max_delete_share = delete_shares_.at(object.row.source);
    const Present& present = present_[no];
    s.complete = present.unreadable.empty();
    s.keys.assign(present.keys.begin(), present.keys.end());
    scopes_[object.row.source].snapshots.push_back(std::move(s));
}

/// Computes what is accepted; the keys of persons whose deletion changed.
Resolver::Keyset Resolver::settleSnapshots(const std::string& source) {
    schemas::SnapshotScope& scope = scopes_[source];
    Keyset changed;
    std::string from = source + "|person|";
    std::map<std::string, std::int64_t> before;
    auto deleted = [&](const std::string& key) {
        int at = scope.accepted.size() == scope.snapshots.size() ? scope.deletedBy(key) : -1;
        return at < 0 ? 0 : scope.snapshots[static_cast<std::size_t>(at)].object;
    };
    Keyset keys;
    for (const auto& s : scope.snapshots)
        for (auto it = std::lower_bound(s.keys.begin(), s.keys.end(), from);
             it != s.keys.end() && it->rfind(from, 0) == 0; ++it)
            keys.insert(*it);
    for (schemas::Snapshot& s : scope.snapshots) s.confirmed = confirmed_.count(s.object_digest) > 0;
    scope.settle();
    for (const std::string& key : keys) {
        // What the key was before is held in the class table: a live class that is now deleted, or the other way round.
        bool was_live = survivor_.count(key) > 0, is_deleted = deleted(key) != 0;
        if (was_live == is_deleted) changed.insert(key);
    }
    return changed;
}

void Resolver::writeSnapshots(const std::string& source) {
    const schemas::SnapshotScope& scope = scopes_[source];
    for (std::size_t i = 0; i < scope.snapshots.size(); ++i)
        store_.run(
            "INSERT INTO snapshot(object, source, place, accepted) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(object) DO "
            "UPDATE SET place = excluded.place, accepted = excluded.accepted",
            {scope.snapshots[i].object, source, static_cast<std::int64_t>(i), std::int64_t{scope.accepted[i]}});
}

void Resolver::apply(std::vector<RecordMessage> batch, std::int64_t now) {
    if (batch.empty()) return;
    Keyset touched;
    dirty_.clear();
    std::map<std::string, std::int64_t> newest;
    EntityCounts counts;
    const std::map<std::int64_t, std::int64_t> done = keepNews(batch);
    bool replayed = false;
    std::size_t confirmed = confirmed_.size();
    for (const RecordMessage& record : batch) {
        if (record.attempts > 1) {
            forget(record.raw, touched, counts);
            replayed = true;
        }
        if (record.raw) writeRecord(record);
        take(record, touched);
        std::int64_t& time = newest[objects_.at(record.object).row.source];
        for (const Operation& op : record.operations) {
            if (op.version.order == schemas::Order::instant && !op.version.parts.empty())
                time = std::max(time, op.version.parts[0]);
            if (op.op != Op::presence) ++counts[{op.key.source, op.key.entity}];
        }
    }
    for (const auto& [of, n] : counts)
        store_.run(
            "INSERT INTO entity_count(source, entity, n) VALUES(?1, ?2, ?3) ON CONFLICT(source, entity) DO UPDATE SET "
            "n = "
            "entity_count.n + excluded.n",
            {of.first, of.second, n});
    std::set<std::string> completed;  // sources whose snapshots are evaluated again
    if (confirmed_.size() != confirmed)
        for (const auto& [source, scope] : scopes_) completed.insert(source);
    for (const auto& [no, count] : done) {
        ObjectRow row = objects_.at(no).row;
        store_.run("UPDATE object SET done = done + ?1 WHERE no = ?2", {count, no});
        store_.query("SELECT n - done, state FROM object WHERE no = ?1", {no}, [&](const Row& r) {
            bool open = static_cast<ObjectState>(r.integer(1)) == ObjectState::open;
            row.state = open && r.integer(0) == 0 ? ObjectState::closed : ObjectState::open;
        });
        if (row.has_instant) newest[row.source] = std::max(newest[row.source], row.instant);
        if (row.state != ObjectState::closed) continue;
        store_.run("UPDATE object SET state = 1 WHERE no = ?1", {no});
        if (!delete_shares_.count(row.source)) continue;
        addSnapshot(no);
        completed.insert(row.source);
    }
    if (replayed) settleAll(touched);
    for (const std::string& source : completed) {
        touched.merge(settleSnapshots(source));
        writeSnapshots(source);
    }
    for (const auto& [source, time] : newest)
        store_.run(
            "INSERT INTO source_time(source, newest) VALUES(?1, ?2) ON CONFLICT(source) DO UPDATE SET newest = "
            "excluded.newest WHERE excluded.newest > source_time.newest",
            {source, time});
    resolvePersons(touched, now, true);
    if (!outbox_) return;
    auto changed = [&](const std::string& key) {
        if (identity::PersonId person = log_.personOf(key)) dirty_.insert(person);
    };
    for (const std::string& key : touched) changed(key);
    markSubjects(batch);
    // A snapshot may delete records of anybody whom its source knows.
    for (const auto& [key, survivor] : survivor_)
        if (completed.count(key.substr(0, key.find('|'))) || replayed) changed(key);
    writeDirty();
}

/// Everybody whom a changed record names now or ever named: a delete names nobody, and a correction may name another.
void Resolver::markSubjects(const std::vector<RecordMessage>& batch) {
    std::set<std::int64_t> hashes;
    for (const RecordMessage& record : batch)
        for (const Operation& op : record.operations)
            if (auto known = subjects_.find(hash_(op.key.text())); known != subjects_.end())
                hashes.insert(known->second.begin(), known->second.end());
    for (std::int64_t h : hashes)
        if (auto key = person_keys_.find(h); key != person_keys_.end())
            if (identity::PersonId person = log_.personOf(key->second)) dirty_.insert(person);
}

void Resolver::writeDirty() {
    for (identity::PersonId person : dirty_)
        store_.run(
            "INSERT INTO person(no, revision, sent, projected) VALUES(?1, 1, 0, 0) ON CONFLICT(no) DO UPDATE SET "
            "revision "
            "= person.revision + 1",
            {person});
}

/// Every snapshot and person again: what a replay changed may decide about any of them.
void Resolver::settleAll(Keyset& touched) {
    for (auto& [source, scope] : scopes_) {
        for (schemas::Snapshot& s : scope.snapshots) {
            const Present& present = present_[s.object];
            s.complete = present.unreadable.empty();
            s.keys.assign(present.keys.begin(), present.keys.end());
        }
        settleSnapshots(source);
        writeSnapshots(source);
    }
    for (const auto& [key, ops] : persons_) touched.insert(key);
}

/// Rows of `token` for what a live class can be found by; an empty set takes them away.
void Resolver::writeTokens(const std::string& survivor, std::set<std::int64_t> tokens) {
    std::int64_t member = hash_(survivor);
    auto old = found_by_.find(survivor);
    if (old != found_by_.end())
        for (std::int64_t t : old->second)
            if (!tokens.count(t)) store_.run("DELETE FROM token WHERE hash = ?1 AND member = ?2", {t, member});
    for (std::int64_t t : tokens)
        if (old == found_by_.end() || !old->second.count(t))
            store_.run("INSERT INTO token(hash, member) VALUES(?1, ?2) ON CONFLICT DO NOTHING", {t, member});
    if (tokens.empty()) found_by_.erase(survivor);
    else found_by_[survivor] = std::move(tokens);
}

std::vector<identity::Decision> Resolver::decisionsAmong(const Keyset& survivors) const {
    std::vector<identity::Decision> decisions;
    for (const std::string& survivor : survivors)
        for (const std::string& member : class_members_.at(survivor)) {
            auto a = decided_.find(member);
            if (a == decided_.end()) continue;
            for (const auto& [b, verdict] : a->second) {
                auto other = survivor_.find(b);
                if (other == survivor_.end() || other->second == survivor || !survivors.count(other->second)) continue;
                identity::Decision d{survivor, other->second, verdict.second};
                if (d.b < d.a) std::swap(d.a, d.b);
                decisions.push_back(std::move(d));
            }
        }
    return decisions;
}

/// The live records that are one person with this one now.
std::vector<std::string> Resolver::matesOf(const std::string& key) const {
    std::vector<std::string> mates;
    auto person = log_.persons().find(log_.personOf(key));
    if (person != log_.persons().end())
        for (const auto& [member, joined] : person->second.members) mates.push_back(member);
    return mates;
}

/// What people decided, by pair of record keys.
void Resolver::decide() {
    // The decision of a pair is that of its greatest fact.
    decided_.clear();
    for (const auto& record : schemas::fold(facts_, scopes_)) {
        std::string kind = fieldText(record, "kind"), a = fieldText(record, "a"), b = fieldText(record, "b");
        if (!record.live || a.empty() || b.empty() || a == b || kind == "confirm") continue;
        if (b < a) std::swap(a, b);
        identity::Verdict verdict = kind == "different" ? identity::Verdict::different : identity::Verdict::same;
        auto& slot = decided_[a];
        auto it = slot.find(b);
        const schemas::Version& version = record.newest->op.version;
        bool withdrawn = kind == "withdraw";
        if (it == slot.end() || it->second.first < version ||
            (it->second.first == version && verdict == identity::Verdict::different))
            slot[b] = {version, withdrawn ? static_cast<identity::Verdict>(2) : verdict};
    }
    for (auto& [a, verdicts] : decided_)
        std::erase_if(verdicts, [](const auto& v) { return v.second.second == static_cast<identity::Verdict>(2); });
    decided_with_.clear();
    for (const auto& [a, verdicts] : decided_)
        for (const auto& [b, verdict] : verdicts) {
            decided_with_[a].insert(b);
            decided_with_[b].insert(a);
        }
    facts_changed_ = false;
}

void Resolver::resolvePersons(const Keyset& touched, std::int64_t now, bool write) {
    if (touched.empty()) return;
    if (facts_changed_) decide();

    // 1. Alias classes of what was touched, folded anew.
    Keyset closure, gone, changed_tokens, changed;
    std::map<std::string, std::set<std::int64_t>> found_by;
    std::deque<std::string> queue(touched.begin(), touched.end());
    while (!queue.empty()) {
        std::string key = queue.front();
        queue.pop_front();
        if (!closure.insert(key).second) continue;
        if (auto it = merged_.find(key); it != merged_.end())
            queue.insert(queue.end(), it->second.begin(), it->second.end());
    }
    std::vector<StoredOperation> operations;
    for (const std::string& key : closure) {
        if (auto it = persons_.find(key); it != persons_.end())
            operations.insert(operations.end(), it->second.begin(), it->second.end());
        auto s = survivor_.find(key);
        if (s == survivor_.end()) continue;
        std::string survivor = s->second;
        gone.insert(key);
        survivor_.erase(s);
        if (auto f = features_.find(survivor); f != features_.end()) {
            for (const std::string& t : identity::tokens(f->second)) {
                changed_tokens.insert(t);
                auto at = token_.find(t);
                at->second.erase(survivor);
                if (at->second.empty()) token_.erase(at);
            }
            features_.erase(f);
            class_members_.erase(survivor);
            found_by[survivor];
        }
    }
    for (const auto& record : schemas::fold(operations, scopes_)) {
        if (!record.live || record.key.entity != "person") continue;
        identity::Features f = featuresOf(record);
        std::string survivor = f.key;
        for (const schemas::RecordKey& m : record.members) {
            survivor_[m.text()] = survivor;
            class_members_[survivor].push_back(m.text());
            gone.erase(m.text());
        }
        for (const std::string& t : identity::tokens(f)) {
            token_[t].insert(survivor);
            changed_tokens.insert(t);
        }
        features_[survivor] = std::move(f);
        changed.insert(survivor);
        for (const std::string& t : findTokens(record)) found_by[survivor].insert(hash_(t));
    }
    for (auto& [survivor, tokens] : found_by) {
        if (write) writeTokens(survivor, std::move(tokens));
        else found_by_[survivor] = std::move(tokens);
    }

    // 2. Everything that can be connected with it: shared tokens and decisions; a component is computed as a whole.
    Keyset component;
    std::deque<std::string> next(changed.begin(), changed.end());
    for (const std::string& t : changed_tokens)
        if (auto it = token_.find(t); it != token_.end()) next.insert(next.end(), it->second.begin(), it->second.end());
    // Who was one person with a changed record until now is computed again too.
    for (const std::string& key : closure)
        for (const std::string& mate : matesOf(key))
            if (auto s = survivor_.find(mate); s != survivor_.end()) next.push_back(s->second);
    Keyset seen_tokens;
    while (!next.empty()) {
        std::string s = next.front();
        next.pop_front();
        if (!component.insert(s).second) continue;
        for (const std::string& t : identity::tokens(features_[s]))
            if (seen_tokens.insert(t).second) next.insert(next.end(), token_[t].begin(), token_[t].end());
        for (const std::string& m : class_members_[s]) {
            if (auto it = decided_with_.find(m); it != decided_with_.end())
                for (const std::string& other : it->second)
                    if (auto o = survivor_.find(other); o != survivor_.end()) next.push_back(o->second);
            for (const std::string& mate : matesOf(m))
                if (auto other = survivor_.find(mate); other != survivor_.end()) next.push_back(other->second);
        }
    }
    std::vector<identity::Features> records;
    for (const std::string& s : component) records.push_back(features_[s]);
    std::vector<std::vector<std::string>> sets = identity::partition(records, decisionsAmong(component));
    for (auto& set : sets) {
        std::vector<std::string> members;
        for (const std::string& s : set)
            members.insert(members.end(), class_members_[s].begin(), class_members_[s].end());
        std::sort(members.begin(), members.end());
        set = std::move(members);
    }

    // 3. What was decided goes to the identity log; ids are recorded facts.
    auto entries = log_.decide(sets, gone, next_person_, "resolve");
    for (const auto& e : entries)
        if (auto r = log_.apply(e); !r) throw Failure{r.error()};
    if (!write) return;
    Keyset moved;
    for (const auto& e : entries) {
        ++sequence_;
        store_.run("INSERT INTO identity_log(seq, event, person, other, hash, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                   {sequence_, static_cast<std::int64_t>(e.event), e.person, e.other,
                    e.record.empty() ? std::int64_t{0} : hash_(e.record), now});
        if (!e.record.empty()) moved.insert(e.record);
        for (identity::PersonId person : {e.person, e.other})
            if (person) dirty_.insert(person);
    }
    for (const auto& set : sets) moved.insert(set.begin(), set.end());
    moved.insert(gone.begin(), gone.end());
    for (const std::string& key : moved) {
        std::int64_t h = hash_(key), person = log_.personOf(key);
        bool right = false;
        store_.query("SELECT person FROM member WHERE hash = ?1", {h},
                     [&](const Row& r) { right = r.integer(0) == person; });
        if (right) continue;
        store_.run("DELETE FROM member WHERE hash = ?1", {h});
        if (person) store_.run("INSERT INTO member(person, hash) VALUES(?1, ?2)", {person, h});
    }
}

void Resolver::load() {
    Keyset touched;
    std::map<std::int64_t, std::string> key_of_hash;
    eachOperation(store_, [&](RecordMessage& record) {
        auto operations = openOperations(keys_, record.raw, record.generation, record.box);
        if (!operations) throw Failure{operations.error()};
        record.operations = std::move(*operations);
        take(record, touched);
        for (const Operation& op : record.operations) {
            if (op.key.entity != "person") continue;
            key_of_hash[hash_(op.key.text())] = op.key.text();
            if (!op.into.empty()) key_of_hash[hash_(pairedKey(op))] = pairedKey(op);
        }
    });
    std::vector<std::pair<std::int64_t, std::string>> closed;
    store_.query("SELECT no, source FROM object WHERE state = 1 ORDER BY no", {},
                 [&](const Row& r) { closed.emplace_back(r.integer(0), std::string(r.bytes(1))); });
    for (const auto& [no, source] : closed)
        if (delete_shares_.count(source)) addSnapshot(no);
    for (auto& [source, scope] : scopes_) settleSnapshots(source);
    // The identity log is the only total order; state follows from it.
    store_.query("SELECT seq, event, person, other, hash FROM identity_log ORDER BY seq", {}, [&](const Row& r) {
        sequence_ = r.integer(0);
        // A record that is no longer readable still takes its place in the log, under the name of its hash.
        auto it = key_of_hash.find(r.integer(4));
        auto done = log_.apply({static_cast<identity::LogEvent>(r.integer(1)), r.integer(2), r.integer(3),
                                !r.integer(4)             ? ""
                                : it == key_of_hash.end() ? "#" + std::to_string(r.integer(4))
                                                          : it->second,
                                ""});
        if (!done) throw Failure{done.error()};
        next_person_ = std::max(next_person_, std::max(r.integer(2), r.integer(3)) + 1);
    });
    resolvePersons(touched, 0, false);
}

}  // namespace porta::pipeline
