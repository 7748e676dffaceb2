#pragma once
/// PostgreSQL behind Store. Statements of a transaction are sent one behind the other without waiting (libpq's pipeline
/// mode); their failures come with the next query or the commit. A connection that was lost is opened again by the next
/// transaction.
#include "config/settings.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// `schema` is made when it is missing. Errors: unavailable, misconfigured.
Result<std::unique_ptr<Store>> openPostgres(const config::PostgresSettings& settings, const std::string& schema,
                                            bool read_only);

/// A row of table `lease` with an epoch and a time by the database's clock; its holder is the backend of this store, which
/// the successor ends. `store` must outlive it.
std::unique_ptr<Lease> postgresLease(Store& store, const std::string& name, int period_ms);

}  // namespace porta::pipeline
