#pragma once
/// What the tests of Store, Lease and Log against real servers share. tests/servers/run.py starts a PostgreSQL and a Kafka, names
/// them in the environment, and kills and restarts them when a test asks through the descriptor that PORTA_TEST_CONTROL names.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <set>
#include <thread>

#include "pipeline/postgres/postgres_store.h"

namespace porta::pipeline {

/// A table of the tests' own.
inline const char* const kOwnTable =
    "CREATE TABLE trial(no INTEGER PRIMARY KEY, number INTEGER, bytes BLOB, words TEXT)";

inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// `kill postgres`, `start postgres`, `kill kafka`, `start kafka`; returns when it is done.
inline void tell(const std::string& order) {
    int control = std::atoi(environment("PORTA_TEST_CONTROL").c_str());
    std::string line = order + "\n";
    ASSERT_EQ(::write(control, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    char answer[3] = {};
    ASSERT_EQ(::read(control, answer, sizeof answer), 3) << order;
    ASSERT_EQ(std::string(answer, 3), "ok\n") << order;
}

inline config::PostgresSettings postgres(int lease_ms = 10000) {
    config::PostgresSettings s;
    s.dsn = environment("PORTA_TEST_POSTGRES");
    s.lease_ms = lease_ms;
    return s;
}

/// A schema of each test's own.
inline std::string freshSchema() {
    static int n = 0;
    return "trial_" + std::to_string(::getpid()) + "_" + std::to_string(n++);
}

inline std::unique_ptr<Store> openIn(const std::string& schema, const config::PostgresSettings& settings = postgres()) {
    auto store = openPostgres(settings, schema, false);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
}

inline std::int64_t count(Store& store, const std::string& table) {
    std::int64_t n = -1;
    store.query("SELECT COUNT(*) FROM " + table, {}, [&](const Row& r) { n = r.integer(0); });
    return n;
}

}  // namespace porta::pipeline
