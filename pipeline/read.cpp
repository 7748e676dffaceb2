#include "pipeline/read.h"

#include <algorithm>
#include <set>

#include "base/compression.h"
#include "base/date_time.h"
#include "pipeline/connect.h"
#include "pipeline/rows.h"
#include "pipeline/schema.h"
#include "pipeline/world.h"

namespace porta::pipeline {

using schemas::StoredOperation;

Result<std::unique_ptr<Reader>> Reader::open(const config::Settings& settings) {
    auto store = openStore(settings, Part::data, true);
    if (!store) return store.error();
    auto keys = openKeys(settings, true);
    if (!keys) return keys.error();
    auto reader = over(settings, **store, **keys);
    reader->own_store_ = std::move(*store);
    reader->own_keys_ = std::move(*keys);
    return reader;
}

std::unique_ptr<Reader> Reader::over(const config::Settings& settings, Store& store, Keys& keys) {
    std::unique_ptr<Reader> reader(new Reader(settings));
    reader->store_ = &store;
    reader->keys_ = &keys;
    reader->hash_ = std::make_unique<KeyedHash>(indexHash(keys));
    reader->objects_ = std::make_unique<Objects>(store, keys);
    return reader;
}

Key Reader::key(std::int64_t number) {
    auto key = keys_->find(number);
    if (!key) throw Failure{key.error()};
    return *key;
}

Result<RawRow> Reader::raw(std::int64_t id) {
    RawRow row;
    store_->query(std::string("SELECT ") + kRawColumns + " FROM raw WHERE id = ?1", {id},
                  [&](const Row& r) { row = rawRow(r); });
    if (!row.id)
        return fail(Errc::not_found, "there is no such raw record; `porta raw list` prints them", "raw.missing");
    return row;
}

Result<std::string> Reader::rawBytes(std::int64_t id) {
    auto row = raw(id);
    if (!row) return row.error();
    auto k = keys_->find(id);
    if (!k) return k.error();
    return pipeline::open(*k, Box::raw_bytes, 0, row->payload).and_then([](std::string&& box) {
        return decompress(box);
    });
}

Result<std::vector<schemas::Operation>> Reader::operations(const RawRow& row) {
    std::string box;
    int generation = 0;
    store_->query("SELECT generation, box FROM operation WHERE raw = ?1", {row.id}, [&](const Row& r) {
        generation = static_cast<int>(r.integer(0));
        box = r.bytes(1);
    });
    return openOperations(*keys_, row.id, generation, box);
}

const std::map<int, GenerationRow>& Reader::generations() {
    if (!generations_.empty()) return generations_;
    store_->query("SELECT no, source, mapping_digest, engine_digest, rules FROM generation", {}, [&](const Row& r) {
        auto toHex = [](std::string_view b) { return hex(reinterpret_cast<const std::uint8_t*>(b.data()), b.size()); };
        GenerationRow g;
        g.source = r.bytes(1);
        g.mapping_digest = toHex(r.bytes(2));
        g.engine_digest = toHex(r.bytes(3));
        if (auto rules = parseJson(r.bytes(4)))
            for (const Json& rule : rules->items())
                g.rules.push_back({rule.text("file"),
                                   rule.find("line") ? static_cast<int>(rule.find("line")->integer()) : 0,
                                   rule.text("name"), rule.text("table")});
        generations_[static_cast<int>(r.integer(0))] = std::move(g);
    });
    return generations_;
}

void Reader::eachRaw(const std::function<void(const RawRow&)>& row) {
    // Read in steps, so that a callback may ask the store again and no more than a step is held in memory.
    for (std::int64_t last = 0;;) {
        std::vector<RawRow> rows;
        store_->query(std::string("SELECT ") + kRawColumns + " FROM raw WHERE id > ?1 ORDER BY id LIMIT 500", {last},
                      [&](const Row& r) { rows.push_back(rawRow(r)); });
        if (rows.empty()) return;
        for (const RawRow& r : rows) row(r);
        last = rows.back().id;
    }
}

/// Which snapshots were accepted stands in the store; which of the loaded keys were present in them, in the operations.
schemas::SnapshotScopes Reader::scopes(const std::vector<StoredOperation>& operations) {
    schemas::SnapshotScopes scopes;
    std::map<std::int64_t, std::vector<std::string>> keys;
    for (const StoredOperation& s : operations) keys[s.object].push_back(s.op.key.text());
    std::vector<std::tuple<std::int64_t, std::string, bool>> rows;
    store_->query("SELECT object, source, accepted FROM snapshot ORDER BY source, place", {},
                  [&](const Row& r) { rows.emplace_back(r.integer(0), std::string(r.bytes(1)), r.integer(2) != 0); });
    for (const auto& [object, source, accepted] : rows) {
        const auto& [row, meta] = objects_->at(object);
        schemas::Snapshot s;
        s.instant = row.instant;
        s.version_text = meta.object_time;
        s.object_digest = meta.sha256;
        s.object = object;
        s.keys = keys[object];
        std::sort(s.keys.begin(), s.keys.end());
        s.keys.erase(std::unique(s.keys.begin(), s.keys.end()), s.keys.end());
        scopes[source].snapshots.push_back(std::move(s));
        scopes[source].accepted.push_back(accepted);
    }
    return scopes;
}

void Reader::atOneMoment(const std::function<void()>& work) {
    if (auto done = store_->snapshot(work); !done) throw Failure{done.error()};
}

Records Reader::load(std::int64_t person) { return load(person ? std::set{person} : std::set<std::int64_t>{}); }

Records Reader::load(const std::set<std::int64_t>& persons) {
    Records out;
    out.operations.emplace_back();
    std::vector<StoredOperation>& operations = out.operations.back();
    auto take = [&](const RecordMessage& r) {
        auto ops = openOperations(*keys_, r.raw, r.generation, r.box);
        if (!ops) throw Failure{ops.error()};
        for (auto& op : *ops) operations.push_back({std::move(op), r.raw, r.object, r.generation});
    };
    std::map<std::int64_t, std::int64_t> person_of;
    if (persons.empty()) {
        eachOperation(*store_, take);
        store_->query("SELECT hash, person FROM member", {},
                      [&](const Row& r) { person_of[r.integer(0)] = r.integer(1); });
    } else {
        // The members' raw records, and those of every record key that they name: all that decides these persons' records.
        queryIn(*store_, "SELECT hash, person FROM member WHERE person IN ()", {persons.begin(), persons.end()},
                [&](const Row& r) { person_of[r.integer(0)] = r.integer(1); });
        std::set<std::int64_t> done, raws;
        for (const auto& [hash, person] : person_of) done.insert(hash);
        for (std::vector<std::int64_t> next(done.begin(), done.end()); !next.empty();) {
            std::vector<std::int64_t> found;
            queryIn(*store_, "SELECT raw FROM link WHERE hash IN ()", next, [&](const Row& r) {
                if (raws.insert(r.integer(0)).second) found.push_back(r.integer(0));
            });
            std::vector<RecordMessage> records;
            queryIn(*store_, "SELECT raw, object, generation, box FROM operation WHERE raw IN ()", found,
                    [&](const Row& r) {
                        RecordMessage& record = records.emplace_back();
                        record.raw = r.integer(0);
                        record.object = r.integer(1);
                        record.generation = static_cast<int>(r.integer(2));
                        record.box = r.bytes(3);
                    });
            keys_->fetch(found);
            next.clear();
            for (const RecordMessage& record : records) {
                std::size_t from = operations.size();
                take(record);
                for (std::size_t i = from; i < operations.size(); ++i) {
                    if (operations[i].op.key.entity == "person") continue;
                    std::int64_t h = (*hash_)(operations[i].op.key.text());
                    if (done.insert(h).second) next.push_back(h);
                }
            }
        }
    }
    out.all = schemas::fold(operations, scopes(operations));
    std::map<std::int64_t, PersonRecords> by_person;
    auto personOfKey = [&](const schemas::RecordKey& k) {
        auto it = person_of.find((*hash_)(k.text()));
        return it == person_of.end() ? std::int64_t{0} : it->second;
    };
    for (int pass = 0; pass < 2; ++pass)
        for (const schemas::FoldedRecord& record : out.all) {
            bool is_person = record.key.entity == "person";
            if (is_person != (pass == 0)) continue;
            std::set<std::int64_t> of;
            for (const schemas::RecordKey& k : is_person ? record.members : record.subjects)
                if (std::int64_t p = personOfKey(k)) of.insert(p);
            for (std::int64_t p : of) {
                by_person[p].person = p;
                by_person[p].records.push_back(record);
            }
        }
    for (auto& [p, records] : by_person)
        if (persons.empty() || persons.count(p)) out.persons.push_back(std::move(records));
    return out;
}

std::vector<std::int64_t> Reader::candidates(const std::vector<std::string>& tokens) {
    std::vector<std::int64_t> persons;
    bool first = true;
    for (const std::string& token : tokens) {
        std::vector<std::int64_t> found, both;
        store_->query(
            "SELECT DISTINCT m.person FROM token t JOIN member m ON m.hash = t.member WHERE t.hash = ?1 ORDER BY 1",
            {(*hash_)(token)}, [&](const Row& r) { found.push_back(r.integer(0)); });
        std::set_intersection(persons.begin(), persons.end(), found.begin(), found.end(), std::back_inserter(both));
        persons = first ? std::move(found) : std::move(both);
        first = false;
    }
    return persons;
}

std::set<std::int64_t> Reader::condemned() {
    std::set<std::int64_t> raws;
    store_->query("SELECT raw FROM poison WHERE deaths >= 3", {}, [&](const Row& r) { raws.insert(r.integer(0)); });
    return raws;
}

std::int64_t Reader::newestOf(const std::string& source) {
    std::int64_t newest = 0;
    store_->query("SELECT newest FROM source_time WHERE source = ?1", {source},
                  [&](const Row& r) { newest = r.integer(0); });
    return newest;
}

std::int64_t Reader::personOf(const std::string& key_text) {
    std::int64_t person = 0;
    store_->query("SELECT person FROM member WHERE hash = ?1", {(*hash_)(key_text)},
                  [&](const Row& r) { person = r.integer(0); });
    return person;
}

std::optional<std::int64_t> Reader::rawNumber(std::string_view text) {
    if (!text.empty() && text[0] == 'r') text.remove_prefix(1);
    std::int64_t n = 0;
    if (text.empty() || text.size() > 18) return std::nullopt;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        n = n * 10 + (c - '0');
    }
    return n;
}

}  // namespace porta::pipeline
