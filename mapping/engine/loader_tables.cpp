#include <filesystem>

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

void Loader::tables(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of tables expected");
    for (std::size_t i = 0; i < y.keys.size(); ++i) {
        // Known from here on, so that a mistake in its rows is told once and not at each use.
        Table& made = out.tables.emplace(y.keys[i], Table{}).first->second;
        made.name = y.keys[i];
        guarded([&] { table(y.items[i], made); });
    }
}

void Loader::terms(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of names and code map files expected");
    for (std::size_t i = 0; i < y.keys.size(); ++i) {
        if (out.tables.count(y.keys[i])) {
            findings.push_back(finding(keyAt(y, i), "duplicate-key", "`tables` has a table of this name"));
            continue;
        }
        Table& made = out.tables.emplace(y.keys[i], Table{}).first->second;
        made.name = y.keys[i];
        guarded([&] {
            const std::string named = scalar(y.items[i], "a file");
            const std::string file = (std::filesystem::path(path).parent_path() / named).lexically_normal().string();
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
        });
    }
}

}  // namespace porta::mapping
