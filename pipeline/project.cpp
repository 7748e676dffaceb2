#include "pipeline/project.h"

#include <limits>
#include <set>

#include "base/hash.h"
#include "pipeline/connect.h"
#include "pipeline/crash_points.h"
#include "pipeline/records.h"
#include "pipeline/roles.h"
#include "pipeline/rows.h"

namespace porta::pipeline {

namespace {

constexpr std::int64_t kDeliveries = 500;  ///< in one entry of the decision log and one append
constexpr int kPersonBits = 40;

/// The first eight bytes of a digest.
std::uint64_t head(std::string_view text) {
    const Sha256 digest = sha256(text);
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n = n << 8 | digest[static_cast<std::size_t>(i)];
    return n;
}

Error otherLayout() { return fail(Errc::internal, "a message of persons or views has another layout", "log.message"); }

}  // namespace

struct Project::View {
    std::int64_t person = 0, revision = 0;
    const policy::Purpose* purpose = nullptr;
    std::string line;  ///< empty: not there for this purpose
    std::string box;   ///< the line, sealed
};

std::string encodePerson(const PersonRevision& p) {
    return std::to_string(p.person) + " " + std::to_string(p.revision);
}

Result<PersonRevision> decodePerson(std::string_view bytes) {
    std::size_t blank = bytes.find(' ');
    if (blank == std::string_view::npos) return otherLayout();
    return PersonRevision{std::strtoll(std::string(bytes.substr(0, blank)).c_str(), nullptr, 10),
                          std::strtoll(std::string(bytes.substr(blank + 1)).c_str(), nullptr, 10)};
}

std::string encode(const ViewMessage& d) { return encodePerson({d.person, d.revision}) + "\n" + d.box; }

Result<ViewMessage> decodeView(std::string_view bytes) {
    std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return otherLayout();
    auto header = decodePerson(bytes.substr(0, end));
    if (!header) return header.error();
    return ViewMessage{header->person, header->revision, std::string(bytes.substr(end + 1))};
}

std::int64_t viewKey(std::int64_t person, std::string_view purpose) {
    if (person < 0 || person >> kPersonBits)
        throw Failure{fail(Errc::internal, "a person's number is out of range", "project.person")};
    const auto high = static_cast<std::int64_t>(head(purpose) >> (2 + kPersonBits));  // 22 bits
    return std::int64_t{1} << 62 | high << kPersonBits | person;
}

std::int64_t viewsDigest(const policy::Purpose& purpose, const std::vector<views::SourceFacts>& sources) {
    Json all = decisionEntry(0, {}, {true, "", ""}, purpose, sources);
    all["purpose"] = purpose.id;
    all["sealed"] = purpose.sealed;
    all["recipients"] = Json::array();
    for (const std::string& r : purpose.recipients) all["recipients"].push(r);
    all["declared"] = Json::array();
    for (const auto& s : sources)
        for (const std::string& text : {s.id, s.agency_name, s.domain}) all["declared"].push(text);
    return static_cast<std::int64_t>(head(canonical(all)));
}

std::string viewsName(const std::string& purpose) { return "views " + purpose; }

Project::Project(const config::Settings& settings, Store& store, Keys& keys, Log& log, const Clock& clock)
    : settings_(settings),
      store_(store),
      keys_(keys),
      log_(log),
      clock_(clock),
      hash_(indexHash(keys)),
      reader_(Reader::over(settings, store, keys)),
      sources_(sourceFacts(settings)) {}

Result<std::unique_ptr<Project>> Project::open(const config::Settings& settings, Store& store, Keys& keys, Log& log,
                                               const Clock& clock, std::unique_ptr<DecisionLog> decisions) {
    std::unique_ptr<Project> project(new Project(settings, store, keys, log, clock));
    project->decisions_ = std::move(decisions);
    auto purposes = loadPurposes(settings);
    if (!purposes) return purposes.error();
    project->purposes_ = purposes->delivered();
    std::map<std::int64_t, std::string> numbers;
    for (const auto& p : project->purposes_) {
        auto [other, fresh] = numbers.emplace(viewKey(0, p.id), p.id);
        if (!fresh)
            return fail(Errc::misconfigured,
                        "the purposes `" + other->second + "` and `" + p.id +
                            "` would share keys; rename one, or take its recipients away",
                        "project.purpose");
    }
    if (auto r = project->settlePurposes(); !r) return r.error();
    return project;
}

/// Views that were delivered under another policy, or before a recipient was registered, are made and delivered again. A
/// purpose that nobody receives any more is owed nothing.
Result<void> Project::settlePurposes() {
    std::map<std::string, std::int64_t> wanted;
    for (const auto& p : purposes_) wanted[viewsName(p.id)] = viewsDigest(p, sources_);
    auto found = [&] {
        std::map<std::string, std::int64_t> out;
        store_.query("SELECT name, value FROM meta WHERE name LIKE ?1", {viewsName("%")},
                     [&](const Row& r) { out[std::string(r.bytes(0))] = r.integer(1); });
        return out;
    };
    try {
        if (found() == wanted) return {};
    } catch (const Failure& f) {
        return f.error;
    }
    return store_.exclusive([&] {
        const auto before = found();
        bool changed = false;
        for (const auto& [name, digest] : wanted) {
            auto old = before.find(name);
            if (old != before.end() && old->second == digest) continue;
            changed = true;
            store_.run(
                "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                {name, digest});
        }
        for (const auto& [name, digest] : before) {
            if (wanted.count(name)) continue;
            store_.run("DELETE FROM meta WHERE name = ?1", {name});
            store_.run("UPDATE view_row SET sent = revision WHERE purpose = ?1 AND sent < revision",
                       {name.substr(viewsName("").size())});
        }
        if (changed) store_.run("UPDATE person SET revision = revision + 1");
    });
}

/// One moment of the store for all of them, so that no view mixes two states of a person. A revision is that of the store,
/// not of the message: compaction may have left an older message than the newest that was sent (docs/decisions/0013).
/// Persons that are projected already, or unknown here, are left out of `revisions`.
Result<std::vector<Project::View>> Project::assemble(std::map<std::int64_t, std::int64_t>& revisions) {
    std::vector<View> views;
    std::vector<std::int64_t> asked;
    for (const auto& [person, revision] : revisions) asked.push_back(person);
    auto read = store_.snapshot([&] {
        views.clear();
        revisions.clear();
        std::set<std::int64_t> behind;
        queryIn(store_, "SELECT no, revision FROM person WHERE projected < revision AND no IN ()", asked,
                [&](const Row& r) {
                    revisions[r.integer(0)] = r.integer(1);
                    behind.insert(r.integer(0));
                });
        if (behind.empty() || purposes_.empty()) return;
        Records records = reader_->load(behind);
        auto of = records.persons.begin();
        for (std::int64_t person : behind) {
            while (of != records.persons.end() && of->person < person) ++of;
            const bool there = of != records.persons.end() && of->person == person;
            for (const auto& purpose : purposes_) {
                View view{person, revisions[person], &purpose, "", ""};
                if (there) {
                    auto seen = views::assemble(personText(person), of->records, viewOf(purpose), sources_, 0);
                    if (seen.visible) view.line = print(views::toJson(seen));
                }
                views.push_back(std::move(view));
            }
        }
    });
    if (!read) return read.error();
    return views;
}

/// The keys are durable before the rows that they seal.
void Project::seal(std::vector<View>& views) {
    std::vector<std::int64_t> numbers;
    for (const View& v : views)
        if (!v.line.empty()) numbers.push_back(viewKey(v.person, v.purpose->id));
    const std::vector<Key> keys = keys_.create(numbers);
    auto key = keys.begin();
    for (View& v : views)
        if (!v.line.empty()) v.box = sealRandom(*key++, v.line);
}

void Project::write(const std::map<std::int64_t, std::int64_t>& revisions, const std::vector<View>& views) {
    // Holds the persons' rows to the end: a worker that was overtaken finds other revisions there and writes nothing.
    Rows persons(store_, "INSERT INTO person(no, revision, sent, projected)", 4,
                 "ON CONFLICT(no) DO UPDATE SET projected = excluded.projected WHERE person.projected < "
                 "excluded.projected");
    std::vector<std::int64_t> asked;
    for (const auto& [person, revision] : revisions) {
        persons.add({person, revision, std::int64_t{0}, revision});
        asked.push_back(person);
    }
    persons.flush();
    std::set<std::int64_t> ours;
    queryIn(store_, "SELECT no, projected FROM person WHERE no IN ()", asked, [&](const Row& r) {
        if (r.integer(1) == revisions.at(r.integer(0))) ours.insert(r.integer(0));
    });
    // Somebody who never was there for a purpose leaves no trace in its topic.
    std::set<std::pair<std::int64_t, std::string>> known;
    queryIn(store_, "SELECT person, purpose FROM view_row WHERE length(box) > 0 AND person IN ()", asked,
            [&](const Row& r) { known.emplace(r.integer(0), r.bytes(1)); });
    Rows rows(store_, "INSERT INTO view_row(person, purpose, revision, sent, box)", 5,
              "ON CONFLICT(person, purpose) DO UPDATE SET revision = excluded.revision, box = excluded.box WHERE "
              "view_row.revision < excluded.revision");
    for (const View& v : views)
        if (ours.count(v.person) && (!v.box.empty() || known.count({v.person, v.purpose->id})))
            rows.add({v.person, v.purpose->id, v.revision, std::int64_t{0}, Blob{v.box}});
    rows.flush();
}

Result<std::size_t> Project::project(std::map<std::int64_t, std::int64_t> revisions) {
    std::set<std::int64_t> persons;
    for (const auto& [person, revision] : revisions) persons.insert(person);
    auto views = assemble(revisions);
    if (!views) return views.error();
    try {
        seal(*views);
    } catch (const Failure& f) {
        return f.error;
    }
    auto done = store_.transact([&] {
        write(revisions, *views);
        crashPoint("project.before-commit");
    });
    if (!done) return done.error();
    std::size_t delivered = 0;
    for (const auto& purpose : purposes_) {
        auto n = deliver(purpose, persons);
        if (!n) return n;
        delivered += *n;
    }
    return delivered;
}

Result<std::size_t> Project::deliver() {
    std::size_t delivered = 0;
    for (const auto& purpose : purposes_) {
        auto n = deliver(purpose, {});
        if (!n) return n;
        delivered += *n;
    }
    return delivered;
}

/// The outbox of these persons, or of everybody when there are none: logged, appended, marked.
Result<std::size_t> Project::deliver(const policy::Purpose& purpose, const std::set<std::int64_t>& persons) {
    std::size_t delivered = 0;
    std::int64_t from = persons.empty() ? 0 : *persons.begin();
    const std::int64_t to = persons.empty() ? std::numeric_limits<std::int64_t>::max() : *persons.rbegin();
    try {
        while (true) {
            std::vector<ViewMessage> deliveries;
            std::int64_t read = 0;
            store_.query(
                "SELECT person, revision, box FROM view_row WHERE purpose = ?1 AND person BETWEEN ?2 AND ?3 AND sent < "
                "revision ORDER BY person LIMIT ?4",
                {purpose.id, from, to, kDeliveries}, [&](const Row& r) {
                    ++read;
                    from = r.integer(0);
                    if (persons.empty() || persons.count(from))
                        deliveries.push_back({from, r.integer(1), std::string(r.bytes(2))});
                });
            ++from;
            if (!deliveries.empty()) {
                if (auto r = disclose(purpose, deliveries); !r) return r.error();
                std::vector<Message> messages;
                for (const ViewMessage& d : deliveries)
                    messages.push_back(
                        {viewsTopic(purpose.id), hash_("person " + std::to_string(d.person)), encode(d)});
                if (auto r = log_.append(messages); !r) return r.error();
                crashPoint("project.delivered");
                auto marked = store_.transact([&] {
                    // Also downwards: when another worker has sent a later revision meanwhile, ours may have become the
                    // last of the topic, and the later one is owed again.
                    Rows rows(store_, "INSERT INTO view_row(person, purpose, revision, sent, box)", 5,
                              "ON CONFLICT(person, purpose) DO UPDATE SET sent = excluded.sent");
                    for (const ViewMessage& d : deliveries)
                        rows.add({d.person, purpose.id, d.revision, d.revision, Blob{}});
                    rows.flush();
                });
                if (!marked) return marked.error();
                delivered += deliveries.size();
                from = deliveries.front().person;
            }
            if (read < kDeliveries && deliveries.empty()) return delivered;
        }
    } catch (const Failure& f) {
        return f.error;
    }
}

Result<void> Project::disclose(const policy::Purpose& purpose, const std::vector<ViewMessage>& deliveries) {
    if (!decisions_) {
        auto opened = DecisionLog::open(settings_);
        if (!opened) return opened.error();
        decisions_ = std::move(*opened);
    }
    static const policy::Decision kRegistered{true, "purpose.recipients", "the purpose names its recipients"};
    Json entry =
        decisionEntry(clock_.now(), {"porta", "", purpose.id, "", "view.deliver"}, kRegistered, purpose, sources_);
    entry["recipients"] = Json::array();
    for (const std::string& r : purpose.recipients) entry["recipients"].push(r);
    entry["outcome"] = "delivered";
    std::vector<std::int64_t> persons;
    for (const ViewMessage& d : deliveries) persons.push_back(d.person);
    addPersons(entry, std::move(persons), false);
    return decisions_->append(entry);
}

}  // namespace porta::pipeline
