#pragma once
/// A mapping file compiled once, run for every raw record: node tree in, operations or a named refusal out. Pure: no
/// clock, locale, network or random number. docs/formats/mapping.md has the grammar (DESIGN §10).
///
///     auto program = Program::load("mapping/library/hl7v2-adt.yaml");
///     Outcome out = program->map(input, scratch);
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "formats/format.h"
#include "schemas/operation.h"

namespace porta {
struct Yaml;
}

namespace porta::mapping {

/// Where a rule stands; leaves name it by index.
struct Rule {
    std::string file;  ///< path relative to the mapping library or the configuration
    int line = 0;
    std::string name;   ///< `emit[0].fields.birth_date`
    std::string table;  ///< the code map, for translated values
};

/// One raw record with what its source declares.
struct Input {
    std::string_view bytes;
    std::string_view context;  ///< formats::Units::context
    std::string source;        ///< source id
    std::string time_zone;     ///< IANA, for times without offset
    std::string date_pattern;  ///< `dd/MM/yyyy`, empty = ISO
    std::string object_time;   ///< ISO text, or empty
    bool arrival =
        false;  ///< the source declares `order: arrival`: whatever its records say of versions does not count
    bool full_snapshot = false;  ///< a row that fails but whose key can be read becomes an op `presence`
};

enum class State : std::uint8_t { published, skipped, quarantined };

struct Outcome {
    State state = State::published;
    std::vector<schemas::Operation> operations;  ///< sealed; when quarantined: at most `presence` operations
    std::string rule;                            ///< skipped: `no-mapping:ORU^R01`
    Error error;                                 ///< quarantined: code, rule, path, span, message without values
    bool key_unreadable = false;                 ///< quarantined row of a full snapshot whose key could not be read
};

class Terms;

class Program {
public:
    /// Errors: misconfigured, with file:line:col, what was found and the nearest valid name.
    static Result<std::shared_ptr<const Program>> load(const std::string& path);
    /// The same of what stood in the file at `path`, perhaps changed since.
    static Result<std::shared_ptr<const Program>> compile(const Yaml& mapping, const std::string& path);
    ~Program();
    /// Threads: any; `tree` is scratch memory of the calling thread.
    Outcome map(const formats::Settings& format, const Input& input, formats::NodeTree& tree) const;
    /// SHA-256 over canonical JSON of the mapping, its tables and target schemas.
    const Sha256& digest() const;
    const std::vector<Rule>& rules() const;
    const std::string& name() const;
    /// What its expressions may ask of terminologies.
    const Terms& terms() const;
    /// What the mapping's `input` says of its format: the default where no source does (`map run`, goldens).
    const formats::Settings& format() const;
    struct Impl;
    const Impl& impl() const { return *impl_; }  ///< for mapping/engine alone
    /// A short name of what this input is when no mapping takes it, e.g. `ORU^R01` or `Observation`.
    static std::string describe(const formats::NodeTree& tree);

private:
    Program();
    std::unique_ptr<Impl> impl_;
    friend struct Loader;
};

}  // namespace porta::mapping
