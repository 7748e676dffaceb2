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
        keys(y, {"code", "system", "display", "equivalence"});
        r.code = member(y, "code");
        r.system = member(y, "system", table.system);
        r.display = member(y, "display");
        if (const Yaml* e = y.find("equivalence"))
            r.equivalence = choice(*e, "equivalence", {"equal", "wider", "narrower", "inexact", "unmatched"});
    }
    if (r.code.empty()) stop(y, "missing", "a row needs a target code");
    return r;
}

void Loader::tables(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of tables expected");
    for (std::size_t i = 0; i < y.keys.size(); ++i) {
        const Yaml& t = y.items[i];
        // Known from here on, so that a mistake in its rows is told once and not at each use.
        Table& table = out.tables.emplace(y.keys[i], Table{}).first->second;
        table.name = y.keys[i];
        guarded([&] {
            keys(t, {"system", "source_system", "rows", "otherwise"});
            table.system = member(t, "system");
            table.source_system = member(t, "source_system");
            const Yaml* rows = t.find("rows");
            if (!rows || rows->kind != Yaml::Kind::map) stop(t, "missing", "`rows` is missing");
            for (std::size_t r = 0; r < rows->keys.size(); ++r)
                guarded([&] {
                    if (!lines.empty()) unquoted(keyAt(*rows, r));
                    table.rows.emplace(rows->keys[r], row(rows->items[r], table));
                });
            if (const Yaml* o = t.find("otherwise")) table.otherwise = row(*o, table);
        });
    }
}

}  // namespace porta::mapping
