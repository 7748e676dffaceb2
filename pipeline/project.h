#pragma once
/// project: the case views of changed persons, for each purpose that has recipients, stored sealed and delivered to
/// `porta.views.<purpose>`; each delivery is in the decision log before it is sent. Where no purpose has recipients the
/// revision alone moves on, since views are assembled on read (docs/decisions/0002, 0012).
///
///     auto project = Project::open(settings, store, keys, log, clock);
///     (*project)->project({{12, 3}});       // person 12 at revision 3; receive.h reads what came of it
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/settings.h"
#include "pipeline/decision_log.h"
#include "pipeline/disclosure.h"
#include "pipeline/read.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// A message of `porta.persons`: nothing but two integers.
struct PersonRevision {
    std::int64_t person = 0, revision = 0;
};
std::string encodePerson(const PersonRevision& person);
/// Errors: internal.
Result<PersonRevision> decodePerson(std::string_view bytes);

/// A message of `porta.views.<purpose>`. `box` is the sealed line of `view export`, empty: the person is no longer there
/// for this purpose.
struct ViewMessage {
    std::int64_t person = 0, revision = 0;
    std::string box;
};
std::string encode(const ViewMessage& delivery);
/// Errors: internal.
Result<ViewMessage> decodeView(std::string_view bytes);

/// Number of the key of a person's views for a purpose, apart from those of raw records and objects (docs/formats/store.md).
std::int64_t viewKey(std::int64_t person, std::string_view purpose);
/// What besides records decides what is delivered for a purpose: itself and what is declared of the sources.
std::int64_t viewsDigest(const policy::Purpose& purpose, const std::vector<views::SourceFacts>& sources);
/// Row of table `meta` that holds the digest of what was delivered last.
std::string viewsName(const std::string& purpose);

/// Threads: one.
class Project {
public:
    /// The arguments must outlive it; without `decisions` it opens the decision log with the first delivery. Where a purpose with recipients, or what is declared of a source, is not what it was,
    /// everybody is made dirty. Errors: unavailable, misconfigured.
    static Result<std::unique_ptr<Project>> open(const config::Settings& settings, Store& store, Keys& keys, Log& log,
                                                 const Clock& clock, std::unique_ptr<DecisionLog> decisions = {});
    /// Person → a revision that was sent. What the store has now is projected, once. Shape: views delivered.
    /// Errors: unavailable: what was not delivered is delivered by the next call that names the person, or by `deliver`.
    Result<std::size_t> project(std::map<std::int64_t, std::int64_t> revisions);
    /// What a process that died has left. Shape and errors as of `project`.
    Result<std::size_t> deliver();

private:
    struct View;
    Project(const config::Settings& settings, Store& store, Keys& keys, Log& log, const Clock& clock);
    Result<void> settlePurposes();
    Result<std::vector<View>> assemble(std::map<std::int64_t, std::int64_t>& revisions);
    void seal(std::vector<View>& views);
    void write(const std::map<std::int64_t, std::int64_t>& revisions, const std::vector<View>& views);
    Result<std::size_t> deliver(const policy::Purpose& purpose, const std::set<std::int64_t>& persons);
    Result<void> disclose(const policy::Purpose& purpose, const std::vector<ViewMessage>& deliveries);

    const config::Settings& settings_;
    Store& store_;
    Keys& keys_;
    Log& log_;
    const Clock& clock_;
    KeyedHash hash_;
    std::unique_ptr<Reader> reader_;
    std::vector<policy::Purpose> purposes_;    ///< those with recipients
    std::vector<views::SourceFacts> sources_;  ///< without times: time does not tick inside a view that is kept
    std::unique_ptr<DecisionLog> decisions_;   ///< opened with the first delivery
};

}  // namespace porta::pipeline
