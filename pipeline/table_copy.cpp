#include "pipeline/table_copy.h"

#include <algorithm>
#include <map>

namespace porta::pipeline {

namespace {

constexpr std::size_t kPage = 500;

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& w : words) out += (out.empty() ? "" : ", ") + w;
    return out;
}

/// ?first, ?first+1, …
std::string marks(std::size_t count) {
    std::vector<std::string> out;
    for (std::size_t i = 1; i <= count; ++i) out.push_back("?" + std::to_string(i));
    return joined(out);
}

Value valueOf(const Row& row, int at, const std::string& type) {
    if (row.isNull(at)) return nullptr;
    if (type == "INTEGER") return row.integer(at);
    std::string bytes(row.bytes(at));
    if (type == "TEXT") return bytes;
    return Blob{std::move(bytes)};
}

}  // namespace

std::vector<Table> tablesOf(Store& sqlite) {
    std::vector<Table> tables;
    std::map<std::int64_t, std::string> key;
    auto close = [&] {
        if (!tables.empty())
            for (auto& [at, name] : key) tables.back().key.push_back(name);
        key.clear();
    };
    sqlite.query(
        "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = "
        "'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
        {}, [&](const Row& r) {
            std::string name(r.bytes(0));
            if (tables.empty() || tables.back().name != name) {
                close();
                tables.push_back({name, {}, {}});
            }
            tables.back().columns.push_back({std::string(r.bytes(1)), std::string(r.bytes(2))});
            if (r.integer(3)) key[r.integer(3)] = r.bytes(1);
        });
    close();
    return tables;
}

std::int64_t countRows(Store& store, const Table& table) {
    std::int64_t rows = 0;
    store.query("SELECT COUNT(*) FROM " + table.name, {}, [&](const Row& r) { rows = r.integer(0); });
    return rows;
}

std::int64_t copyRows(Store& from, Store& to, const Table& table, const CopyProgress& progress,
                      const std::function<bool(const std::vector<Value>&)>& keep) {
    std::vector<std::string> names;
    for (const Column& c : table.columns) names.push_back(c.name);
    const std::string order = joined(table.key), page = " ORDER BY " + order + " LIMIT " + std::to_string(kPage);
    const std::string first = "SELECT " + joined(names) + " FROM " + table.name;
    const std::string next = first + " WHERE (" + order + ") > (" + marks(table.key.size()) + ")" + page;
    const std::string put = "INSERT INTO " + table.name + "(" + joined(names) + ") VALUES(" + marks(names.size()) + ")";
    const auto total = static_cast<std::uint64_t>(progress ? countRows(from, table) : 0);
    std::int64_t read = 0, copied = 0;
    std::vector<Value> after;
    while (true) {
        std::vector<std::vector<Value>> rows;
        from.query(after.empty() ? first + page : next, after, [&](const Row& r) {
            std::vector<Value> row;
            for (std::size_t i = 0; i < table.columns.size(); ++i)
                row.push_back(valueOf(r, static_cast<int>(i), table.columns[i].type));
            rows.push_back(std::move(row));
        });
        if (rows.empty()) return copied;
        for (const auto& row : rows) {
            if (keep && !keep(row)) continue;
            to.run(put, row);
            ++copied;
        }
        read += static_cast<std::int64_t>(rows.size());
        if (progress) progress(table.name, static_cast<std::uint64_t>(read), total);
        after.clear();
        for (const std::string& k : table.key) {
            auto at = std::find(names.begin(), names.end(), k) - names.begin();
            after.push_back(rows.back()[static_cast<std::size_t>(at)]);
        }
    }
}

}  // namespace porta::pipeline
