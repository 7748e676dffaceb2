#include "pipeline/resolve.h"

#include <algorithm>

#include "pipeline/connect.h"
#include "pipeline/features.h"
#include "pipeline/rows.h"

namespace porta::pipeline {

using schemas::Op;
using schemas::Operation;
using schemas::StoredOperation;

namespace {

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

void Resolver::take(const RecordMessage& record) {
    for (const Operation& op : record.operations) {
        if (scopes_.count(op.key.source)) present_[record.object].keys.insert(op.key.text());
        if (op.key.entity == "human_fact") {
            facts_.push_back({op, record.raw, record.object, record.generation});
            facts_changed_ = true;
            const std::string *kind = leafValue(op, "kind"), *object = leafValue(op, "object");
            if (kind && *kind == "confirm" && object) confirmed_.insert(*object);
            continue;
        }
        if (outbox_ && op.key.entity != "person") {
            std::vector<std::int64_t>& known = subjects_[hash_(op.key.text())];
            for (const schemas::RecordKey& subject : op.subjects)
                if (std::int64_t h = hash_(subject.text()); std::find(known.begin(), known.end(), h) == known.end())
                    known.push_back(h);
        }
        if (op.key.entity != "person" || op.op == Op::presence) continue;
        if (outbox_) person_keys_[hash_(op.key.text())] = op.key.text();
        people_.add(op, record.raw, record.object, record.generation);
    }
    if (record.key_unreadable) present_[record.object].unreadable.insert(record.raw);
}

/// What a raw record said before it was mapped again no longer counts.
void Resolver::forget(std::int64_t raw, EntityCounts& counts) {
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
        people_.forget(op.key.text(), raw);
    }
    facts_changed_ |= std::erase_if(facts_, [&](const StoredOperation& s) { return s.raw == raw; }) > 0;
}

/// Leaves the records that are news; counts, for each object named, those that had no outcome here before.
std::map<std::int64_t, std::int64_t> Resolver::keepNews(std::vector<RecordMessage>& batch) {
    std::unordered_map<std::int64_t, std::int64_t> known;
    std::vector<std::int64_t> asked;
    for (const RecordMessage& record : batch)
        if (record.raw <= newest_raw_) asked.push_back(record.raw);
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    queryIn(store_, "SELECT raw, attempts FROM operation WHERE raw IN ()", asked,
            [&](const Row& r) { known[r.integer(0)] = r.integer(1); });
    std::map<std::int64_t, std::int64_t> done;
    std::erase_if(batch, [&](const RecordMessage& record) {
        std::int64_t& count = done[record.object];
        if (!record.raw) return false;
        std::int64_t& attempts = known[record.raw];
#ifndef PORTA_CONTROL_OUTCOME_TWICE
        if (attempts >= record.attempts) return true;
#endif
        if (!attempts) ++count;
        attempts = record.attempts;
        newest_raw_ = std::max(newest_raw_, record.raw);
        return false;
    });
    return done;
}

void Resolver::writeRecords(std::span<const RecordMessage> batch) {
    Rows operations(store_, "INSERT INTO operation(raw, object, generation, attempts, unreadable, box)", 6,
                    "ON CONFLICT(raw) DO UPDATE SET generation = excluded.generation, attempts = excluded.attempts, "
                    "unreadable = excluded.unreadable, box = excluded.box");
    Rows links(store_, "INSERT INTO link(hash, raw)", 2, "ON CONFLICT DO NOTHING");
    for (const RecordMessage& record : batch) {
        if (!record.raw) continue;
        operations.add({record.raw, record.object, std::int64_t{record.generation}, record.attempts,
                        std::int64_t{record.key_unreadable}, Blob{record.box}});
        Keyset keys;
        for (const Operation& op : record.operations) {
            keys.insert(op.key.text());
            if (!op.into.empty()) keys.insert(pairedKey(op));
            for (const schemas::RecordKey& s : op.subjects) keys.insert(s.text());
        }
        for (const std::string& key : keys) links.add({hash_(key), record.raw});
    }
    operations.flush();
    links.flush();
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

/// Computes what is accepted, and looks at the persons again whose deletion that changes.
void Resolver::settleSnapshots(const std::string& source) {
    schemas::SnapshotScope& scope = scopes_[source];
    std::string from = source + "|person|";
    Keyset keys;
    for (const auto& s : scope.snapshots)
        for (auto it = std::lower_bound(s.keys.begin(), s.keys.end(), from);
             it != s.keys.end() && it->rfind(from, 0) == 0; ++it)
            keys.insert(*it);
    for (schemas::Snapshot& s : scope.snapshots) s.confirmed = confirmed_.count(s.object_digest) > 0;
    scope.settle();
    // A live record that is now deleted, or the other way round.
    for (const std::string& key : keys)
        if (people_.isLive(key) == (scope.deletedBy(key) >= 0)) people_.touch(key);
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
    dirty_.clear();
    std::map<std::string, std::int64_t> newest;
    EntityCounts counts;
    const std::map<std::int64_t, std::int64_t> done = keepNews(batch);
    const bool replayed = std::any_of(batch.begin(), batch.end(), [](const auto& r) { return r.attempts > 1; });
    if (!replayed) writeRecords(batch);
    std::size_t confirmed = confirmed_.size();
    for (const RecordMessage& record : batch) {
        if (record.attempts > 1) forget(record.raw, counts);
        if (replayed) writeRecords({&record, 1});
        take(record);
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
#ifdef PORTA_CONTROL_SNAPSHOT_EARLY
            row.state = open ? ObjectState::closed : ObjectState::open;
#else
            row.state = open && r.integer(0) == 0 ? ObjectState::closed : ObjectState::open;
#endif
        });
        if (row.has_instant) newest[row.source] = std::max(newest[row.source], row.instant);
        if (row.state != ObjectState::closed) continue;
        store_.run("UPDATE object SET state = 1 WHERE no = ?1", {no});
        if (!delete_shares_.count(row.source)) continue;
        addSnapshot(no);
        completed.insert(row.source);
    }
    if (facts_changed_) decide();
    if (replayed) settleAll();
    for (const std::string& source : completed) {
        settleSnapshots(source);
        writeSnapshots(source);
    }
    for (const auto& [source, time] : newest)
        store_.run(
            "INSERT INTO source_time(source, newest) VALUES(?1, ?2) ON CONFLICT(source) DO UPDATE SET newest = "
            "excluded.newest WHERE excluded.newest > source_time.newest",
            {source, time});
    writeChange(std::exchange(late_, {}), now);
    People::Change change = people_.settle(scopes_);
    writeChange(change, now);
    if (!outbox_) return;
    auto changed = [&](const std::string& key) {
        if (identity::PersonId person = people_.log().personOf(key)) dirty_.insert(person);
    };
    for (const std::string& key : change.touched) changed(key);
    markSubjects(batch);
    // A snapshot may delete records of anybody whom its source knows.
    if (replayed || !completed.empty())
        people_.eachLive([&](const std::string& key) {
            if (replayed || completed.count(key.substr(0, key.find('|')))) changed(key);
        });
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
            if (identity::PersonId person = people_.log().personOf(key->second)) dirty_.insert(person);
}

void Resolver::writeDirty() {
    Rows rows(store_, "INSERT INTO person(no, revision, sent, projected)", 4,
              "ON CONFLICT(no) DO UPDATE SET revision = person.revision + 1");
    for (identity::PersonId person : dirty_) rows.add({person, std::int64_t{1}, std::int64_t{0}, std::int64_t{0}});
    rows.flush();
}

/// Every snapshot and person again: what a replay changed may decide about any of them.
void Resolver::settleAll() {
    for (auto& [source, scope] : scopes_) {
        for (schemas::Snapshot& s : scope.snapshots) {
            const Present& present = present_[s.object];
            s.complete = present.unreadable.empty();
            s.keys.assign(present.keys.begin(), present.keys.end());
        }
        settleSnapshots(source);
        writeSnapshots(source);
    }
    people_.touchAll();
}

/// Rows of `token` for what live classes can be found by; a class without tokens loses its rows.
void Resolver::writeTokens(const People::Change& change) {
    Rows rows(store_, "INSERT INTO token(hash, member)", 2, "ON CONFLICT DO NOTHING");
    for (const auto& [survivor, tokens] : change.find_tokens) {
        std::int64_t member = hash_(survivor);
        std::vector<std::int64_t> now;
        for (const std::string& t : tokens) now.push_back(hash_(t));
        std::sort(now.begin(), now.end());
        std::vector<std::int64_t>& before = found_by_[member];
        for (std::int64_t t : before)
            if (!std::binary_search(now.begin(), now.end(), t))
                store_.run("DELETE FROM token WHERE hash = ?1 AND member = ?2", {t, member});
        for (std::int64_t t : now)
            if (!std::binary_search(before.begin(), before.end(), t)) rows.add({t, member});
        if (now.empty()) found_by_.erase(member);
        else before = std::move(now);
    }
    rows.flush();
}

/// What people decided, by pair of record keys: the decision of a pair is that of its greatest fact.
void Resolver::decide() {
    struct Decided {
        schemas::Version version;
        std::optional<identity::Verdict> verdict;  ///< none: withdrawn
    };
    std::map<std::pair<std::string, std::string>, Decided> decided;
    for (const auto& record : schemas::fold(facts_, scopes_)) {
        std::string kind = fieldText(record, "kind"), a = fieldText(record, "a"), b = fieldText(record, "b");
        if (!record.live || a.empty() || b.empty() || a == b || kind == "confirm") continue;
        if (b < a) std::swap(a, b);
        Decided d{record.newest->op.version, std::nullopt};
        if (kind != "withdraw")
            d.verdict = kind == "different" ? identity::Verdict::different : identity::Verdict::same;
        auto [it, fresh] = decided.try_emplace({a, b}, d);
        bool greater = it->second.version < d.version ||
                       (it->second.version == d.version && d.verdict == identity::Verdict::different);
        if (!fresh && greater) it->second = d;
    }
    People::Verdicts verdicts;
    for (const auto& [pair, d] : decided)
        if (d.verdict) verdicts[pair] = *d.verdict;
    people_.decide(std::move(verdicts));
    facts_changed_ = false;
}

/// The identity log, who is whose record now, and what persons are found by.
void Resolver::writeChange(const People::Change& change, std::int64_t now) {
    writeTokens(change);
    Rows log(store_, "INSERT INTO identity_log(seq, event, person, other, hash, at)", 6, "");
    for (const identity::LogEntry& e : change.entries) {
        log.add({++sequence_, static_cast<std::int64_t>(e.event), e.person, e.other,
                 e.record.empty() ? std::int64_t{0} : hash_(e.record), now});
        for (identity::PersonId person : {e.person, e.other})
            if (person) dirty_.insert(person);
    }
    log.flush();
    Rows members(store_, "INSERT INTO member(person, hash)", 2, "");
    for (const auto& [key, before] : change.before) {
        std::int64_t h = hash_(key), person = people_.log().personOf(key);
        if (person == before) continue;
        if (before) store_.run("DELETE FROM member WHERE hash = ?1", {h});
        if (person) members.add({person, h});
    }
    members.flush();
}

void Resolver::load() {
    std::map<std::int64_t, std::string> key_of_hash;
    eachOperation(store_, [&](RecordMessage& record) {
        auto operations = openOperations(keys_, record.raw, record.generation, record.box);
        if (!operations) throw Failure{operations.error()};
        record.operations = std::move(*operations);
        take(record);
        newest_raw_ = record.raw;
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
        auto done = people_.restore({static_cast<identity::LogEvent>(r.integer(1)), r.integer(2), r.integer(3),
                                     !r.integer(4)             ? ""
                                     : it == key_of_hash.end() ? "#" + std::to_string(r.integer(4))
                                                               : it->second,
                                     ""});
        if (!done) throw Failure{done.error()};
    });
    store_.query("SELECT member, hash FROM token ORDER BY hash", {},
                 [&](const Row& r) { found_by_[r.integer(0)].push_back(r.integer(1)); });
    decide();
    late_ = people_.settle(scopes_);
    late_.find_tokens.clear();
}

}  // namespace porta::pipeline
