#include "pipeline/simulation/laws.h"

#include <algorithm>

#include "base/canonical_json.h"
#include "identity/log.h"
#include "pipeline/disclosure.h"
#include "pipeline/gateway.h"
#include "pipeline/keys.h"
#include "pipeline/read.h"
#include "pipeline/receive.h"

namespace porta::pipeline::simulation {

namespace {

using Broken = std::optional<std::string>;

constexpr std::int64_t kAsOf = 1'709'600'000'000'000;  ///< in March 2024

/// Without faults, over the stores of a schedule that is over.
struct Look {
    Look(const Prepared& prepared, Town& town) : prepared(prepared), town(town) {
        auto opened = openWorld(town, "reader", prepared.settings.key_file);
        if (!opened) throw Failure{opened.error()};
        world = std::move(*opened);
        reader = Reader::over(prepared.settings, *world.store, *world.keys);
    }
    const Prepared& prepared;
    Town& town;
    World world;
    std::unique_ptr<Reader> reader;
};

/// Law 1: the account balances, nothing is on its way, each raw record has one outcome, none is counted twice.
Broken account(Look& look) {
    const Json status = look.reader->status();
    if (status.text("state") != "quiet") return "law 1: it is at rest and not quiet: " + print(*status.find("pending"));
    const Json all = look.reader->account();
    if (print(*all.find("balanced")) != "true") return "law 1: the account does not balance";
    std::map<std::string, std::map<std::string, std::int64_t>> counted;
    Broken broken;
    eachOperation(*look.world.store, [&](RecordMessage& r) {
        auto operations = openOperations(*look.world.keys, r.raw, r.generation, r.box);
        if (!operations) throw Failure{operations.error()};
        for (const auto& op : *operations)
            if (op.op != schemas::Op::presence) ++counted[op.key.source][op.key.entity];
    });
    for (const Json& s : all.find("sources")->items()) {
        if (s.find("pending")->integer() != 0) return "law 1: raw records of " + s.text("source") + " have no outcome";
        const Json& records = *s.find("records");
        for (std::size_t i = 0; i < records.size(); ++i)
            if (records.items()[i].integer() != counted[s.text("source")][records.keys()[i]])
                return "law 1: operations of " + s.text("source") + " are counted " + print(records.items()[i]) +
                       " times instead of " + std::to_string(counted[s.text("source")][records.keys()[i]]);
    }
    look.world.store->query(
        "SELECT o.no FROM object o WHERE o.state IN (0, 1) AND (o.state = 0 OR o.done <> o.n OR o.n <> (SELECT "
        "COUNT(*) "
        "FROM raw r WHERE r.object = o.no AND r.id >= o.first_raw AND r.id < o.first_raw + o.n) OR o.n <> (SELECT "
        "COUNT(*) "
        "FROM operation p WHERE p.object = o.no))",
        {}, [&](const Row& r) {
            broken = "law 1: object " + std::to_string(r.integer(0)) + " has not one outcome for each raw record";
        });
    return broken;
}

/// Law 1: what was acknowledged is there, byte by byte.
Broken acknowledged(Look& look, const Feeds& feeds) {
    using Known = std::tuple<std::string, std::string, std::string>;  // source, digest, object time
    std::set<Known> there;
    std::map<std::int64_t, std::string> digests;
    look.reader->objects([&](const Json& o) {
        digests[o.find("n")->integer()] = o.text("sha256");
        if (o.text("state") == "closed") there.emplace(o.text("source"), o.text("sha256"), o.text("object_time"));
    });
    std::map<std::string, std::string> sent;  // digest → bytes
    for (std::size_t i = 0; i < feeds.history->size(); ++i) {
        const Sending& s = (*feeds.history)[i];
        if (!feeds.acknowledged.count(i)) return "liveness: " + s.source + " " + s.path + " was never acknowledged";
        const std::string bytes = s.bytes(), digest = hex(sha256(bytes));
        sent[digest] = bytes;
        if (!there.count({s.source, digest, s.object_time}))
            return "law 1: " + s.source + " " + s.path + " was acknowledged and is not there";
    }
    Broken broken;
    look.reader->eachRaw([&](const RawRow& row) {
        auto bytes = look.reader->rawBytes(row.id);
        if (!bytes) throw Failure{bytes.error()};
        auto whole = sent.find(digests[row.object]);
        if (whole == sent.end() || whole->second.compare(static_cast<std::size_t>(row.start),
                                                         static_cast<std::size_t>(row.length), *bytes) != 0)
            broken = "law 1: raw record " + Reader::rawText(row.id) + " is not what was sent";
    });
    return broken;
}

/// Law 2: mapped again from the raw bytes everything is as it is stored.
Broken replayed(Look& look) {
    auto report = replayAll(*look.reader, look.prepared.sources, "");
    if (!report) throw Failure{report.error()};
    if (report->find("different")->size() || report->find("refused_digest")->integer())
        return "law 2: a replay gives something else: " + print(*report->find("different"));
    return {};
}

/// Law 4: every value of every view says where it comes from, and it is there.
Broken traced(Look& look, const views::CaseView& view, std::map<std::int64_t, std::string>& bytes) {
    for (const schemas::TracedValue& v : views::traced(view)) {
        const schemas::ValueOrigin& origin = v.origin;
        auto wrong = [&](const char* what) { return "law 4: " + v.pointer + " " + what; };
        const bool from_bytes = origin.how == schemas::How::copied || origin.how == schemas::How::translated;
        if (from_bytes && (!origin.leaf || !origin.operation || origin.leaf->sources.empty()))
            return wrong("names no bytes");
        if (origin.how == schemas::How::translated && origin.leaf->table_row < 0)
            return wrong("names no row of its table");
        if (origin.how == schemas::How::declared && origin.config_key.empty())
            return wrong("names no key of the configuration");
        if (!origin.leaf || !origin.operation) continue;
        const schemas::StoredOperation& op = *origin.operation;
        auto generation = look.reader->generations().find(op.generation);
        if (generation == look.reader->generations().end() || origin.leaf->rule >= generation->second.rules.size())
            return wrong("names no rule");
        auto raw = bytes.find(op.raw);
        if (raw == bytes.end()) {
            auto read = look.reader->rawBytes(op.raw);
            if (!read) throw Failure{read.error()};
            raw = bytes.emplace(op.raw, std::move(*read)).first;
        }
        for (const schemas::Source& s : origin.leaf->sources) {
            if (s.offset + s.length > raw->second.size()) return wrong("points outside its raw record");
            // The town writes neither escapes nor other than ASCII into what is published: bytes are what they decode to.
            if (raw->second.compare(s.offset, s.length, s.decoded) != 0) return wrong("points at other bytes");
        }
    }
    return {};
}

/// The identity log alone gives who is who; each key has one owner; an id that was merged away follows its founding record.
Broken identity(Look& look) {
    identity::IdentityLog log;
    std::map<std::string, std::int64_t> founders;
    Broken broken;
    std::int64_t last = 0;
    look.world.store->query(
        "SELECT seq, event, person, other, hash FROM identity_log ORDER BY seq", {}, [&](const Row& r) {
            if (broken) return;
            const identity::LogEntry entry{static_cast<identity::LogEvent>(r.integer(1)), r.integer(2), r.integer(3),
                                           r.integer(4) ? std::to_string(r.integer(4)) : "", ""};
            if (r.integer(0) != ++last) broken = "identity: the log has a gap before " + std::to_string(r.integer(0));
            if (entry.event == identity::LogEvent::founded) {
                auto before = founders.find(entry.record);
                if (before != founders.end() && !log.exists(before->second))
                    broken = "identity: person " + std::to_string(before->second) +
                             " was not revived by its founding record";
                founders.emplace(entry.record, entry.person);
            }
            if (auto done = log.apply(entry); !done) broken = "identity: " + done.error().message;
        });
    if (broken) return broken;
    std::map<std::string, std::int64_t> members, logged;
    look.world.store->query("SELECT hash, person FROM member", {}, [&](const Row& r) {
        if (!members.emplace(std::to_string(r.integer(0)), r.integer(1)).second)
            broken = "identity: a key has two owners";
    });
    if (broken) return broken;
    for (const auto& [id, person] : log.persons()) {
        for (const auto& [key, order] : person.members) logged[key] = id;
        const std::int64_t now = log.personOf(person.founder);
        if (now && !log.exists(id) && log.resolve(id) != now)
            return "identity: person " + std::to_string(id) + " does not lead to where its founding record is";
    }
    if (members != logged) return "identity: the members are not those of the identity log";
    return {};
}

/// What recipients have received, folded, is what the store says and what a reader is shown.
Broken delivered(Look& look, const policy::Purpose& purpose, const Records& records) {
    auto log = plainLog(look.town);
    auto receiver = Receiver::over(look.prepared.settings, purpose, *look.world.store, *look.world.keys, *log);
    if (!receiver) return "delivery: " + receiver.error().message;
    std::map<std::int64_t, std::string> lines, shown;
    std::map<std::int64_t, std::int64_t> revisions;
    for (bool some = true; some;) {
        auto messages = (*receiver)->poll(0);
        if (!messages) throw Failure{messages.error()};
        some = !messages->empty();
        for (const ViewMessage& m : *messages) {
            auto line = (*receiver)->line(m);
            if (!line) return "delivery: what was sent cannot be opened: " + line.error().message;
            revisions[m.person] = m.revision;
            if (line->empty()) lines.erase(m.person);
            else lines[m.person] = std::move(*line);
        }
    }
    if (!(*receiver)->complete()) return "delivery: what is marked as sent is not in the topic";
    Broken broken;
    look.world.store->query("SELECT person, revision FROM view_row", {}, [&](const Row& r) {
        if (revisions[r.integer(0)] != r.integer(1))
            broken = "delivery: the topic ends at another revision than the store";
    });
    const auto sources = sourceFacts(look.prepared.settings);
    for (const auto& p : records.persons) {
        auto view = views::assemble(personText(p.person), p.records, viewOf(purpose), sources, 0);
        if (view.visible) shown[p.person] = print(views::toJson(view));
    }
    if (!broken && lines != shown) broken = "delivery: recipients hold other views than readers are shown";
    // Law 5: each delivery is in the decision log before it is sent.
    auto auditor = openWorld(look.town, "project", look.prepared.settings.key_file);
    if (!auditor) throw Failure{auditor.error()};
    auto count = auditor->decisions->verify();
    if (!count) return "law 5: " + count.error().message;
    if (*count < look.town.log.appends_of_views) return "law 5: views were sent without an entry in the decision log";
    return broken;
}

std::vector<views::SourceFacts> factsOf(Look& look) {
    auto sources = sourceFacts(look.prepared.settings);
    for (auto& s : sources) s.newest_instant = look.reader->newestOf(s.id);
    return sources;
}

std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
        if (i >= a.size() || i >= b.size() || a[i] != b[i])
            return "\n  found     " + (i < a.size() ? a[i] : "nothing") + "\n  expected  " +
                   (i < b.size() ? b[i] : "nothing");
    return "";
}

}  // namespace

Broken checkAlone(const Prepared& prepared, const policy::Purposes& purposes, Town& town, const Feeds& feeds) {
    Look look(prepared, town);
    if (auto b = account(look)) return b;
    if (auto b = acknowledged(look, feeds)) return b;
    if (auto b = replayed(look)) return b;
    if (auto b = identity(look)) return b;
    const Records records = look.reader->load(0);
    const auto sources = factsOf(look);
    std::map<std::int64_t, std::string> bytes;
    for (const auto& p : records.persons) {
        auto view =
            views::assemble(personText(p.person), p.records, viewOf(*purposes.purpose(kWholePurpose)), sources, kAsOf);
        if (auto b = traced(look, view, bytes)) return b;
    }
    return delivered(look, *purposes.purpose(kLimitedPurpose), records);
}

Outcome outcomeOf(const Prepared& prepared, const policy::Purposes& purposes, Town& town) {
    Look look(prepared, town);
    Outcome out;
    const Records records = look.reader->load(0);
    const auto sources = factsOf(look);
    for (const auto& p : records.persons) {
        for (auto& [purpose, lines] :
             {std::pair(kWholePurpose, &out.whole), std::pair(kLimitedPurpose, &out.limited)}) {
            auto view = views::assemble("", p.records, viewOf(*purposes.purpose(purpose)), sources, kAsOf);
            if (view.visible) lines->push_back(canonical(views::toJson(view)));
        }
        std::vector<std::string> keys;
        for (const auto& r : p.records)
            if (r.live && r.key.entity == "person") keys.push_back(r.key.text());
        std::sort(keys.begin(), keys.end());
        if (!keys.empty()) out.partition.insert(std::move(keys));
    }
    std::sort(out.whole.begin(), out.whole.end());
    std::sort(out.limited.begin(), out.limited.end());
    const Json account = look.reader->account();
    for (const Json& s : account.find("sources")->items()) {
        // A sender that was not answered delivers again, and that is counted as a duplicate.
        const std::int64_t skipped = s.find("skipped")->integer() - s.find("duplicates")->integer();
        out.accounts.push_back(s.text("source") + " " + print(*s.find("published")) + " " +
                               print(*s.find("quarantined_by")) + " " + std::to_string(skipped) + " " +
                               print(*s.find("records")));
    }
    look.world.store->query("SELECT object, accepted FROM snapshot", {}, [&](const Row& r) {
        out.snapshots.push_back(std::to_string(r.integer(0)) + (r.integer(1) ? " accepted" : " not accepted"));
    });
    for (std::string& s : out.snapshots) {
        const std::size_t blank = s.find(' ');
        s = look.reader->objectOf(std::stoll(s.substr(0, blank))).meta.sha256 + s.substr(blank);
    }
    std::sort(out.snapshots.begin(), out.snapshots.end());
    return out;
}

Broken compare(const Outcome& o, const Beside& undisturbed) {
    const Outcome& u = undisturbed.all;
    if (o.accounts != u.accounts)
        return "law 1: the account is not that of the undisturbed run" + difference(o.accounts, u.accounts);
    if (o.snapshots != u.snapshots)
        return "law 3: other snapshots are accepted than undisturbed" + difference(o.snapshots, u.snapshots);
    if (o.partition != u.partition) return "law 3: other records are one person than undisturbed";
    if (o.whole != u.whole)
        return "law 3: the views are not those of the undisturbed run" + difference(o.whole, u.whole);
    if (o.limited != u.limited)
        return "law 3: the views of a purpose are not those undisturbed" + difference(o.limited, u.limited);
    if (o.limited != undisturbed.limited_without)
        return "law 5: a purpose tells records of a source that it does not see" +
               difference(o.limited, undisturbed.limited_without);
    return {};
}

}  // namespace porta::pipeline::simulation
