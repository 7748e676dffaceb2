// `porta map diff`: two versions of a mapping, by what they mean, and by what they would change in a source's records.
#include <CLI/CLI.hpp>

#include <iostream>
#include <map>
#include <set>

#include "app/context.h"
#include "app/map_store.h"
#include "app/map_verbs.h"
#include "base/canonical_json.h"
#include "mapping/engine/compare.h"

namespace porta::app {

namespace {

using mapping::FieldChange;

/// An operation's parts by target field, places in lists left out.
using Parts = std::map<std::string, std::string>;

std::string withoutIndexes(const std::string& path) {
    std::string out;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string step = path.substr(at, end - at);
        const bool index = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
        if (!index) out += (out.empty() ? "" : "/") + step;
        at = end + 1;
    }
    return out;
}

Parts partsOf(const schemas::Operation& op) {
    Parts parts;
    parts["(version)"] = std::string(schemas::name(op.version.order)) + op.version.text;
    parts["(valid)"] = op.valid_from + "/" + op.valid_to;
    parts["(into)"] = op.into;
    for (const auto& s : op.subjects) parts["(subject " + s.entity + ")"] += s.text() + "\n";
    for (const auto& m : op.mentions) parts["(mention " + m.entity + ")"] += m.text() + "\n";
    for (const schemas::Leaf& l : op.leaves)
        parts[withoutIndexes(l.path)] += l.path + "=" + std::to_string(static_cast<int>(l.kind)) + l.value + "\n";
    return parts;
}

/// What the last records of a source would be with either mapping, held against each other.
class Effect {
public:
    Effect(const mapping::Program& before, const mapping::Program& after) : before_(before), after_(after) {}

    void look(const StoredRaw& raw) {
        ++compared_;
        mapping::Outcome old = before_.map(raw.format, raw.input, tree_);
        mapping::Outcome now = after_.map(raw.format, raw.input, tree_);
        bool differs = false;
        if (old.state != now.state) {
            ++outcomes_[stateName(old.state) + " to " + stateName(now.state)];
            differs = true;
        }
        const auto olds = byIdentity(old), nows = byIdentity(now);
        std::vector<schemas::Operation> touched;
        for (const auto& [identity, op] : olds)
            if (auto found = nows.find(identity); found == nows.end()) touched.push_back(*op), whole(*op);
            else if (compare(*op, *found->second)) touched.push_back(*op), touched.push_back(*found->second);
        for (const auto& [identity, op] : nows)
            if (!olds.count(identity)) touched.push_back(*op), whole(*op);
        for (const schemas::Operation& op : touched) records_.insert(op.key.text());
        for (std::int64_t person : raw.reader.personsOf(touched)) people_.insert(person);
        raws_ += differs || !touched.empty();
    }
    Json json(const std::string& source, std::size_t last) const {
        Json j = Json::object();
        j["source"] = source;
        j["last"] = static_cast<std::uint64_t>(last);
        j["compared"] = static_cast<std::uint64_t>(compared_);
        j["raws"] = static_cast<std::uint64_t>(raws_);
        j["records"] = static_cast<std::uint64_t>(records_.size());
        j["people"] = static_cast<std::uint64_t>(people_.size());
        j["outcomes"] = Json::object();
        for (const auto& [what, n] : outcomes_) j["outcomes"][what] = static_cast<std::uint64_t>(n);
        j["fields"] = Json::array();
        for (const auto& [field, keys] : fields_) {
            Json f = Json::object();
            f["entity"] = field.first;
            f["path"] = field.second;
            f["records"] = static_cast<std::uint64_t>(keys.size());
            j["fields"].push(f);
        }
        return j;
    }

private:
    static std::string stateName(mapping::State s) {
        return s == mapping::State::published ? "published" : s == mapping::State::skipped ? "skipped" : "quarantined";
    }
    /// Operations on one record and of one kind are told apart by their order.
    static std::map<std::string, const schemas::Operation*> byIdentity(const mapping::Outcome& outcome) {
        std::map<std::string, const schemas::Operation*> all;
        std::map<std::string, int> seen;
        for (const schemas::Operation& op : outcome.operations) {
            std::string id = op.key.text() + "|" + std::string(schemas::name(op.op)) + "|" + op.cls + "|" + op.cancels;
            const int nth = seen[id]++;
            all[id + "|" + std::to_string(nth)] = &op;
        }
        return all;
    }
    void note(const schemas::Operation& op, const std::string& path) {
        fields_[{op.key.entity, path}].insert(op.key.text());
    }
    void whole(const schemas::Operation& op) {
        for (const auto& part : partsOf(op))
            if (part.first[0] != '(') note(op, part.first);
        note(op, "(record)");
    }
    bool compare(const schemas::Operation& a, const schemas::Operation& b) {
        const Parts old = partsOf(a), now = partsOf(b);
        bool differs = false;
        auto differ = [&](const std::string& path) {
            differs = true;
            note(a, path);
        };
        for (const auto& [path, text] : old)
            if (auto found = now.find(path); found == now.end() || found->second != text) differ(path);
        for (const auto& part : now)
            if (!old.count(part.first)) differ(part.first);
        return differs;
    }

    const mapping::Program& before_;
    const mapping::Program& after_;
    formats::NodeTree tree_;
    std::size_t compared_ = 0, raws_ = 0;
    std::map<std::string, std::size_t> outcomes_;
    std::map<std::pair<std::string, std::string>, std::set<std::string>> fields_;
    std::set<std::string> records_;
    std::set<std::int64_t> people_;
};

Json asJson(const FieldChange& c) {
    Json j = Json::object();
    j["emit"] = c.emit;
    j["path"] = c.path;
    j["change"] = mapping::name(c.kind);
    j["before"] = c.rule_before.empty() ? Json() : Json(c.rule_before);
    j["after"] = c.rule_after.empty() ? Json() : Json(c.rule_after);
    j["aspects"] = Json::array();
    for (const FieldChange::Aspect& a : c.aspects) {
        Json one = Json::object();
        one["name"] = a.name;
        one["before"] = a.before.empty() ? Json() : Json(a.before);
        one["after"] = a.after.empty() ? Json() : Json(a.after);
        j["aspects"].push(one);
    }
    return j;
}

void printText(const FieldChange& c) {
    std::cout << (c.emit.empty() ? "" : c.emit + " ") << c.path << " " << mapping::name(c.kind);
    for (const std::string& rule : {c.rule_before, c.rule_after})
        if (!rule.empty()) std::cout << "  " << rule;
    std::cout << "\n";
    for (const FieldChange::Aspect& a : c.aspects) {
        std::cout << "    " << a.name << ":";
        if (!a.before.empty()) std::cout << " was `" << a.before << "`";
        std::cout << (a.after.empty() ? ", no more" : (a.before.empty() ? " `" : ", is `") + a.after + "`") << "\n";
    }
}

void printText(const Json& over) {
    auto count = [&](const char* key) { return std::to_string(over.find(key)->integer()); };
    std::cout << "over the last " << count("compared") << " raw records of " << over.text("source") << ": "
              << count("raws") << " come out otherwise, " << count("records") << " records and " << count("people")
              << " people change\n";
    const Json& outcomes = *over.find("outcomes");
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        std::cout << "    " << outcomes.items()[i].integer() << " from " << outcomes.keys()[i] << "\n";
    for (const Json& f : over.find("fields")->items())
        std::cout << "    " << f.text("entity") << " " << f.text("path") << ": " << f.find("records")->integer()
                  << " records\n";
}

}  // namespace

int mapDiff(const Arguments& args) {
    CLI::App app{
        "porta map diff: what each target field means otherwise in the second mapping, wherever the rules stand in "
        "the\n"
        "files; and with --over what it would change in the newest raw records of a source: no value is shown."};
    app.footer(
        "Examples: porta map diff old.yaml new.yaml\n"
        "          porta map diff old.yaml new.yaml --over hospital --last 5000 -c config --json");
    Options options;
    std::string before, after, source;
    std::size_t last = 1000;
    bool json = false;
    app.add_option("before", before, "mapping file")->required();
    app.add_option("after", after, "mapping file")->required();
    app.add_option("--over", source, "source of the configuration whose stored raw records are mapped with both");
    app.add_option("--last", last, "how many of its newest raw records (1000)");
    app.add_flag("--json", json,
                 "{changes: [{emit, path, change, before, after, aspects[]}], over?: {source, last, compared, "
                 "raws, records, people, outcomes, fields: [{entity, path, records}]}}");
    addStore(app, options);
    if (auto ended = parse(app, args)) return *ended;
    auto a = mapping::Program::load(before);
    if (!a) return complain(a.error());
    auto b = mapping::Program::load(after);
    if (!b) return complain(b.error());
    const std::vector<FieldChange> changes = mapping::compareMappings(**a, **b);
    Json out = Json::object();
    out["changes"] = Json::array();
    for (const FieldChange& c : changes) out["changes"].push(asJson(c));
    if (!source.empty()) {
        Effect effect(**a, **b);
        auto done = eachRecent(options, source, last, [&](const StoredRaw& raw) { effect.look(raw); });
        if (!done) return complain(done.error());
        out["over"] = effect.json(source, last);
    }
    if (json) {
        std::cout << print(out) << "\n";
        return 0;
    }
    for (const FieldChange& c : changes) printText(c);
    if (changes.empty()) std::cout << "no field means anything else\n";
    if (const Json* over = out.find("over")) printText(*over);
    return 0;
}

}  // namespace porta::app
