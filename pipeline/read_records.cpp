// Reader: single records, what people entered, the identity log.
#include <algorithm>

#include "identity/log.h"
#include "pipeline/read.h"

namespace porta::pipeline {

using schemas::Operation;
using schemas::RecordKey;
using schemas::StoredOperation;

namespace {

bool pairs(const Operation& op) { return op.op == schemas::Op::merge || op.op == schemas::Op::unmerge; }

bool saysSealed(const Operation& op) {
    return std::any_of(op.leaves.begin(), op.leaves.end(),
                       [](const schemas::Leaf& l) { return l.path == "protection/sealed" && l.value == "true"; });
}

}  // namespace

std::vector<std::int64_t> Reader::persons() {
    std::vector<std::int64_t> out;
    store_->query("SELECT DISTINCT person FROM member ORDER BY person", {},
                  [&](const Row& r) { out.push_back(r.integer(0)); });
    return out;
}

Records Reader::loadRecord(const RecordKey& key) {
    Records out;
    out.operations.emplace_back();
    std::vector<StoredOperation>& operations = out.operations.back();
    std::set<RecordKey> keys, done;
    std::set<std::int64_t> raws;
    // An alias class is found through its merges and unmerges, from either end.
    for (std::deque<RecordKey> queue{key}; !queue.empty(); queue.pop_front()) {
        RecordKey at = queue.front();
        keys.insert(at);
        if (!done.insert(at).second) continue;
        std::vector<std::int64_t> found;
        store_->query("SELECT raw FROM link WHERE hash = ?1", {hashOf(at.text())},
                      [&](const Row& r) { found.push_back(r.integer(0)); });
        for (std::int64_t id : found) {
            auto row = raw(id);
            if (!row || row->state == RawState::skipped) continue;
            auto ops = this->operations(*row);
            if (!ops) throw Failure{ops.error()};
            bool fresh = raws.insert(id).second;
            for (Operation& op : *ops) {
                RecordKey other{op.key.source, op.key.entity, op.into};
                if (pairs(op) && (op.key == at || other == at)) {
                    queue.push_back(op.key);
                    queue.push_back(other);
                }
                if (fresh) operations.push_back({std::move(op), row->id, row->object, row->generation});
            }
        }
    }
    std::erase_if(operations, [&](const StoredOperation& s) { return keys.count(s.op.key) == 0; });
    for (schemas::FoldedRecord& record : schemas::fold(operations, scopes(operations)))
        if (record.key == key || std::find(record.members.begin(), record.members.end(), key) != record.members.end())
            out.all.push_back(std::move(record));
    return out;
}

std::vector<StoredOperation> Reader::facts() {
    std::vector<std::int64_t> ids;
    store_->query("SELECT r.id FROM raw r JOIN object o ON o.no = r.object WHERE o.source = ?1 ORDER BY r.id",
                  {std::string("desk")}, [&](const Row& r) { ids.push_back(r.integer(0)); });
    std::vector<StoredOperation> out;
    for (std::int64_t id : ids) {
        auto row = raw(id);
        if (!row || row->state == RawState::skipped) continue;
        auto ops = operations(*row);
        if (!ops) throw Failure{ops.error()};
        for (Operation& op : *ops)
            if (op.key.entity == "human_fact") out.push_back({std::move(op), row->id, row->object, row->generation});
    }
    return out;
}

void Reader::identityLog(const std::function<void(const IdentityEvent&)>& event) {
    for (std::int64_t last = 0;;) {
        std::vector<IdentityEvent> events;
        store_->query(
            "SELECT seq, event, person, other, hash, at FROM identity_log WHERE seq > ?1 ORDER BY seq LIMIT 500",
            {last}, [&](const Row& r) {
                events.push_back({r.integer(0), r.integer(2), r.integer(3), r.integer(5), r.integer(4),
                                  std::string(identity::name(static_cast<identity::LogEvent>(r.integer(1))))});
            });
        if (events.empty()) return;
        for (const IdentityEvent& e : events) event(e);
        last = events.back().seq;
    }
}

std::optional<RecordKey> Reader::keyOf(std::int64_t hash) {
    std::vector<std::int64_t> ids;
    store_->query("SELECT raw FROM link WHERE hash = ?1 ORDER BY raw", {hash},
                  [&](const Row& r) { ids.push_back(r.integer(0)); });
    for (std::int64_t id : ids) {
        auto row = raw(id);
        if (!row) continue;
        auto ops = operations(*row);
        if (!ops) continue;  // an erased record names nothing any more
        for (const Operation& op : *ops) {
            std::vector<RecordKey> named{op.key};
            if (pairs(op)) named.push_back({op.key.source, op.key.entity, op.into});
            named.insert(named.end(), op.subjects.begin(), op.subjects.end());
            for (const RecordKey& k : named)
                if (hashOf(k.text()) == hash) return k;
        }
    }
    return std::nullopt;
}

std::set<std::int64_t> Reader::personsOf(const std::vector<Operation>& operations) {
    std::set<std::int64_t> out;
    auto add = [&](const RecordKey& k) {
        if (std::int64_t p = personOf(k.text())) out.insert(p);
    };
    for (const Operation& op : operations) {
        if (op.key.entity == "person") add(op.key);
        for (const RecordKey& s : op.subjects) add(s);
    }
    return out;
}

bool Reader::isSealed(std::int64_t person) {
    Records records = load(person);
    for (const auto& p : records.persons)
        for (const auto& r : p.records) {
            auto field = r.fields.find("protection");
            if (r.live && r.key.entity == "person" && field != r.fields.end() && saysSealed(field->second.setter->op))
                return true;
        }
    return false;
}

Reader::Sealed Reader::sealed() {
    Sealed out;
    std::set<std::int64_t> asked;
    eachRaw([&](const RawRow& row) {
        if (row.state == RawState::skipped) return;
        auto ops = operations(row);
        if (!ops) throw Failure{ops.error()};
        for (const Operation& op : *ops)
            if (saysSealed(op)) {
                out.raws.insert(row.id);
                if (std::int64_t p = personOf(op.key.text())) asked.insert(p);
            }
    });
    for (std::int64_t p : asked) {
        if (!isSealed(p)) continue;
        out.persons.insert(p);
        Records records = load(p);
        for (const auto& s : records.operations.front()) out.raws.insert(s.raw);
    }
    return out;
}

}  // namespace porta::pipeline
