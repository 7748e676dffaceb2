#include "schemas/fold.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/canonical_json.h"
#include "base/date_time.h"
#include "base/hash.h"

namespace porta::schemas {

namespace {

/// An operation as the fold sees it: its place in the order and the canonical text of each field it sets.
struct Item {
    Version version;
    int rank = 0;
    Digest digest{};
    Op op = Op::upsert;
    std::string cls, cancels;
    std::vector<std::pair<std::string, std::string>> fields;  ///< sorted by name; "null" deletes
    const StoredOperation* origin = nullptr;

    bool isData() const { return op == Op::upsert || op == Op::patch; }
    const std::string* field(const std::string& name) const {
        auto it = std::lower_bound(fields.begin(), fields.end(), name,
                                   [](const auto& f, const std::string& n) { return f.first < n; });
        return it != fields.end() && it->first == name ? &it->second : nullptr;
    }
};

bool samePlace(const Item& a, const Item& b) { return a.rank == b.rank && a.version == b.version; }

bool less(const Item& a, const Item& b) {
    if (auto c = a.version <=> b.version; c != 0) return c < 0;
    if (a.rank != b.rank) return a.rank < b.rank;
    return a.digest < b.digest;
}

const std::string kNull = "null";

struct Value {
    const Item* setter = nullptr;
    const std::string* canonical = &kNull;
    std::map<std::string, const Item*> rivals;  ///< by canonical value; more than one is a conflict
};

struct State {
    bool live = false;
    std::map<std::string, Value> fields;  ///< deleted ones stay, with a null value
    std::vector<const Item*> data;        ///< in order
};

/// One key: what is voided or below the greatest delete is dropped; each field takes the greatest operation that sets it.
State recordState(std::vector<const Item*> items) {
    std::sort(items.begin(), items.end(), [](const Item* a, const Item* b) { return less(*a, *b); });
    State state;
    // From the greatest down, so that what lies above is known: the cancels of each class, and whether a delete was met.
    std::set<std::string> cancelled;
    for (auto it = items.rbegin(); it != items.rend(); ++it) {
        const Item& item = **it;
        if (item.op == Op::cancel) cancelled.insert(item.cancels);
        else if (item.op == Op::delete_) break;
        else if (item.isData() && !cancelled.count("all") && (item.cls.empty() || !cancelled.count(item.cls)))
            state.data.push_back(&item);
    }
    std::reverse(state.data.begin(), state.data.end());
    state.live = !state.data.empty();
    const auto& data = state.data;
    // `floor`: begin of the group of equal version and rank of the greatest upsert; nothing below can set a field.
    std::size_t floor = 0;
    for (std::size_t i = data.size(); i-- > 0;)
        if (data[i]->op == Op::upsert) {
            floor = i;
            while (floor > 0 && samePlace(*data[floor - 1], *data[i])) --floor;
            break;
        }
    std::set<std::string> names;
    for (std::size_t i = floor; i < data.size(); ++i)
        for (const auto& [name, value] : data[i]->fields) names.insert(name);
    for (const std::string& name : names) {
        Value v;
        for (std::size_t i = data.size(); i-- > floor;) {
            const std::string* value = data[i]->field(name);
            if (!value && data[i]->op != Op::upsert) continue;
            if (!v.setter) {
                v.setter = data[i];
                v.canonical = value ? value : &kNull;
            } else if (!samePlace(*data[i], *v.setter)) {
                break;
            }
            v.rivals.emplace(value ? *value : kNull, data[i]);
        }
        if (v.setter) state.fields[name] = std::move(v);
    }
    return state;
}

struct Class {
    std::vector<std::string> members;  ///< sorted
    std::string survivor;
    std::map<std::string, State> states;
    bool live = false;
    /// Per field the member that gives it: the survivor first, then the one with the greatest setter.
    std::vector<std::pair<std::string, const Value*>> fields;
};

/// All keys with their operations, merges and unmerges as pairs.
class Folder {
public:
    void add(const std::string& key, Item item) { keys_[key].push_back(std::move(item)); }
    void touch(const std::string& key) { keys_[key]; }
    void pair(const std::string& from, const std::string& into, Item item) {
        touch(from);
        touch(into);
        auto [it, fresh] = pairs_.try_emplace({from, into}, item);
        if (!fresh && less(it->second, item)) it->second = std::move(item);
    }
    std::vector<Class> fold() {
        std::vector<const std::string*> names;
        std::unordered_map<std::string, std::size_t> index;
        for (const auto& [key, items] : keys_) {
            index.emplace(key, names.size());
            names.push_back(&key);
        }
        std::vector<std::size_t> parent(names.size());
        std::iota(parent.begin(), parent.end(), 0);
        auto root = [&](std::size_t i) {
            while (parent[i] != i) i = parent[i] = parent[parent[i]];
            return i;
        };
        using Active = std::pair<const std::pair<std::string, std::string>*, const Item*>;
        std::map<std::size_t, std::vector<Active>> inside;
        for (const auto& [p, item] : pairs_)
            if (item.op == Op::merge) parent[root(index[p.first])] = root(index[p.second]);
        for (const auto& [p, item] : pairs_)
            if (item.op == Op::merge) inside[root(index[p.first])].push_back({&p, &item});
        std::map<std::size_t, std::vector<std::size_t>> groups;
        for (std::size_t i = 0; i < names.size(); ++i) groups[root(i)].push_back(i);
        std::vector<Class> classes;
        for (const auto& [r, members] : groups) {
            Class c;
            for (std::size_t i : members) c.members.push_back(*names[i]);
            c.survivor = c.members[0];
            if (auto it = inside.find(r); it != inside.end()) {
                std::set<std::string> retired;
                const Active* greatest = nullptr;
                for (const Active& a : it->second) {
                    retired.insert(a.first->first);
                    if (!greatest || less(*greatest->second, *a.second)) greatest = &a;
                }
                std::vector<std::string> never;
                for (const std::string& m : c.members)
                    if (!retired.count(m)) never.push_back(m);
                c.survivor = never.size() == 1 ? never[0] : greatest->first->second;
            }
            for (const std::string& m : c.members) {
                std::vector<const Item*> items;
                for (const Item& i : keys_[m]) items.push_back(&i);
                State s = recordState(std::move(items));
                c.live = c.live || s.live;
                c.states.emplace(m, std::move(s));
            }
            std::set<std::string> fields;
            for (const auto& [m, s] : c.states)
                if (s.live)
                    for (const auto& [f, v] : s.fields) fields.insert(f);
            for (const std::string& f : fields) {
                const State& first = c.states.at(c.survivor);
                auto own = first.fields.find(f);
                const Value* giver =
                    first.live && own != first.fields.end() && *own->second.canonical != kNull ? &own->second : nullptr;
                if (!giver) {
                    for (const auto& [m, s] : c.states) {
                        auto v = s.fields.find(f);
                        if (!s.live || v == s.fields.end() || *v->second.canonical == kNull) continue;
                        if (!giver || less(*giver->setter, *v->second.setter)) giver = &v->second;
                    }
                }
                if (!giver && first.live && own != first.fields.end()) giver = &own->second;
                if (giver) c.fields.emplace_back(f, giver);
            }
            classes.push_back(std::move(c));
        }
        std::sort(classes.begin(), classes.end(),
                  [](const Class& a, const Class& b) { return a.survivor < b.survivor; });
        return classes;
    }

private:
    std::map<std::string, std::vector<Item>> keys_;
    std::map<std::pair<std::string, std::string>, Item> pairs_;
};

Item itemOf(const StoredOperation& s) {
    Item i;
    i.version = s.op.version;
    i.rank = rank(s.op.op);
    i.digest = s.op.digest;
#ifdef PORTA_CONTROL_DECIDED_BY_ARRIVAL
    i.digest.fill(0);
    for (std::size_t b = 0; b < 8; ++b) i.digest[b] = static_cast<std::uint8_t>(s.raw >> (56 - 8 * b));
#endif
    i.op = s.op.op;
    i.cls = s.op.cls;
    i.cancels = s.op.cancels;
    if (i.isData()) i.fields = canonicalFields(s.op);
    i.origin = &s;
    return i;
}

Item derivedDelete(std::int64_t instant) {
    Item i;
    i.version = Version{Order::instant, {instant}, {}};
    i.rank = rank(Op::delete_);
    i.op = Op::delete_;
    return i;
}

}  // namespace

std::vector<FoldedRecord> fold(const std::vector<StoredOperation>& operations, const SnapshotScopes& snapshots) {
    Folder folder;
    std::unordered_map<std::string, const RecordKey*> key_of;
    std::vector<RecordKey> targets;
    targets.reserve(operations.size());
    for (const StoredOperation& s : operations) {
        std::string key = s.op.key.text();
        key_of.emplace(key, &s.op.key);
        if (s.op.op == Op::merge || s.op.op == Op::unmerge) {
            targets.push_back({s.op.key.source, s.op.key.entity, s.op.into});
            std::string into = targets.back().text();
            key_of.emplace(into, &targets.back());
            folder.pair(key, into, itemOf(s));
        } else if (s.op.op == Op::presence) {
            folder.touch(key);
        } else {
            folder.add(key, itemOf(s));
        }
    }
    if (!snapshots.empty())
        for (const auto& [text, key] : key_of) {
            auto scope = snapshots.find(key->source);
            if (scope == snapshots.end()) continue;
            int at = scope->second.deletedBy(text);
            if (at >= 0) folder.add(text, derivedDelete(scope->second.snapshots[static_cast<std::size_t>(at)].instant));
        }
    std::vector<FoldedRecord> out;
    for (Class& c : folder.fold()) {
        FoldedRecord r;
        r.key = *key_of.at(c.survivor);
        for (const std::string& m : c.members) r.members.push_back(*key_of.at(m));
        r.live = c.live;
        for (const auto& [name, value] : c.fields) {
            if (*value->canonical == kNull && value->rivals.size() < 2) continue;
            FieldState f;
            f.setter = value->setter->origin;
            f.canonical = *value->canonical;
            if (value->rivals.size() > 1)
                for (const auto& [canonical, item] : value->rivals) f.rivals.push_back({canonical, item->origin});
            r.fields.emplace(name, std::move(f));
        }
        std::vector<const Item*> live;
        for (const auto& [m, s] : c.states) live.insert(live.end(), s.data.begin(), s.data.end());
        std::sort(live.begin(), live.end(), [](const Item* a, const Item* b) { return less(*a, *b); });
        for (const Item* i : live) r.live_operations.push_back(i->origin);
        if (!live.empty()) r.newest = live.back()->origin;
        // Subjects, mentions and validity follow the fields' rule: the survivor's greatest first, then the others'.
        std::vector<const Item*> by_preference(c.states.at(c.survivor).data.rbegin(),
                                               c.states.at(c.survivor).data.rend());
        by_preference.insert(by_preference.end(), live.rbegin(), live.rend());
        for (const Item* i : by_preference) {
            const Operation& op = i->origin->op;
            if (r.subjects.empty()) r.subjects = op.subjects;
            if (r.mentions.empty()) r.mentions = op.mentions;
            if (r.valid_from.empty() && r.valid_to.empty()) {
                r.valid_from = op.valid_from;
                r.valid_to = op.valid_to;
            }
        }
        out.push_back(std::move(r));
    }
    return out;
}

namespace {

Result<std::int64_t> instantOf(const std::string& text) {
    auto parsed = parseIso(text);
    if (!parsed) return parsed.error();
    return firstInstant(*parsed);
}

std::vector<std::pair<std::string, std::string>> fieldsOf(const Json* fields) {
    std::vector<std::pair<std::string, std::string>> out;
    if (fields)
        for (std::size_t i = 0; i < fields->size(); ++i)
            out.emplace_back(fields->keys()[i], canonical(fields->items()[i]));
    std::sort(out.begin(), out.end());
    return out;
}

Result<Item> itemOf(const Json& op) {
    Item item;
    std::string kind = op.text("op");
    bool known = false;
    for (Op o : {Op::upsert, Op::patch, Op::merge, Op::delete_, Op::cancel, Op::unmerge})
        if (name(o) == kind) {
            item.op = o;
            known = true;
        }
    if (!known || op.text("key").empty())
        return fail(Errc::malformed,
                    "an operation has `key` and `op` (upsert patch delete merge unmerge cancel snapshot)",
                    "fold.operation");
    auto at = instantOf(op.text("version"));
    if (!at) return at.error();
    item.version = Version{Order::instant, {*at}, {}};
    item.rank = rank(item.op);
    item.digest = sha256(canonical(op));
    item.cls = op.text("class");
    item.cancels = op.text("cancels");
    item.fields = fieldsOf(op.find("fields"));
    return item;
}

/// `max_delete_share` is read as decimal digits; parseJson keeps fractions as text.
double shareOf(const Json& op) {
    const Json* share = op.find("max_delete_share");
    if (!share) return 1;
    return share->isString() ? std::strtod(share->string().c_str(), nullptr) : static_cast<double>(share->integer());
}

void appendList(std::string& out, const std::vector<std::string>& texts) {
    out += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i) out += ',';
        quote(out, texts[i]);
    }
    out += ']';
}

}  // namespace

Result<std::string> foldNdjson(std::string_view input) {
    Folder folder;
    std::map<std::string, SnapshotScope> scopes;
    std::map<std::string, std::set<std::string>> keys_of_scope;
    std::map<std::string, std::set<std::pair<std::int64_t, std::string>>> places;
    std::size_t number = 0;
    while (!input.empty()) {
        std::size_t end = input.find('\n');
        std::string_view line = input.substr(0, end);
        input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto inLine = [&](Error e) {
            e.message = "line " + std::to_string(number) + ": " + e.message;
            return e;
        };
        auto op = parseJson(line);
        if (!op) return inLine(op.error());
        if (op->text("op") == "snapshot") {
            auto at = instantOf(op->text("version"));
            if (!at) return inLine(at.error());
            Snapshot s;
            s.instant = *at;
            s.version_text = op->text("version");
            s.object_digest = op->text("object");
            s.complete = op->find("complete") && op->find("complete")->boolean();
            s.confirmed = op->find("confirmed") && op->find("confirmed")->boolean();
            s.max_delete_share = shareOf(*op);
            std::string scope = op->text("scope");
            if (!places[scope].insert({s.instant, s.object_digest}).second) continue;
            if (const Json* rows = op->find("rows"))
                for (std::size_t i = 0; i < rows->size(); ++i) {
                    const std::string& key = rows->keys()[i];
                    s.keys.push_back(key);
                    keys_of_scope[scope].insert(key);
                    if (rows->items()[i].isNull()) continue;
                    Json row = Json::object();
                    row["key"] = key;
                    row["op"] = "upsert";
                    row["version"] = s.version_text;
                    row["fields"] = rows->items()[i];
                    auto item = itemOf(row);
                    if (!item) return inLine(item.error());
                    folder.add(key, std::move(*item));
                }
            std::sort(s.keys.begin(), s.keys.end());
            scopes[scope].snapshots.push_back(std::move(s));
            continue;
        }
        auto item = itemOf(*op);
        if (!item) return inLine(item.error());
        if (item->op == Op::merge || item->op == Op::unmerge)
            folder.pair(op->text("key"), op->text("into"), std::move(*item));
        else folder.add(op->text("key"), std::move(*item));
    }
    for (auto& [name, scope] : scopes) {
        scope.settle();
        for (const std::string& key : keys_of_scope[name]) {
            int at = scope.deletedBy(key);
            if (at >= 0) folder.add(key, derivedDelete(scope.snapshots[static_cast<std::size_t>(at)].instant));
        }
    }
    std::string out;
    for (const Class& c : folder.fold()) {
        out += "{\"key\":";
        quote(out, c.survivor);
        out += ",\"members\":";
        appendList(out, c.members);
        out += c.live ? ",\"deleted\":false,\"fields\":{" : ",\"deleted\":true,\"fields\":{";
        bool first = true;
        for (const auto& [name, value] : c.fields) {
            if (*value->canonical == kNull) continue;
            if (!first) out += ',';
            first = false;
            quote(out, name);
            out += ':' + *value->canonical;
        }
        out += "},\"conflicts\":{";
        first = true;
        for (const auto& [name, value] : c.fields) {
            if (value->rivals.size() < 2) continue;
            if (!first) out += ',';
            first = false;
            quote(out, name);
            out += ":[";
            for (auto it = value->rivals.begin(); it != value->rivals.end(); ++it)
                out += (it == value->rivals.begin() ? "" : ",") + it->first;
            out += ']';
        }
        out += "}}\n";
    }
    return out;
}

}  // namespace porta::schemas
