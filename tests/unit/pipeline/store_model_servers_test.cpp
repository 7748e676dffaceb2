// Random transactions on every table of the gateway: SQLite and PostgreSQL hold the same, answer the same and refuse the same.
#include <cstddef>
#include <limits>
#include <random>

#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/schema.h"
#include "tests/support/folder.h"
#include "tests/unit/pipeline/real_servers.h"

namespace porta::pipeline {
namespace {

using support::Folder;

struct Column {
    std::string name, type;
    bool required = false;
    int key = 0;  ///< place in the primary key, from 1
};
struct Table {
    std::string name;
    std::vector<Column> columns;

    std::string names() const {
        std::string out;
        for (const Column& c : columns) out += (out.empty() ? "" : ", ") + c.name;
        return out;
    }
    std::string keys() const {
        std::string out;
        for (int place = 1; place <= static_cast<int>(columns.size()); ++place)
            for (const Column& c : columns)
                if (c.key == place) out += (out.empty() ? "" : ", ") + c.name;
        return out;
    }
};

/// Every table that the migrations made, as SQLite tells: a table that is added later is tried as well.
std::vector<Table> tablesOf(Store& sqlite) {
    std::vector<Table> tables;
    sqlite.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name", {},
                 [&](const Row& r) {
                     tables.push_back({std::string(r.bytes(0)), {}});
                 });
    for (Table& t : tables)
        sqlite.query("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid", {t.name},
                     [&](const Row& r) {
                         t.columns.push_back({std::string(r.bytes(0)), std::string(r.bytes(1)), r.integer(2) != 0,
                                              static_cast<int>(r.integer(3))});
                     });
    return tables;
}

std::string shown(const Row& row, const Table& table) {
    std::string out;
    for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
        if (row.isNull(i)) out += "null";
        else if (table.columns[static_cast<std::size_t>(i)].type == "INTEGER") out += std::to_string(row.integer(i));
        else out += std::to_string(row.bytes(i).size()) + ":" + std::string(row.bytes(i));
        out += '|';
    }
    return out;
}

std::multiset<std::string> dump(Store& store, const std::vector<Table>& tables) {
    std::multiset<std::string> out;
    for (const Table& t : tables)
        store.query("SELECT " + t.names() + " FROM " + t.name, {},
                    [&](const Row& r) { out.insert(t.name + " " + shown(r, t)); });
    return out;
}

/// One statement with its parameters; a query when it answers.
struct Step {
    std::string sql;
    std::vector<Value> parameters;
    const Table* asks = nullptr;
};

class Inventor {
public:
    Inventor(unsigned seed, const std::vector<Table>& tables) : random_(seed), tables_(tables) {}

    std::size_t below(std::size_t n) { return random_() % n; }

    Step step() {
        // The table of our own has every type and few rules; the others share the rest of the turns.
        const Table* t = &tables_[below(tables_.size())];
        if (below(3) == 0)
            for (const Table& each : tables_)
                if (each.name == "trial") t = &each;
        switch (below(8)) {
            case 0: return insert(*t, "");
            case 1:
            case 2:
            case 3: return insert(*t, upsert(*t));
            case 4: return insert(*t, " ON CONFLICT DO NOTHING");
            case 5: return range(*t, "DELETE FROM " + t->name, nullptr, 4);
            case 6: return change(*t);
            default: return range(*t, "SELECT " + t->names() + " FROM " + t->name, t, 40);
        }
    }

private:
    std::mt19937 random_;
    const std::vector<Table>& tables_;

    std::int64_t integer(bool key) {
        const std::int64_t extremes[] = {std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::max(),
                                         -1,
                                         0,
                                         255,
                                         -256,
                                         std::int64_t{1} << 31,
                                         -(std::int64_t{1} << 31) - 1};
        if (below(key ? 12 : 3) == 0) return extremes[below(std::size(extremes))];
        return static_cast<std::int64_t>(below(20)) - 5;
    }
    std::string text(bool key) {
        const char* const some[] = {"",      "a",    "Z",          "z", "ä",        "ß",
                                    "Ωmega", "東京", "O'Neil\"?1", "𝄞", " leading", "%_\\"};
        std::string out = some[below(std::size(some))];
        if (!key) out += some[below(std::size(some))];
        return out;
    }
    Value value(const Column& c) {
        const bool key = c.key > 0;
        // A null that is refused, and one that is not. A key of SQLite's would be given a number instead.
        if (!key && below(c.required ? 60 : 5) == 0) return nullptr;
        if (c.type == "INTEGER") return integer(key);
        if (c.type == "TEXT") return text(key);
        Blob blob;
        for (std::size_t n = below(5) == 0 ? 5000 : below(20); n > 0; --n)
            blob.bytes += static_cast<char>(below(2) ? below(256) : below(2) * 255);
        return blob;
    }
    Step insert(const Table& t, const std::string& end) {
        Step s;
        std::string places;
        for (const Column& c : t.columns) {
            // Of another type, which both refuse. (Bytes for a text PostgreSQL would write in hexadecimal digits.)
            const bool wrong = end.empty() && !c.key && c.type != "TEXT" && below(20) == 0;
            s.parameters.push_back(wrong ? Value(std::string("no number")) : value(c));
            places += (places.empty() ? "?" : ", ?") + std::to_string(s.parameters.size());
        }
        s.sql = "INSERT INTO " + t.name + "(" + t.names() + ") VALUES(" + places + ")" + end;
        return s;
    }
    static std::string upsert(const Table& t) {
        std::string set;
        for (const Column& c : t.columns)
            if (!c.key) set += (set.empty() ? "" : ", ") + c.name + " = excluded." + c.name;
        return " ON CONFLICT(" + t.keys() + ") DO " + (set.empty() ? "NOTHING" : "UPDATE SET " + set);
    }
    /// Where the first integer of a table lies in a range of this width, in the order of all integers.
    Step range(const Table& t, const std::string& begin, const Table* asks, std::int64_t width) {
        Step s;
        std::string order;
        for (const Column& c : t.columns)
            if (c.type == "INTEGER") order += (order.empty() ? "" : ", ") + c.name;
        const std::string first = order.substr(0, order.find(','));
        std::int64_t from = static_cast<std::int64_t>(below(20)) - 5;
        s.parameters = {from, from + width};
        s.sql = begin + " WHERE " + first + " >= ?1 AND " + first + " < ?2";
        if (asks) s.sql += " ORDER BY " + order;
        s.asks = asks;
        return s;
    }
    Step change(const Table& t) {
        const Column& c = t.columns[below(t.columns.size())];
        if (c.key) return range(t, "SELECT " + t.names() + " FROM " + t.name, &t, 40);
        Step s = range(t, "UPDATE " + t.name + " SET " + c.name + " = ?3", nullptr, 6);
        s.parameters.push_back(value(c));
        return s;
    }
};

/// What came of a transaction: whether it holds, and what its queries answered.
struct Outcome {
    bool done = false;
    std::vector<std::multiset<std::string>> answers;
    std::string why;  ///< it does not hold; in the words of its store
};

std::string shown(const std::vector<Step>& steps) {
    std::string out;
    for (const Step& s : steps) {
        out += "\n  " + s.sql + " :";
        for (const Value& v : s.parameters) {
            if (auto* n = std::get_if<std::int64_t>(&v)) out += " " + std::to_string(*n);
            else
                out += std::holds_alternative<std::nullptr_t>(v) ? " null"
                       : std::holds_alternative<Blob>(v)         ? " blob"
                                                                 : " text";
        }
    }
    return out;
}

enum class End { commit, thrown, swallowed };

Outcome play(Store& store, const std::vector<Step>& steps, End end) {
    Outcome out;
    auto one = [&](const Step& s) {
        if (!s.asks) return store.run(s.sql, s.parameters);
        std::multiset<std::string> rows;
        store.query(s.sql, s.parameters, [&](const Row& r) { rows.insert(shown(r, *s.asks)); });
        out.answers.push_back(std::move(rows));
    };
    auto done = store.transact([&] {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (end == End::thrown && i == steps.size() / 2) throw Failure{fail(Errc::malformed, "half way", "test")};
            if (end != End::swallowed) {
                one(steps[i]);
                continue;
            }
            // Work that goes on after a refusal must not be taken for a success.
            try {
                one(steps[i]);
            } catch (const Failure&) {}
        }
    });
    out.done = bool(done);
    // After a refusal what was answered before it may differ: statements of one store wait for each other, of the other not.
    if (!out.done) {
        out.answers.clear();
        out.why = done.error().message;
    }
    return out;
}

class StoreModel : public ::testing::TestWithParam<unsigned> {};

TEST_P(StoreModel, theSameOperationsGiveTheSameTables) {
    Folder folder;
    auto sqlite = openSqlite((folder.path / "model.db").string(), false);
    ASSERT_TRUE(sqlite);
    auto server = openIn(freshSchema());
    for (Store* store : {sqlite->get(), server.get()}) {
        ASSERT_TRUE(migrate(*store));
        ASSERT_TRUE(store->exclusive([&] { store->run(kOwnTable); }));
    }
    const std::vector<Table> tables = tablesOf(**sqlite);
    ASSERT_GT(tables.size(), 15u);
    Inventor inventor(GetParam(), tables);
    int held = 0, thrown = 0, refused = 0, answered = 0;
    for (int round = 0; round < 400; ++round) {
        std::vector<Step> steps;
        for (std::size_t n = 1 + inventor.below(6); n > 0; --n) steps.push_back(inventor.step());
        const std::size_t way = inventor.below(10);
        const End end = way == 0 ? End::thrown : way < 3 ? End::swallowed : End::commit;
        Outcome a = play(**sqlite, steps, end), b = play(*server, steps, end);
        ASSERT_EQ(a.done, b.done) << "round " << round << ": " << a.why << b.why << shown(steps);
        ASSERT_EQ(a.answers, b.answers) << "round " << round << shown(steps);
        held += a.done;
        thrown += end == End::thrown;
        refused += !a.done && end != End::thrown;
        answered += static_cast<int>(a.answers.size());
        if (round % 50 == 49) {
            ASSERT_EQ(dump(**sqlite, tables), dump(*server, tables)) << "round " << round;
        }
    }
    auto rows = dump(**sqlite, tables);
    ASSERT_EQ(rows, dump(*server, tables));
    // Control: every kind of end was met, and one changed value is seen.
    EXPECT_GT(held, 100);
    EXPECT_GT(thrown, 10);
    EXPECT_GT(refused, 20);
    EXPECT_GT(answered, 50);
    EXPECT_GT(rows.size(), 50u);
    server->run("INSERT INTO trial(no, number) VALUES(77, 1)");
    (*sqlite)->run("INSERT INTO trial(no, number) VALUES(77, 2)");
    EXPECT_NE(dump(**sqlite, tables), dump(*server, tables));
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreModel, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace porta::pipeline
