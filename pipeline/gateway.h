#pragma once
/// The embedded gateway: one directory, one owner, every stage in this process. `connect` finds objects and registers
/// them, `map` turns a batch of raw records into operations, `resolve` joins persons; one store transaction holds a whole
/// batch, so a kill at any point leaves either all of it or nothing.
///
///     auto gateway = Gateway::open(settings);
///     gateway->ingestAll(progress);
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "config/settings.h"
#include "connectors/files.h"
#include "mapping/engine/program.h"
#include "pipeline/records.h"
#include "pipeline/resolve.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// SHA-256 over everything that may change results and is not a mapping: engine version, ICU, Unicode, time zones.
Sha256 engineDigest();

/// `done` of `total` raw records of the object at hand.
using Progress = std::function<void(const std::string& source, std::uint64_t done, std::uint64_t total)>;

struct ReplayCount {
    std::int64_t replayed = 0, published = 0, still = 0;
};

/// map: one raw record's bytes to its outcome; the same for a first run and a replay.
mapping::Outcome mapOnce(const config::SourceSettings& source,
                         const std::vector<std::shared_ptr<const mapping::Program>>& programs, const ObjectMeta& meta,
                         std::int64_t object, std::int64_t position, std::string_view bytes, formats::NodeTree& tree);
RawState stateOf(const mapping::Outcome& outcome);

/// Maps every raw record again from its bytes, with the mapping that its generation names, and compares with what is stored.
/// Shape:  `{compared, equal, different:[{raw, path}], erased, refused_digest}`; refused are records of a mapping or engine
///         that this configuration no longer has.
Result<Json> replayAll(const config::Settings& settings, const std::string& source);

class Gateway {
public:
    /// Takes the lease, opens and migrates the stores, compiles every mapping, loads the resolver.
    /// Errors: misconfigured, unavailable.
    static Result<std::unique_ptr<Gateway>> open(const config::Settings& settings);

    /// One pass over all pull sources (or one), until everything is projected.
    Result<void> ingestAll(const std::string& only_source, const Progress& progress);
    /// One file as an object of that source; a known one is counted again as duplicate.
    Result<void> ingestFile(const std::string& source, const std::string& path, const Progress& progress);
    /// Bytes that have no path (stdin, HTTP).
    Result<void> ingestBytes(const std::string& source, const std::string& label, std::string bytes,
                             const Progress& progress);
    /// Maps quarantined raw records again with today's mappings, in their order.
    Result<ReplayCount> replayQuarantine(const std::string& source, const std::string& reason);

private:
    struct SourceState {
        const config::SourceSettings* settings = nullptr;
        std::vector<std::shared_ptr<const mapping::Program>> programs;
        int generation = 0;
    };
    struct Object;
    Gateway(const config::Settings& settings) : settings_(settings) {}
    Result<void> prepareSources();
    Result<void> deliver(SourceState& source, const std::string& path, std::string bytes, bool pulled,
                         const Progress& progress);
    Result<void> process(SourceState& source, Object& object, const Progress& progress);
    MappedRecord mapOne(const SourceState& source, const ObjectMeta& meta, std::int64_t object, std::int64_t position,
                        std::int64_t id, std::string_view bytes, RawRow& row, const Key& key);
    void writeLinks(const MappedRecord& record);
    ClosedSnapshot snapshotOf(const SourceState& source, const ObjectRow& row, const ObjectMeta& meta) const;

    config::Settings settings_;
    std::unique_ptr<Lease> lease_;
    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Keys> keys_;
    std::unique_ptr<Resolver> resolver_;
    std::map<std::string, SourceState> sources_;
    formats::NodeTree tree_;
};

}  // namespace porta::pipeline
