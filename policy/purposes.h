#pragma once
/// Purposes and who may act under them (purposes.yaml). Default deny: what is not listed is refused.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace porta {
struct Yaml;
}

namespace porta::policy {

struct Purpose {
    std::string id, title, legal_basis;
    bool all_sections = false, all_sources = false;  ///< `all` in the file
    bool sealed = false;                             ///< `sealed: true`: sealed persons are there; nobody finds them
    std::vector<std::string> sections, sources;      ///< sorted; empty under `all`
    /// Section → the only fields of it that are shown, sorted; a section that is not named here is shown whole.
    std::map<std::string, std::vector<std::string>, std::less<>> fields;
    /// Who is registered to receive every view of this purpose as it changes (`recipients: [id, …]`): partner systems and
    /// teams by a name of ours, never an address. Sorted; empty: views do not leave. They are named in the decision log.
    std::vector<std::string> recipients;
    bool section(std::string_view name) const;
    bool source(std::string_view name) const;
};

struct User {
    std::string id, role;
    std::vector<std::string> purposes;  ///< sorted
};

struct Decision {
    bool allowed = false;
    std::string rule;    ///< `user.unknown`, `purpose.unknown`, `purpose.not-granted`, `granted`
    std::string reason;  ///< one sentence without personal values
};

/// A source of the configuration and the purposes that it names for itself; null: it sets no limit.
struct SourceLimit {
    std::string id;
    const std::vector<std::string>* purposes = nullptr;
};

class Purposes {
public:
    /// Errors: misconfigured `file:line:column: …` (duplicates, unknown keys, unknown purposes of a user).
    static Result<Purposes> parse(std::string_view text, const std::string& file);
    static Result<Purposes> load(const std::string& path);
    const Purpose* purpose(std::string_view id) const;
    /// Those with recipients, sorted by id.
    std::vector<Purpose> delivered() const;
    const User* user(std::string_view id) const;
    std::vector<std::string> purposeNames() const;  ///< sorted
    /// Takes from each purpose what sources keep to others; `sources` are all of the configuration. The answer depends on
    /// names alone, never on records.
    void limitSources(const std::vector<SourceLimit>& sources);
    /// `case_ref` is the case or person asked for; empty = an export over all.
    Decision decide(std::string_view user, std::string_view purpose, std::string_view case_ref = {}) const;

private:
    static Result<Purposes> read(const Yaml& root, const std::string& file);
    std::map<std::string, Purpose, std::less<>> purposes_;
    std::map<std::string, User, std::less<>> users_;
};

/// The sources that the purpose must not see, sorted: the views say `not-permitted` for them.
std::vector<std::string> hiddenSources(const Purpose& purpose, const std::vector<std::string>& all_sources);

}  // namespace porta::policy
