#pragma once
/// What the identity commands share: records by key under a purpose, what people decided, and the evidence between them.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/desk.h"
#include "app/permit.h"
#include "identity/explain.h"

namespace porta::app {

/// A Person record as the store has it now.
struct Known {
    identity::Statement says;
    std::vector<std::string> members;  ///< names of the alias class
    std::int64_t person = 0;           ///< 0: not live, or it has not arrived yet
};

class IdentityFacts {
public:
    explicit IdentityFacts(Permitted& permitted) : p_(permitted), facts_(pairFacts(*permitted.reader)) {}

    /// Errors: malformed, denied: the source is not one of the purpose.
    Result<schemas::RecordKey> keyNamed(const std::string& text) const;
    const Known& known(const std::string& key);
    /// Whether the purpose may be told of this record: its source, and nobody sealed.
    bool visible(const std::string& key);
    const std::vector<identity::Fact>& facts() const { return facts_; }
    std::vector<identity::Fact> inForce() const { return identity::inForce(facts_); }
    std::string survivor(const std::string& key);
    /// Digest of what two records say; changes when the evidence does.
    std::string evidenceDigest(const std::string& a, const std::string& b);
    /// Live Person records of a person that the purpose may be told of, by survivor.
    std::vector<std::string> recordsOf(std::int64_t person);
    /// The decision in force on a pair, by any of their names.
    std::optional<identity::Fact> decided(const std::string& a, const std::string& b);
    /// Why two records of one person are directly linked, in words; empty when they are not.
    std::string link(const std::string& a, const std::string& b);

private:
    Permitted& p_;
    std::vector<identity::Fact> facts_;
    std::map<std::string, Known> known_;
    std::map<std::int64_t, bool> sealed_;
};

Json toJson(const identity::Fact& fact);

int decideSame(const Options& options);  ///< identity decide
int withdrawDecision(const Options& options);
int reviewDecisions(const Options& options);
int explainPair(const Options& options, bool asked_same);  ///< identity why, why-not
int explainPerson(const Options& options);                 ///< identity how
int printIdentityLog(const Options& options);

}  // namespace porta::app
