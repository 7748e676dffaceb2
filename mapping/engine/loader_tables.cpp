#include <filesystem>
#include <fstream>
#include <sstream>

#include "mapping/engine/loader.h"

namespace porta::mapping {

Row Loader::row(const Yaml& y, const Table& table) {
    Row r;
    r.line = y.line;
    r.column = y.column;
    r.system = table.system;
    r.equivalence = "equal";
    if (y.kind == Yaml::Kind::scalar) {
        unquoted(y);
        r.code = y.text;
    } else {
        keys(y, {"code", "system", "display", "equivalence", "from", "to"});
        r.code = member(y, "code");
        r.system = member(y, "system", table.system);
        r.display = member(y, "display");
        if (const Yaml* e = y.find("equivalence"))
            r.equivalence = choice(*e, "equivalence", {"equal", "wider", "narrower", "inexact", "unmatched"});
        for (auto [key, to] : {std::pair{"from", &r.from}, std::pair{"to", &r.to}})
            if (const Yaml* date = y.find(key)) {
                *to = scalar(*date, key);
                if (!parseIso(*to) || to->size() > 10) stop(*date, "type", "`" + std::string(key) + "` is a date");
            }
        if (!r.from.empty() && !r.to.empty() && r.to < r.from.substr(0, r.to.size()))
            stop(*y.find("to"), "order", "`to` is before `from`");
    }
    if (r.code.empty()) stop(y, "missing", "a row needs a target code");
    return r;
}

void Loader::table(const Yaml& t, Table& table) {
    keys(t, {"terms", "about", "system", "source_system", "hierarchy", "rows", "otherwise"});
    table.system = member(t, "system");
    table.source_system = member(t, "source_system");
    if (const Yaml* h = t.find("hierarchy"))
        table.hierarchy = Hierarchy::named(choice(*h, "hierarchy", Hierarchy::names()));
    const Yaml* rows = t.find("rows");
    if (!rows || rows->kind != Yaml::Kind::map) stop(t, "missing", "`rows` is missing");
    for (std::size_t r = 0; r < rows->keys.size(); ++r)
        guarded([&] {
            // Without the file's text a key does not know whether it was quoted.
            if (!lines.empty()) unquoted(keyAt(*rows, r));
            const Yaml& to = rows->items[r];
            if (to.kind == Yaml::Kind::sequence) {
                for (const Yaml& one : to.items) table.several[rows->keys[r]].push_back(row(one, table));
                return;
            }
            Row one = row(to, table);
            if (one.from.empty() && one.to.empty()) table.rows.emplace(rows->keys[r], std::move(one));
            else table.several[rows->keys[r]].push_back(std::move(one));
        });
    if (const Yaml* o = t.find("otherwise")) table.otherwise = row(*o, table);
}

/// So that expressions may ask it.
void Loader::answering(const Yaml& at, const Table& table, const std::string& about) {
    std::vector<std::string> names = {table.name};
    if (about.find(':') != std::string::npos) {
        if (out.terms->find(fhirpath::Terminology::Kind::code_map, about) != fhirpath::Terminology::kNone)
            findings.push_back(finding(at, "duplicate-key", "another table is `about` the same: " + about));
        else names.insert(names.begin(), about);
    }
    out.terms->addMap(
        std::move(names), table.source_system, table.rows.size() + table.several.size(),
        [&table](std::string_view code, std::string_view day, std::vector<fhirpath::Terminology::Match>& to) {
            const Choice choice = choose(table, code, day);
            if (!choice.row || choice.ambiguous) return !choice.ambiguous;
            to.push_back({{choice.row->system, choice.row->code, choice.row->display},
                          choice.of_group ? std::string_view("wider") : choice.row->equivalence});
            return true;
        });
}

/// A ValueSet or CodeSystem of FHIR: nothing to translate with, but expressions may ask it. False: the file is something else.
bool Loader::resource(const Yaml& at, const std::string& name, const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    auto json = parseJson(bytes.str());
    if (!json || !json->find("resourceType")) return false;
    if (json->text("resourceType") == "ConceptMap")
        stop(at, "terms", "a ConceptMap is a code map after `porta terms import --from conceptmap`");
    if (auto added = out.terms->add(bytes.str(), name); !added) stop(at, "terms", added.error().message);
    terms_digest[name] = std::move(*json);
    return true;
}

void Loader::tables(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of tables expected");
    for (std::size_t i = 0; i < y.keys.size(); ++i) {
        // Known from here on, so that a mistake in its rows is told once and not at each use.
        Table& made = out.tables.emplace(y.keys[i], Table{}).first->second;
        made.name = y.keys[i];
        guarded([&] { table(y.items[i], made); });
        answering(y.items[i], made, y.items[i].get("about"));
    }
}

std::string Loader::beside(const std::string& file) const {
    return (std::filesystem::path(path).parent_path() / file).lexically_normal().string();
}

void Loader::terms(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of names and code map files expected");
    for (std::size_t i = 0; i < y.keys.size(); ++i) {
        if (out.tables.count(y.keys[i])) {
            findings.push_back(finding(keyAt(y, i), "duplicate-key", "`tables` has a table of this name"));
            continue;
        }
        bool read = false;
        guarded([&] {
            read = true;
            read = y.items[i].text.ends_with(".json") && resource(y.items[i], y.keys[i], beside(y.items[i].text));
        });
        if (read) continue;
        Table& made = out.tables.emplace(y.keys[i], Table{}).first->second;
        made.name = y.keys[i];
        std::string about;
        guarded([&] {
            const std::string named = scalar(y.items[i], "a file");
            const std::string file = beside(named);
            auto yaml = loadYaml(file);
            if (!yaml) {
                if (yaml.error().rule == "yaml.open")
                    stop(y.items[i], "terms",
                         "the code map `" + named + "` cannot be opened; it is looked for beside the mapping");
                throw Stop{placed(yaml.error(), file, yaml.error().rule)};
            }
            made.file = file;
            // What is wrong in it is told with its own name; the lines of the mapping say nothing of its quotes.
            Loader inner{out, file, {}, findings};
            inner.guarded([&] { inner.table(*yaml, made); });
            terms_digest[y.keys[i]] = toJson(*yaml);
            about = yaml->get("about");
        });
        answering(y.items[i], made, about);
    }
}

}  // namespace porta::mapping
