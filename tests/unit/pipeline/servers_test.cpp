// Store, Lease and Log against a real PostgreSQL and a real Kafka. tests/servers/run.py starts both, names them in the
// environment, and kills and restarts them when a test asks through the descriptor that PORTA_TEST_CONTROL names.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <limits>
#include <random>
#include <set>
#include <thread>

#include "pipeline/embedded/sqlite_store.h"
#include "pipeline/kafka/kafka_log.h"
#include "pipeline/postgres/postgres_store.h"
#include "pipeline/schema.h"

namespace porta::pipeline {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// `kill postgres`, `start postgres`, `kill kafka`, `start kafka`; returns when it is done.
void tell(const std::string& order) {
    int control = std::atoi(environment("PORTA_TEST_CONTROL").c_str());
    std::string line = order + "\n";
    ASSERT_EQ(::write(control, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    char answer[3] = {};
    ASSERT_EQ(::read(control, answer, sizeof answer), 3) << order;
    ASSERT_EQ(std::string(answer, 3), "ok\n") << order;
}

struct Folder {
    fs::path path;
    Folder() {
        std::string name = (fs::temp_directory_path() / "porta-test-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path); }
};

config::PostgresSettings postgres(int lease_ms = 10000) {
    config::PostgresSettings s;
    s.dsn = environment("PORTA_TEST_POSTGRES");
    s.lease_ms = lease_ms;
    return s;
}

/// A schema of each test's own.
std::string freshSchema() {
    static int n = 0;
    return "trial_" + std::to_string(::getpid()) + "_" + std::to_string(n++);
}

std::unique_ptr<Store> openIn(const std::string& schema, const config::PostgresSettings& settings = postgres()) {
    auto store = openPostgres(settings, schema, false);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
}

std::int64_t count(Store& store, const std::string& table) {
    std::int64_t n = -1;
    store.query("SELECT COUNT(*) FROM " + table, {}, [&](const Row& r) { n = r.integer(0); });
    return n;
}

// ---- Store -------------------------------------------------------------------------------------------------------------

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

const char* const kOwnTable = "CREATE TABLE trial(no INTEGER PRIMARY KEY, number INTEGER, bytes BLOB, words TEXT)";

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

/// Both stores, to be asked the same.
class BothStores : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (std::string(GetParam()) == "sqlite")
            store_ = std::move(*openSqlite((folder_.path / "s.db").string(), false));
        else store_ = openIn(freshSchema());
        ASSERT_TRUE(store_->exclusive([&] { store_->run(kOwnTable); }));
    }
    void insert(std::int64_t no) { store_->run("INSERT INTO trial(no, number) VALUES(?1, ?1)", {no}); }

    Folder folder_;
    std::unique_ptr<Store> store_;
};

TEST_P(BothStores, aThrownFailureLeavesNothing) {
    auto done = store_->transact([&] {
        insert(1);
        throw Failure{fail(Errc::malformed, "half way", "test.rule")};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().rule, "test.rule");
    EXPECT_EQ(count(*store_, "trial"), 0);
    // Control: without the failure it stays.
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aForeignExceptionLeavesNothingAndPasses) {
    EXPECT_THROW((void)store_->transact([&] {
        insert(1);
        throw std::runtime_error("a library's");
    }),
                 std::runtime_error);
    ASSERT_TRUE(store_->transact([&] { insert(2); }));
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aRefusedStatementFailsItsTransactionAndNoOther) {
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    auto done = store_->transact([&] {
        insert(2);
        insert(1);
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("(1)"), std::string::npos) << done.error().message;
    EXPECT_EQ(count(*store_, "trial"), 1);
    EXPECT_THROW(insert(1), Failure);
    EXPECT_THROW(store_->run("SELECT no FROM nothing_of_that_name"), Failure);
    ASSERT_TRUE(store_->transact([&] { insert(2); }));
    EXPECT_EQ(count(*store_, "trial"), 2);
}

TEST_P(BothStores, aTransactionThatFailedIsNotCommittedByGoingOn) {
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
    auto done = store_->transact([&] {
        insert(2);
        try {
            insert(1);
            count(*store_, "trial");  // at the latest here PostgreSQL tells
        } catch (const Failure&) {}
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(count(*store_, "trial"), 1);
}

TEST_P(BothStores, aFailureInARowEndsItsStatement) {
    ASSERT_TRUE(store_->transact([&] {
        for (int i = 1; i <= 5; ++i) insert(i);
    }));
    auto from = [&](std::int64_t first, bool fails) {
        std::vector<std::int64_t> got;
        auto done = store_->transact([&] {
            store_->query("SELECT no FROM trial WHERE no >= ?1 ORDER BY no", {first}, [&](const Row& r) {
                got.push_back(r.integer(0));
                if (fails) throw Failure{fail(Errc::malformed, "unreadable", "test")};
            });
        });
        EXPECT_EQ(bool(done), !fails);
        return got;
    };
    EXPECT_EQ(from(1, true), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(from(4, false), (std::vector<std::int64_t>{4, 5}));
}

TEST_P(BothStores, valuesComeBackAsTheyWere) {
    std::string every(256, '\0');
    for (int i = 0; i < 256; ++i) every[static_cast<std::size_t>(i)] = static_cast<char>(i);
    const std::string words = "Zoë 東京 𝄞 '?1'";
    for (std::int64_t n : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                           std::int64_t{-1}, std::int64_t{0}})
        store_->run("INSERT INTO trial(no, number, bytes, words) VALUES(?1, ?1, ?2, ?3)", {n, Blob{every}, words});
    store_->run("INSERT INTO trial(no, number, bytes, words) VALUES(1, ?1, ?2, ?3)", {nullptr, Blob{}, std::string()});
    int rows = 0;
    store_->query("SELECT no, number, bytes, words FROM trial ORDER BY no", {}, [&](const Row& r) {
        ++rows;
        if (r.integer(0) == 1) {
            EXPECT_TRUE(r.isNull(1));
            EXPECT_FALSE(r.isNull(2) || r.isNull(3));
            EXPECT_TRUE(r.bytes(2).empty() && r.bytes(3).empty());
            return;
        }
        EXPECT_EQ(r.integer(0), r.integer(1));
        EXPECT_EQ(r.bytes(2), every);
        EXPECT_EQ(r.bytes(3), words);
    });
    EXPECT_EQ(rows, 5);
}

TEST_P(BothStores, aSnapshotTakesNoWrites) {
    auto done = store_->snapshot([&] { EXPECT_EQ(count(*store_, "trial"), 0); });
    EXPECT_TRUE(done);
    ASSERT_TRUE(store_->transact([&] { insert(1); }));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BothStores, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(PostgresStore, aValueThatDoesNotFitIsNotQuoted) {
    auto store = openIn(freshSchema());
    store->run(kOwnTable);
    auto done = store->transact(
        [&] { store->run("INSERT INTO trial(no, words) VALUES(1, ?1)", {std::string("Marked\xc3\x28")}); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("0x"), std::string::npos) << done.error().message;
    EXPECT_NE(done.error().message.find("22021"), std::string::npos) << done.error().message;
}

TEST(PostgresStore, exclusiveWorkIsOneAtATime) {
    const std::string schema = freshSchema();
    auto first = openIn(schema);
    first->run(kOwnTable);
    auto numbers = [&](Store& store) {
        for (int i = 0; i < 50; ++i) {
            auto done = store.exclusive([&] {
                std::int64_t next = 0;
                store.query("SELECT COUNT(*) FROM trial", {}, [&](const Row& r) { next = r.integer(0); });
                store.run("INSERT INTO trial(no) VALUES(?1)", {next});
            });
            EXPECT_TRUE(done) << done.error().message;
        }
    };
    auto other = std::async(std::launch::async, [&] { numbers(*openIn(schema)); });
    numbers(*first);
    other.get();
    EXPECT_EQ(count(*first, "trial"), 100);
}

TEST(PostgresStore, comesBackAfterItsServerWasKilled) {
    auto store = openIn(freshSchema());
    store->run(kOwnTable);
    auto insert = [&](std::int64_t no) {
        return store->transact([&] { store->run("INSERT INTO trial(no) VALUES(?1)", {no}); });
    };
    ASSERT_TRUE(insert(1));
    // In the middle of a transaction, which is then nowhere.
    auto torn = store->transact([&] {
        store->run("INSERT INTO trial(no) VALUES(2)");
        count(*store, "trial");
        tell("kill postgres");
    });
    ASSERT_FALSE(torn);
    EXPECT_EQ(torn.error().code, Errc::unavailable);
    auto down = insert(3);
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, Errc::unavailable);
    tell("start postgres");
    auto up = insert(4);
    EXPECT_TRUE(up) << up.error().message;
    EXPECT_EQ(count(*store, "trial"), 2);
    // Without a word meanwhile: the lost connection is noticed before anything is sent.
    tell("kill postgres");
    tell("start postgres");
    up = insert(5);
    EXPECT_TRUE(up) << up.error().message;
    EXPECT_EQ(count(*store, "trial"), 3);
}

// ---- Lease -------------------------------------------------------------------------------------------------------------

constexpr int kPeriod = 1500;

/// A process that may resolve: a store of its own and its lease.
struct Candidate {
    std::unique_ptr<Store> store;
    std::unique_ptr<Lease> lease;
    explicit Candidate(const std::string& schema, const config::PostgresSettings& settings = postgres(kPeriod))
        : store(openIn(schema, settings)), lease(postgresLease(*store, "resolve", settings.lease_ms)) {}

    bool hold() {
        auto held = lease->hold();
        EXPECT_TRUE(held) << held.error().message;
        return held && *held;
    }
    /// `meanwhile` runs between the write and the check.
    Result<void> write(std::int64_t no, const std::function<void()>& meanwhile = {}, bool checked = true) {
        return store->transact([&] {
            store->run("INSERT INTO trial(no) VALUES(?1)", {no});
            if (meanwhile) meanwhile();
            if (checked) lease->check();
        });
    }
};

class Leases : public ::testing::Test {
protected:
    void SetUp() override {
        auto store = openIn(schema_);
        ASSERT_TRUE(migrate(*store));
        store->run(kOwnTable);
    }
    std::int64_t rows() { return count(*openIn(schema_), "trial"); }
    std::string schema_ = freshSchema();
};

TEST_F(Leases, oneHoldsAndRenewalKeepsIt) {
    Candidate first(schema_), second(schema_);
    ASSERT_TRUE(first.hold());
    for (int i = 0; i < 8; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod / 4));
        EXPECT_TRUE(first.hold());
        EXPECT_FALSE(second.hold());
    }
    EXPECT_TRUE(first.write(1));
    // A candidate without the lease is stopped by the check alone.
    auto refused = second.write(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rule, "lease.lost");
    EXPECT_EQ(rows(), 1);
    // Control: nothing but the check stopped it.
    EXPECT_TRUE(second.write(3, {}, false));
    EXPECT_EQ(rows(), 2);
}

TEST_F(Leases, afterItsPeriodASuccessorTakesItAndEndsTheConnection) {
    Candidate first(schema_), second(schema_);
    ASSERT_TRUE(first.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    // Control: late, but with nobody else there, the lease is still its own.
    EXPECT_TRUE(first.write(1));
    auto refused = first.write(2, [&] { EXPECT_TRUE(second.hold()); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable) << refused.error().message;
    EXPECT_EQ(rows(), 1);
    // On a new connection the fence alone holds.
    refused = first.write(3);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rule, "lease.lost");
    EXPECT_FALSE(first.hold());
    EXPECT_TRUE(second.write(4));
    EXPECT_EQ(rows(), 2);
}

TEST_F(Leases, aHolderStoppedBeforeItsCommitDoesNotKeepItsSuccessorWaiting) {
    // Long enough that only the successor's hand ends the first.
    Candidate first(schema_, postgres(60000)), second(schema_);
    first.lease = postgresLease(*first.store, "resolve", kPeriod);
    ASSERT_TRUE(first.hold());
    std::promise<void> stopped, go_on;
    auto written = std::async(std::launch::async, [&] {
        return first.store->transact([&] {
            first.store->run("INSERT INTO trial(no) VALUES(1)");
            first.lease->check();
            stopped.set_value();
            go_on.get_future().wait();
        });
    });
    stopped.get_future().wait();
    // Control: while the period runs nobody ends it.
    EXPECT_FALSE(second.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(second.hold());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    go_on.set_value();
    EXPECT_FALSE(written.get());
    EXPECT_EQ(rows(), 0);
}

TEST_F(Leases, theServerEndsAnyWriterThatStopsInATransaction) {
    // As a map process that is stopped with the keys of its rows locked.
    auto stopped = openIn(schema_, postgres(700));
    auto done = stopped->transact([&] {
        stopped->run("INSERT INTO trial(no) VALUES(1)");
        count(*stopped, "trial");
        std::this_thread::sleep_for(1500ms);
        auto successor = openIn(schema_)->transact([] {});
        EXPECT_TRUE(successor);
        openIn(schema_)->run("INSERT INTO trial(no) VALUES(1)");
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(rows(), 1);
}

TEST_F(Leases, aHolderThatIsGoneIsSucceededAtOnce) {
    auto first = std::make_unique<Candidate>(schema_, postgres(600000));
    Candidate second(schema_);
    ASSERT_TRUE(first->hold());
    ASSERT_FALSE(second.hold());
    first.reset();
    auto until = std::chrono::steady_clock::now() + 3s;
    bool held = false;
    while (!held && std::chrono::steady_clock::now() < until) held = second.hold();
    EXPECT_TRUE(held);
    EXPECT_TRUE(second.write(1));
}

TEST_F(Leases, whoLostItIsToldBeforeItHasItAgain) {
    Candidate first(schema_);
    ASSERT_TRUE(first.hold());
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    {
        Candidate second(schema_);
        ASSERT_TRUE(second.hold());
        EXPECT_TRUE(second.write(1));
    }
    // The second came and went while the first was stopped: the lease is free, and what the first knows is old.
    std::this_thread::sleep_for(std::chrono::milliseconds(kPeriod + 200));
    EXPECT_FALSE(first.hold());
    EXPECT_TRUE(first.hold());
    EXPECT_TRUE(first.write(2));
}

TEST_F(Leases, anApplicationNameInTheDsnChangesNothing) {
    auto named = postgres(60000);
    named.dsn += " application_name=elsewhere";
    Candidate first(schema_, named), second(schema_, named);
    ASSERT_TRUE(first.hold());
    EXPECT_FALSE(second.hold());
}

TEST_F(Leases, ofManyThatTryAtOnceOneGetsIt) {
    for (int round = 0; round < 5; ++round) {
        std::vector<std::unique_ptr<Candidate>> candidates;
        for (int i = 0; i < 4; ++i) candidates.push_back(std::make_unique<Candidate>(schema_));
        std::vector<std::future<bool>> tries;
        for (auto& c : candidates)
            tries.push_back(std::async(std::launch::async, [&c] {
                auto held = c->lease->hold();
                return held && *held;
            }));
        for (auto& t : tries) t.wait();
        int may_write = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i)
            may_write += bool(candidates[i]->write(round * 10 + static_cast<int>(i)));
        EXPECT_EQ(may_write, 1) << "round " << round;
        candidates.clear();
        std::this_thread::sleep_for(200ms);
    }
}

// ---- Log ---------------------------------------------------------------------------------------------------------------

config::KafkaSettings kafka() {
    config::KafkaSettings s;
    s.brokers = environment("PORTA_TEST_KAFKA");
    s.replication = 1;
    s.session_timeout_ms = 6000;
    return s;
}

std::unique_ptr<Log> openLog() {
    auto log = openKafka(kafka());
    EXPECT_TRUE(log);
    return std::move(*log);
}

/// A topic of each test's own.
std::string freshTopic(int partitions = 3, bool large = true) {
    static int n = 0;
    std::vector<TopicPlan> plan{{"trial." + std::to_string(::getpid()) + "." + std::to_string(n++), partitions, {}, 0}};
    if (large) plan[0].properties = {{"max.message.bytes", "16777216"}};
    auto made = createTopics(kafka(), plan);
    EXPECT_TRUE(made) << made.error().message;
    return plan[0].name;
}

std::vector<Message> numbered(const std::string& topic, int from, int to) {
    std::vector<Message> out;
    for (int i = from; i < to; ++i) {
        Message m;
        m.topic = topic;
        m.key = (i % 17) * 0x0101010101010101 - 5;
        m.value = std::to_string(i);
        out.push_back(std::move(m));
    }
    return out;
}

std::vector<Message> polled(LogReader& reader, int wait_ms) {
    auto got = reader.poll(1000, wait_ms);
    EXPECT_TRUE(got) << got.error().message;
    return got ? std::move(*got) : std::vector<Message>{};
}

/// Polls until so many have come, and once more for what should not come.
std::vector<Message> drain(LogReader& reader, std::size_t expected) {
    std::vector<Message> out;
    auto until = std::chrono::steady_clock::now() + 20s;
    for (bool once_more = true; once_more;) {
        once_more = out.size() < expected && std::chrono::steady_clock::now() < until;
        for (Message& m : polled(reader, once_more ? 200 : 700)) out.push_back(std::move(m));
    }
    return out;
}

TEST(KafkaLog, readsBackInOrderFromTheStartAndFromPositions) {
    const std::string topic = freshTopic();
    auto log = openLog();
    ASSERT_TRUE(log->append(numbered(topic, 0, 300)));
    ASSERT_TRUE(log->append(numbered(topic, 300, 500)));
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    auto all = drain(**reader, 500);
    ASSERT_EQ(all.size(), 500u);
    std::map<std::int32_t, std::int64_t> next;
    std::map<std::int64_t, std::pair<std::int32_t, int>> last;  // key → partition, newest number
    for (const Message& m : all) {
        EXPECT_EQ(m.topic, topic);
        EXPECT_EQ(m.offset, next[m.partition]++);
        auto [at, fresh] = last.emplace(m.key, std::pair{m.partition, -1});
        EXPECT_EQ(at->second.first, m.partition);
        EXPECT_GT(std::stoi(m.value), at->second.second);
        at->second.second = std::stoi(m.value);
        EXPECT_EQ(m.key, (std::stoi(m.value) % 17) * 0x0101010101010101 - 5);
    }
    EXPECT_EQ(next.size(), 3u);
    EXPECT_EQ(last.size(), 17u);
    // From positions: what comes before them does not come; a partition without one starts at its first.
    std::map<std::int32_t, std::int64_t> positions{{0, next[0] / 2}, {1, next[1]}};
    auto again = log->read(topic, positions);
    ASSERT_TRUE(again);
    const auto expected = static_cast<std::size_t>(next[0] - next[0] / 2 + next[2]);
    auto some = drain(**again, expected);
    EXPECT_EQ(some.size(), expected);
    for (const Message& m : some) EXPECT_GE(m.offset, m.partition == 2 ? 0 : positions[m.partition]);
    EXPECT_TRUE(drain(**again, 0).empty());
}

TEST(KafkaLog, aGroupSharesAndASuccessorGetsWhatWasNotCommitted) {
    const std::string topic = freshTopic(4);
    auto log = openLog();
    std::map<std::string, int> seen;
    std::size_t of_each[2] = {0, 0};
    {
        auto a = log->share("g." + topic, {topic}), b = log->share("g." + topic, {topic});
        ASSERT_TRUE(a && b);
        LogReader* members[2] = {a->get(), b->get()};
        // One after the other until both have partitions: each must poll for the group to be shared out.
        int sent = 0;
        auto until = std::chrono::steady_clock::now() + 30s;
        while ((!of_each[0] || !of_each[1]) && std::chrono::steady_clock::now() < until) {
            ASSERT_TRUE(log->append(numbered(topic, sent, sent + 20)));
            sent += 20;
            for (int i = 0; i < 2; ++i)
                for (const Message& m : polled(*members[i], 200)) ++seen[m.value], ++of_each[i];
        }
        EXPECT_TRUE(of_each[0] && of_each[1]);
        ASSERT_TRUE(log->append(numbered(topic, sent, sent + 200)));
        sent += 200;
        for (int quiet = 0; quiet < 5;) {
            std::size_t before = seen.size();
            for (int i = 0; i < 2; ++i)
                for (const Message& m : polled(*members[i], 200)) ++seen[m.value], ++of_each[i];
            quiet = seen.size() == before ? quiet + 1 : 0;
        }
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(sent));
    }
    // Nothing was committed: all of it comes again.
    {
        auto successor = log->share("g." + topic, {topic});
        ASSERT_TRUE(successor);
        EXPECT_EQ(drain(**successor, seen.size()).size(), seen.size());
        ASSERT_TRUE((*successor)->commit());
    }
    // Committed: none of it does, but what is new.
    ASSERT_TRUE(log->append(numbered(topic, 900000, 900010)));
    auto third = log->share("g." + topic, {topic});
    ASSERT_TRUE(third);
    auto fresh = drain(**third, 10);
    EXPECT_EQ(fresh.size(), 10u);
    for (const Message& m : fresh) EXPECT_GE(std::stoi(m.value), 900000);
    // Control: another group starts at the first message.
    auto other = log->share("other." + topic, {topic});
    ASSERT_TRUE(other);
    EXPECT_EQ(drain(**other, seen.size() + 10).size(), seen.size() + 10);
}

TEST(KafkaLog, losesNothingWhenItsBrokerIsKilled) {
    const std::string topic = freshTopic();
    auto log = openLog();
    std::atomic<bool> over = false;
    auto strike = std::async(std::launch::async, [&] {
        std::this_thread::sleep_for(300ms);
        tell("kill kafka");
        std::this_thread::sleep_for(500ms);
        tell("start kafka");
        over = true;
    });
    int sent = 0, failed = 0;
    for (int after = 0; after < 3;) {
        auto batch = numbered(topic, sent, sent + 100);
        for (int tries = 0;; ++tries) {
            auto done = log->append(batch);
            if (done) break;
            ++failed;
            EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().message;
            ASSERT_LT(tries, 20);
        }
        sent += 100;
        after += over;
    }
    strike.get();
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    std::map<std::string, int> times;
    auto until = std::chrono::steady_clock::now() + 60s;
    while (times.size() < static_cast<std::size_t>(sent) && std::chrono::steady_clock::now() < until)
        if (auto got = (*reader)->poll(2000, 300))
            for (const Message& m : *got) ++times[m.value];
    EXPECT_EQ(times.size(), static_cast<std::size_t>(sent));
    int twice = 0;
    for (const auto& [value, n] : times) twice += n > 1;
    // A message that comes again belongs to an append that failed.
    EXPECT_LE(twice, failed * 100);
    std::cout << "  " << sent << " messages, " << failed << " appends failed, " << twice << " messages twice\n";
}

TEST(KafkaLog, anAppendFailsInTimeWhenTheBrokerStaysAway) {
    const std::string topic = freshTopic();
    auto settings = kafka();
    settings.message_timeout_ms = 1000;
    auto log = openKafka(settings);
    ASSERT_TRUE(log && (*log)->append(numbered(topic, 0, 50)));
    tell("kill kafka");
    auto before = std::chrono::steady_clock::now();
    auto done = (*log)->append(numbered(topic, 50, 100));
    auto took = std::chrono::steady_clock::now() - before;
    tell("start kafka");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().message;
    EXPECT_GE(took, 900ms);
    EXPECT_LT(took, 8s);
    // The same log goes on. What failed is appended again, and is in the log once or twice: whoever reads knows repeats.
    bool again = false;
    for (int tries = 0; !again && tries < 20; ++tries) again = bool((*log)->append(numbered(topic, 50, 100)));
    ASSERT_TRUE(again);
    auto reader = (*log)->read(topic, {});
    ASSERT_TRUE(reader) << reader.error().message;
    std::map<std::string, int> times;
    for (const Message& m : drain(**reader, 100)) ++times[m.value];
    EXPECT_EQ(times.size(), 100u);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(times[std::to_string(i)], 1) << i;
}

TEST(KafkaLog, aPrefixKeepsGatewaysApart) {
    const std::string whole = freshTopic(1), topic = whole.substr(whole.find('.') + 1);
    auto settings = kafka();
    settings.prefix = whole.substr(0, whole.size() - topic.size());
    auto log = openKafka(settings);
    ASSERT_TRUE(log && (*log)->append(numbered(topic, 0, 5)));
    for (bool prefixed : {true, false}) {
        auto other = openLog();
        auto reader = prefixed ? (*log)->share("g", {topic}) : other->read(whole, {});
        ASSERT_TRUE(reader) << reader.error().message;
        auto got = drain(**reader, 5);
        ASSERT_EQ(got.size(), 5u);
        EXPECT_EQ(got[0].topic, prefixed ? topic : whole);
        ASSERT_TRUE((*reader)->commit());
    }
}

TEST(KafkaLog, tenMebibytesPass) {
    std::string large(10u << 20, 'x');
    for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>(i);
    const std::string topic = freshTopic(), small = freshTopic(1, false);
    auto log = openLog();
    auto done = log->append({{topic, 1, large}});
    ASSERT_TRUE(done) << done.error().message;
    auto reader = log->read(topic, {});
    ASSERT_TRUE(reader);
    auto got = drain(**reader, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_TRUE(got[0].value == large);
    // Control: a topic without that setting refuses it, and says which.
    auto refused = log->append({{small, 1, large}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::misconfigured);
    EXPECT_NE(refused.error().message.find(small), std::string::npos) << refused.error().message;
    EXPECT_TRUE(log->append({{small, 1, "little"}}));
}

TEST(KafkaLog, topicsAreMadeOnce) {
    std::vector<TopicPlan> plan{{freshTopic(2), 5, {}, 0}, {"fresh." + std::to_string(::getpid()), 2, {}, 0}};
    ASSERT_TRUE(describeTopics(kafka(), plan));
    EXPECT_EQ(plan[0].existing, 2);
    EXPECT_EQ(plan[1].existing, 0);
    for (int i = 0; i < 2; ++i) {
        auto made = createTopics(kafka(), plan);  // the second time with a plan that is out of date
        EXPECT_TRUE(made) << made.error().message;
    }
    ASSERT_TRUE(describeTopics(kafka(), plan));
    EXPECT_EQ(plan[0].existing, 2);
    EXPECT_EQ(plan[1].existing, 2);
}

TEST(KafkaLog, aMissingTopicIsNamed) {
    const std::string missing = "nobody.made.this";
    auto log = openLog();
    auto expectNamed = [&](const Error& e) {
        EXPECT_EQ(e.code, Errc::unavailable);
        EXPECT_EQ(e.rule, "log.topic") << e.message;
        EXPECT_NE(e.message.find(missing), std::string::npos) << e.message;
    };
    auto appended = log->append({{missing, 1, "x"}});
    ASSERT_FALSE(appended);
    expectNamed(appended.error());
    auto read = log->read(missing, {});
    ASSERT_FALSE(read);
    expectNamed(read.error());
    auto shared = log->share("g", {freshTopic(), missing});
    ASSERT_FALSE(shared);
    expectNamed(shared.error());
    // The log goes on with topics that exist.
    EXPECT_TRUE(log->append({{freshTopic(), 1, "x"}}));
}

TEST(KafkaLog, aPropertyThatNobodyKnowsIsNamed) {
    auto settings = kafka();
    settings.security = {{"sasl.unheard.of", "x"}};
    auto log = openKafka(settings);
    ASSERT_TRUE(log);
    auto done = (*log)->append({{"t", 1, "x"}});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::misconfigured);
    EXPECT_NE(done.error().message.find("sasl.unheard.of"), std::string::npos);
}

TEST(KafkaLog, anAbsentBrokerIsUnavailable) {
    auto settings = kafka();
    settings.brokers = "127.0.0.1:1";
    std::vector<TopicPlan> plan{{"t", 1, {}, 0}};
    auto done = describeTopics(settings, plan);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace porta::pipeline

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    for (const char* name : {"PORTA_TEST_POSTGRES", "PORTA_TEST_KAFKA", "PORTA_TEST_CONTROL"})
        if (!std::getenv(name)) {
            std::cerr << "servers_test: " << name << " is missing; start it through tests/servers/run.py\n";
            return 1;
        }
    return RUN_ALL_TESTS();
}
