#pragma once
/// project: the case views of changed persons, for each purpose that has recipients; where none has, the revision alone
/// moves on, since views are assembled on read (docs/decisions/0002).
#include <map>
#include <memory>
#include <string>

#include "config/settings.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// A message of `porta.persons`: nothing but two integers.
struct PersonRevision {
    std::int64_t person = 0, revision = 0;
};
std::string encodePerson(const PersonRevision& person);
/// Errors: internal.
Result<PersonRevision> decodePerson(std::string_view bytes);

/// Threads: one.
class Project {
public:
    static Result<std::unique_ptr<Project>> open(const config::Settings& settings, Store& store, Keys& keys, Log& log);
    /// Person → revision. Stale revisions change nothing. Errors: unavailable.
    Result<void> project(const std::map<std::int64_t, std::int64_t>& revisions);

private:
    explicit Project(Store& store) : store_(store) {}
    Store& store_;
};

}  // namespace porta::pipeline
