#pragma once
/// Rows from one store to another through the Store interface, so that SQLite and PostgreSQL fill each other. What tables
/// there are is asked of the SQLite side, which a backup always has.
#include <functional>
#include <string>
#include <vector>

#include "pipeline/store.h"

namespace porta::pipeline {

struct Column {
    std::string name, type;  ///< type: INTEGER, TEXT or BLOB
};
struct Table {
    std::string name;
    std::vector<Column> columns;
    std::vector<std::string> key;  ///< columns of the primary key, in its order
};

/// In the order of their names. Throws Failure.
std::vector<Table> tablesOf(Store& sqlite);

std::int64_t countRows(Store& store, const Table& table);

/// Table, rows copied, rows in all.
using CopyProgress = std::function<void(const std::string&, std::uint64_t, std::uint64_t)>;

/// Shape:   the rows of `table` as `from` shows them in its transaction, but for those that `keep` does not want; read in
///          pages, so that not all are in memory at once.
/// Returns: how many. Throws Failure.
std::int64_t copyRows(Store& from, Store& to, const Table& table, const CopyProgress& progress,
                      const std::function<bool(const std::vector<Value>&)>& keep = {});

}  // namespace porta::pipeline
