#include "pipeline/project.h"

#include "pipeline/crash_points.h"

namespace porta::pipeline {

std::string encodePerson(const PersonRevision& p) {
    return std::to_string(p.person) + " " + std::to_string(p.revision);
}

Result<PersonRevision> decodePerson(std::string_view bytes) {
    std::size_t blank = bytes.find(' ');
    if (blank == std::string_view::npos)
        return fail(Errc::internal, "a message of porta.persons has another layout", "log.message");
    return PersonRevision{std::strtoll(std::string(bytes.substr(0, blank)).c_str(), nullptr, 10),
                          std::strtoll(std::string(bytes.substr(blank + 1)).c_str(), nullptr, 10)};
}

Result<std::unique_ptr<Project>> Project::open(const config::Settings&, Store& store, Keys&, Log&) {
    return std::unique_ptr<Project>(new Project(store));
}

Result<void> Project::project(const std::map<std::int64_t, std::int64_t>& revisions) {
    auto done = store_.transact([&] {
        for (const auto& [person, revision] : revisions)
            store_.run("UPDATE person SET projected = ?2 WHERE no = ?1 AND projected < ?2", {person, revision});
        crashPoint("project.before-commit");
    });
    return done;
}

}  // namespace porta::pipeline
