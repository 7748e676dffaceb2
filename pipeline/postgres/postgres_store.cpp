#include "pipeline/postgres/postgres_store.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

namespace porta::pipeline {

namespace {

// Object ids of pg_type: int8, text, bytea.
constexpr Oid kInt8 = 20, kText = 25, kBytea = 17;
/// Answers that may wait unread; more could fill both directions of the socket.
constexpr std::size_t kInFlight = 200;

std::string bigEndian(std::int64_t n) {
    std::string out(8, '\0');
    for (int i = 0; i < 8; ++i)
        out[static_cast<std::size_t>(i)] = static_cast<char>(static_cast<std::uint64_t>(n) >> (56 - 8 * i));
    return out;
}

struct ResultDeleter {
    void operator()(PGresult* r) const { PQclear(r); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultDeleter>;

class PostgresRow : public Row {
public:
    PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
    std::int64_t integer(int column) const override {
        const auto* p = reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_, row_, column));
        int size = PQgetlength(result_, row_, column);
        if (size == 0) return 0;
        std::uint64_t n = p[0] & 0x80 ? ~std::uint64_t{0} : 0;
        for (int i = 0; i < size && i < 8; ++i) n = n << 8 | p[i];
        return static_cast<std::int64_t>(n);
    }
    std::string_view bytes(int column) const override {
        return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
    }
    bool isNull(int column) const override { return PQgetisnull(result_, row_, column) != 0; }

private:
    const PGresult* result_;
    int row_;
};

class PostgresStore : public Store {
public:
    PostgresStore(const config::PostgresSettings& settings, std::string schema, bool read_only)
        : settings_(settings), schema_(std::move(schema)), read_only_(read_only) {}
    ~PostgresStore() override { PQfinish(connection_); }

    Result<void> open() {
        try {
            connect();
        } catch (const Failure& f) {
            return f.error;
        }
        return {};
    }

    void run(std::string_view sql, const std::vector<Value>& parameters) override {
        send(sql, parameters);
        if (!within_ || in_flight_ >= kInFlight) settle();
    }

    void query(std::string_view sql, const std::vector<Value>& parameters,
               const std::function<void(const Row&)>& row) override {
        send(sql, parameters);
        ResultHandle answer = settle();
        int n = PQntuples(answer.get());
        for (int i = 0; i < n; ++i) row(PostgresRow(answer.get(), i));
    }

    Result<void> transact(const std::function<void()>& work) override { return within("BEGIN", {}, work); }
    Result<void> exclusive(const std::function<void()>& work) override {
        // One lock for each schema, held to the end of the transaction.
        return within("BEGIN", "SELECT pg_advisory_xact_lock(hashtext('" + schema_ + "'))", work);
    }
    Result<void> snapshot(const std::function<void()>& work) override {
        return within("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {}, work);
    }

private:
    config::PostgresSettings settings_;
    std::string schema_;
    bool read_only_;
    PGconn* connection_ = nullptr;
    bool within_ = false;
    std::map<std::string, std::string, std::less<>> prepared_;  ///< types and text → statement
    std::size_t made_ = 0;                                      ///< statements named so far
    std::size_t in_flight_ = 0;                                 ///< answers not read yet

    void connect() {
        PQfinish(connection_);
        connection_ = nullptr;
        prepared_.clear();
        in_flight_ = 0;
        within_ = false;
        std::string password;
        if (!settings_.password_file.empty()) {
            std::ifstream in(settings_.password_file);
            if (!std::getline(in, password))
                throw Failure{fail(Errc::misconfigured, settings_.password_file + ": no password can be read",
                                   "store.postgresql.password_file")};
        }
        // A writer that was stopped in the middle of a transaction keeps its locks: the server ends that after a lease.
        const std::string options =
            "-c search_path=" + schema_ + " -c client_min_messages=error" +
            (read_only_ ? std::string(" -c default_transaction_read_only=on")
                        : " -c idle_in_transaction_session_timeout=" + std::to_string(settings_.lease_ms));
        // What a peer that is gone never takes would else keep us in the write for a quarter of an hour.
        const std::string answer_ms = std::to_string(settings_.answer_ms);
        const std::string connect_s = std::to_string(std::clamp(settings_.answer_ms / 1000, 2, 5));
        // The lease knows its holder by this name, so the DSN may not give another.
        const char* names[] = {"dbname",           "password", "connect_timeout", "application_name", "options",
                               "tcp_user_timeout", nullptr};
        const char* values[] = {settings_.dsn.c_str(),
                                password.empty() ? nullptr : password.c_str(),
                                connect_s.c_str(),
                                "porta",
                                options.c_str(),
                                answer_ms.c_str(),
                                nullptr};
        connection_ = PQconnectdbParams(names, values, 1);
        if (PQstatus(connection_) != CONNECTION_OK)
            throw Failure{fail(Errc::unavailable,
                               "PostgreSQL does not answer; check store.postgresql.dsn and that the server runs",
                               "store.postgresql")};
        PQsetNoticeProcessor(
            connection_, [](void*, const char*) {}, nullptr);
        if (!PQenterPipelineMode(connection_)) throw lost();
        if (!read_only_) {
            // CREATE SCHEMA IF NOT EXISTS fails when two processes make it at once.
            within_ = true;
            run("BEGIN", {});
            run("SELECT pg_advisory_xact_lock(hashtext('porta schemas'))", {});
            run("CREATE SCHEMA IF NOT EXISTS " + schema_, {});
            run("COMMIT", {});
            settle();
            within_ = false;
        }
    }

    /// What the server closed since the last answer is noticed here: the first read may still bring its farewell.
    bool connected() {
        return connection_ && PQconsumeInput(connection_) && PQconsumeInput(connection_) &&
               PQstatus(connection_) == CONNECTION_OK;
    }

    Failure lost() const {
        return Failure{fail(Errc::unavailable, "the connection to PostgreSQL was lost", "store.postgresql.connection")};
    }

    /// The server's own sentence never holds more than names of our tables; its DETAIL line may, and is left out.
    Failure refused(const PGresult* result) const {
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        std::string code = state ? state : "";
        if (code == "42P01")
            return Failure{fail(Errc::unavailable,
                                "there is no store in this database yet; `porta topics apply` makes it",
                                "store.missing")};
        // Class 22 is about values, and its sentence may quote one.
        if (code.rfind("22", 0) == 0) text = "a value does not fit its column";
        // Class 08 and 57: the connection or server goes away; 40: the transaction may be tried again; 53: no room.
        // None of them is a fault of what is being stored: it is tried again, never refused.
        if (code == "53100")
            return Failure{fail(Errc::unavailable,
                                "the disk of PostgreSQL is full; make room, the work goes on by itself", "store.full")};
        return Failure{fail(Errc::unavailable,
                            "PostgreSQL refused (" + code + "): " + (text ? text : "no reason given"),
                            code.rfind("53", 0) == 0 ? "store.full" : "store.postgresql")};
    }

    const std::string& prepare(std::string_view sql, const std::vector<Oid>& types) {
        std::string key;
        for (Oid t : types) key += std::to_string(t) + ' ';
        key += sql;
        auto found = prepared_.find(key);
        if (found != prepared_.end()) return found->second;
        std::string name = "s" + std::to_string(made_++);
        if (!PQsendPrepare(connection_, name.c_str(), translated(sql).c_str(), static_cast<int>(types.size()),
                           types.data()))
            throw lost();
        ++in_flight_;
        return prepared_.emplace(std::move(key), std::move(name)).first->second;
    }

    /// Our parameters are `?1`, PostgreSQL's `$1`; tables say INTEGER and BLOB.
    static std::string translated(std::string_view sql) {
        std::string out(sql);
        for (std::size_t i = 0; i < out.size(); ++i)
            if (out[i] == '?') out[i] = '$';
        if (out.rfind("CREATE TABLE", 0) != 0) return out;
        for (auto [ours, theirs] : {std::pair{" INTEGER", " BIGINT"}, std::pair{" BLOB", " BYTEA"}})
            for (std::size_t at = 0; (at = out.find(ours, at)) != std::string::npos; at += std::strlen(theirs))
                out.replace(at, std::strlen(ours), theirs);
        return out;
    }

    void send(std::string_view sql, const std::vector<Value>& parameters) {
        if (within_ && (!connection_ || PQstatus(connection_) != CONNECTION_OK)) throw lost();
        if (!within_ && !connected()) connect();
        std::vector<Oid> types;
        std::vector<std::string> integers(parameters.size());
        std::vector<const char*> values;
        std::vector<int> lengths, formats(parameters.size(), 1);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const std::string* bytes = nullptr;
            if (auto* n = std::get_if<std::int64_t>(&parameters[i])) {
                integers[i] = bigEndian(*n);
                bytes = &integers[i];
                types.push_back(kInt8);
            } else if (auto* t = std::get_if<std::string>(&parameters[i])) {
                bytes = t;
                types.push_back(kText);
            } else if (auto* b = std::get_if<Blob>(&parameters[i])) {
                bytes = &b->bytes;
                types.push_back(kBytea);
            } else {
                types.push_back(0);
            }
            values.push_back(bytes ? bytes->data() : nullptr);
            lengths.push_back(bytes ? static_cast<int>(bytes->size()) : 0);
        }
        const std::string& statement = prepare(sql, types);
        if (!PQsendQueryPrepared(connection_, statement.c_str(), static_cast<int>(values.size()), values.data(),
                                 lengths.data(), formats.data(), 1))
            throw lost();
        ++in_flight_;
    }

    /// Until an answer is there, or `answer_ms` has passed without a byte: a connection that lost its other end without a
    /// word gives no error by itself.
    void await() {
        while (PQisBusy(connection_)) {
            pollfd socket{PQsocket(connection_), POLLIN, 0};
            const int ready = ::poll(&socket, 1, settings_.answer_ms);
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) {
                PQfinish(connection_);
                connection_ = nullptr;
                throw Failure{fail(Errc::unavailable,
                                   "PostgreSQL was silent for " + std::to_string(settings_.answer_ms) +
                                       " ms; the connection is given up (store.postgresql.answer_ms)",
                                   "store.postgresql.silent")};
            }
            if (!PQconsumeInput(connection_)) throw lost();
        }
    }

    /// Reads every answer that is waited for; the last one is returned, the first failure thrown.
    ResultHandle settle() {
        if (!PQpipelineSync(connection_)) throw lost();
        ResultHandle last;
        std::unique_ptr<Failure> failure;
        while (true) {
            await();
            ResultHandle result(PQgetResult(connection_));
            if (!result) {
                if (PQstatus(connection_) != CONNECTION_OK) throw failure ? *failure : lost();
                continue;  // the end of one statement's answer
            }
            switch (PQresultStatus(result.get())) {
                case PGRES_PIPELINE_SYNC: {
                    in_flight_ = 0;
                    if (failure) {
                        // A statement whose preparation was refused or skipped is unknown to the server.
                        prepared_.clear();
                        throw *failure;
                    }
                    return last;
                }
                case PGRES_COMMAND_OK:
                case PGRES_TUPLES_OK: last = std::move(result); break;
                case PGRES_PIPELINE_ABORTED: break;
                default:
                    if (!failure) failure = std::make_unique<Failure>(refused(result.get()));
            }
        }
    }

    Result<void> within(const char* begin, const std::string& first, const std::function<void()>& work) {
        try {
            if (!connected()) connect();
            within_ = true;
            run(begin, {});
            if (!first.empty()) run(first, {});
            work();
            send("COMMIT", {});
            ResultHandle answer = settle();
            within_ = false;
            // A transaction that had failed answers COMMIT with ROLLBACK, and no error.
            if (std::strcmp(PQcmdStatus(answer.get()), "COMMIT") != 0)
                return fail(Errc::unavailable, "PostgreSQL rolled the transaction back", "store.postgresql");
            return {};
        } catch (const Failure& f) {
            Error error = f.error;
            rollBack();
            return error;
        } catch (...) {
            rollBack();
            throw;
        }
    }

    void rollBack() {
        if (connection_ && PQstatus(connection_) == CONNECTION_OK) {
            try {
                send("ROLLBACK", {});
                settle();
            } catch (const Failure&) {
                PQfinish(connection_);
                connection_ = nullptr;
            }
        }
        within_ = false;
    }
};

class PostgresLease : public Lease {
public:
    PostgresLease(Store& store, std::string name, int period_ms)
        : store_(store), name_(std::move(name)), period_(std::int64_t{period_ms} * 1000) {}

    /// Between renewals the answer is that of the last one: whoever lost the lease meanwhile is stopped by `check`.
    Result<bool> hold() override {
        const auto now = std::chrono::steady_clock::now();
        if (epoch_ && now - renewed_ < std::chrono::microseconds(period_ / 3)) return true;
        bool held = false;
        std::int64_t epoch = 0;
        auto done = store_.transact([&] {
            held = false;
            store_.run("INSERT INTO lease(name, epoch, holder, until) VALUES(?1, 0, 0, 0) ON CONFLICT DO NOTHING",
                       {name_});
            std::int64_t holder = 0, until = 0;
            bool over = false, alive = false;
            store_.query(
                "SELECT epoch, holder, until, CASE WHEN until < CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 "
                "AS BIGINT) THEN 1 ELSE 0 END, (SELECT COUNT(*) FROM pg_stat_activity a WHERE a.pid = lease.holder AND "
                "a.application_name = 'porta') FROM lease WHERE name = ?1",
                {name_}, [&](const Row& r) {
                    epoch = r.integer(0);
                    holder = r.integer(1);
                    until = r.integer(2);
                    over = r.integer(3) != 0;
                    alive = r.integer(4) != 0;
                });
            const bool ours = epoch_ && epoch == epoch_;
            // Another held it since, and is gone again perhaps: what this process has in memory is of an older epoch.
            if (epoch_ && !ours) return;
            if (!ours && !over && alive) return;
            // A holder that was stopped, not killed, may have this very row locked: its connection ends first.
            if (!ours && alive) store_.run("SELECT pg_terminate_backend(CAST(?1 AS INTEGER))", {holder});
            store_.run(
                "UPDATE lease SET epoch = ?4, holder = pg_backend_pid(), until = CAST(EXTRACT(EPOCH FROM "
                "clock_timestamp()) * 1000000 AS BIGINT) + ?5 WHERE name = ?1 AND epoch = ?2 AND until = ?3",
                {name_, epoch, until, ours ? epoch : epoch + 1, period_});
            if (!ours) ++epoch;
            // Of several that try at once the row was as it had been read for one.
            store_.query("SELECT COUNT(*) FROM lease WHERE name = ?1 AND epoch = ?2 AND holder = pg_backend_pid()",
                         {name_, epoch}, [&](const Row& r) { held = r.integer(0) == 1; });
        });
        if (!done) return done.error();
        epoch_ = held ? epoch : 0;
        renewed_ = now;
        return held;
    }

    void check() override {
        bool ours = false;
        const auto renewed = std::exchange(renewed_, {});  // a failure here asks anew
        store_.query("SELECT epoch FROM lease WHERE name = ?1 FOR SHARE", {name_},
                     [&](const Row& r) { ours = epoch_ && r.integer(0) == epoch_; });
        if (!ours)
            throw Failure{
                fail(Errc::unavailable, "the lease went to another process; nothing was written", "lease.lost")};
        renewed_ = renewed;
    }

private:
    Store& store_;
    std::string name_;
    std::int64_t period_, epoch_ = 0;
    std::chrono::steady_clock::time_point renewed_{};
};

}  // namespace

Result<std::unique_ptr<Store>> openPostgres(const config::PostgresSettings& settings, const std::string& schema,
                                            bool read_only) {
    auto store = std::make_unique<PostgresStore>(settings, schema, read_only);
    if (auto r = store->open(); !r) return r.error();
    return std::unique_ptr<Store>(std::move(store));
}

std::unique_ptr<Lease> postgresLease(Store& store, const std::string& name, int period_ms) {
    return std::make_unique<PostgresLease>(store, name, period_ms);
}

}  // namespace porta::pipeline
