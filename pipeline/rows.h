#pragma once
/// Rows for one table, many to a statement: a server runs one statement of sixty-four rows in a fraction of the time of
/// sixty-four statements, and SQLite is not slower.
///
///     Rows links(store, "INSERT INTO link(hash, raw)", 2, "ON CONFLICT DO NOTHING");
///     links.add({hash, raw});
///     links.flush();   // before anything reads the table
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "pipeline/store.h"

namespace porta::pipeline {

class Rows {
public:
    /// `tail`: what follows the values. With DO UPDATE no two rows between two flushes may have one key.
    Rows(Store& store, std::string head, std::size_t columns, std::string tail)
        : store_(store), head_(std::move(head)), columns_(columns), tail_(std::move(tail)) {}
    /// Throws Failure, as does flush.
    void add(std::initializer_list<Value> row);
    void flush();

private:
    void write(std::size_t rows);
    Store& store_;
    std::string head_;
    std::size_t columns_;
    std::string tail_;
    std::vector<Value> values_;
};

/// The other way round: rows for many numbers with few questions. `sql` has ` IN ()`, which is filled for some of the numbers
/// at a time; no number may be asked twice. Throws Failure.
void queryIn(Store& store, const std::string& sql, const std::vector<std::int64_t>& numbers,
             const std::function<void(const Row&)>& row);

}  // namespace porta::pipeline
