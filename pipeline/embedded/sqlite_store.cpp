#include "pipeline/embedded/sqlite_store.h"

#include <sqlite3.h>

#include <map>
#include <memory>

namespace porta::pipeline {

namespace {

class SqliteRow : public Row {
public:
    explicit SqliteRow(sqlite3_stmt* s) : s_(s) {}
    std::int64_t integer(int column) const override { return sqlite3_column_int64(s_, column); }
    std::string_view bytes(int column) const override {
        const void* p = sqlite3_column_blob(s_, column);
        return {static_cast<const char*>(p ? p : ""), static_cast<std::size_t>(sqlite3_column_bytes(s_, column))};
    }
    bool isNull(int column) const override { return sqlite3_column_type(s_, column) == SQLITE_NULL; }

private:
    sqlite3_stmt* s_;
};

class SqliteStore : public Store {
public:
    ~SqliteStore() override {
        for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
        sqlite3_close(db_);
    }

    Result<void> open(const std::string& path, bool read_only) {
        int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        if (sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
            return fail(Errc::unavailable,
                        std::string("the store cannot be opened: ") + sqlite3_errmsg(db_) +
                            "; check --state and run `porta ingest` first",
                        "store.open");
        sqlite3_busy_timeout(db_, 30000);
        try {
            if (!read_only) {
                run("PRAGMA journal_mode=WAL");
                run("PRAGMA synchronous=FULL");
                run("PRAGMA wal_autocheckpoint=4000");
            }
            run("PRAGMA cache_size=-65536");
            run("PRAGMA temp_store=MEMORY");
        } catch (const Failure& f) {
            return f.error;
        }
        return {};
    }

    void run(std::string_view sql, const std::vector<Value>& parameters = {}) override {
        query(sql, parameters, [](const Row&) {});
    }

    void query(std::string_view sql, const std::vector<Value>& parameters,
               const std::function<void(const Row&)>& row) override {
        sqlite3_stmt* s = prepare(sql);
        // Also when `row` throws: a statement left in the middle would go on there when it is asked again.
        std::unique_ptr<sqlite3_stmt, Rewind> rewind(s);
        for (std::size_t i = 0; i < parameters.size(); ++i) bind(s, static_cast<int>(i + 1), parameters[i]);
        SqliteRow current(s);
        int code;
        while ((code = sqlite3_step(s)) == SQLITE_ROW) row(current);
        if (code != SQLITE_DONE) throw failure();
    }

    Result<void> transact(const std::function<void()>& work) override { return within("BEGIN IMMEDIATE", work); }
    Result<void> exclusive(const std::function<void()>& work) override { return within("BEGIN IMMEDIATE", work); }
    Result<void> snapshot(const std::function<void()>& work) override { return within("BEGIN", work); }

private:
    Result<void> within(const char* begin, const std::function<void()>& work) {
        try {
            refused_ = false;
            run(begin, {});
            work();
            // SQLite would keep what surrounds a refused statement, PostgreSQL never does.
            if (refused_)
                throw Failure{
                    fail(Errc::unavailable, "a statement was refused; the transaction is rolled back", "store.sqlite")};
            run("COMMIT", {});
            return {};
        } catch (const Failure& f) {
            rollBack();
            return f.error;
        } catch (...) {
            rollBack();
            throw;
        }
    }

    void rollBack() {
        if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    }

    struct Rewind {
        void operator()(sqlite3_stmt* s) const {
            sqlite3_reset(s);
            sqlite3_clear_bindings(s);
        }
    };

    sqlite3* db_ = nullptr;
    bool refused_ = false;  ///< a statement of the transaction at hand
    std::map<std::string, sqlite3_stmt*, std::less<>> statements_;

    Failure failure() {
        refused_ = true;
        int code = sqlite3_errcode(db_);
        // A full disk is no fault of what is being stored: it is tried again, never refused.
        if (code == SQLITE_FULL)
            return Failure{fail(Errc::unavailable,
                                "the disk of the store is full; make room, the work goes on by itself", "store.full")};
        return Failure{fail(Errc::unavailable, std::string("store: ") + sqlite3_errmsg(db_), "store.sqlite")};
    }

    sqlite3_stmt* prepare(std::string_view sql) {
        auto found = statements_.find(sql);
        if (found != statements_.end()) return found->second;
        std::string text(sql);
        // STRICT is SQLite's own; the shared schema leaves it out.
        if (text.rfind("CREATE TABLE", 0) == 0)
            text += text.find(", PRIMARY KEY(") != std::string::npos ? " STRICT, WITHOUT ROWID" : " STRICT";
        sqlite3_stmt* s = nullptr;
        if (sqlite3_prepare_v3(db_, text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &s,
                               nullptr) != SQLITE_OK)
            throw failure();
        statements_.emplace(std::string(sql), s);
        return s;
    }

    static void bind(sqlite3_stmt* s, int at, const Value& value) {
        if (auto* i = std::get_if<std::int64_t>(&value)) sqlite3_bind_int64(s, at, *i);
        else if (auto* t = std::get_if<std::string>(&value))
            sqlite3_bind_text(s, at, t->data(), static_cast<int>(t->size()), SQLITE_STATIC);
        else if (auto* b = std::get_if<Blob>(&value))
            sqlite3_bind_blob(s, at, b->bytes.data(), static_cast<int>(b->bytes.size()), SQLITE_STATIC);
        else sqlite3_bind_null(s, at);
    }
};

}  // namespace

Result<std::unique_ptr<Store>> openSqlite(const std::string& path, bool read_only) {
    auto store = std::make_unique<SqliteStore>();
    if (auto r = store->open(path, read_only); !r) return r.error();
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace porta::pipeline
