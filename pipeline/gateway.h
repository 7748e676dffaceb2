#pragma once
/// The embedded gateway: one directory, one owner, every stage in this process. `connect` finds objects and registers
/// them, `map` turns a batch of raw records into operations, `resolve` joins persons; one store transaction holds a whole
/// batch, so a kill at any point leaves either all of it or nothing.
///
///     auto gateway = Gateway::open(settings);
///     gateway->ingestAll("", progress);
#include <functional>
#include <memory>
#include <string>

#include "base/canonical_json.h"
#include "config/settings.h"
#include "pipeline/connect.h"
#include "pipeline/map.h"
#include "pipeline/poison.h"
#include "pipeline/resolve.h"
#include "pipeline/sources.h"
#include "pipeline/store.h"

namespace porta::pipeline {

/// `done` of `total` raw records of the object at hand.
using Progress = std::function<void(const std::string& source, std::uint64_t done, std::uint64_t total)>;

struct ReplayCount {
    std::int64_t replayed = 0, published = 0, still = 0;
};

/// Maps every raw record again from its bytes, with the mapping that its generation names, and compares with what is stored.
/// Shape:  `{compared, equal, different:[{raw, path}], erased, refused_digest}`; refused are records of a mapping or engine
///         that this configuration no longer has.
Result<Json> replayAll(const config::Settings& settings, const std::string& source);
/// The same over a reader and compiled mappings of the caller's.
Result<Json> replayAll(class Reader& reader, const Sources& sources, const std::string& source);

/// The quarantined raw records as messages to be mapped again with today's mappings, in their order. Throws Failure.
std::vector<RawMessage> quarantined(Store& store, Keys& keys, const Sources& sources, const std::string& only_source,
                                    const std::string& reason);

/// Threads: one caller at a time.
class Gateway {
public:
    /// Takes the lease, opens and migrates the stores, compiles every mapping.
    /// Errors: misconfigured, unavailable.
    static Result<std::unique_ptr<Gateway>> open(const config::Settings& settings);

    /// One pass over all pull sources (or one), until everything is projected. A file that is refused stays where it is;
    /// the pass goes on and returns the first such error at its end. Errors: unavailable: open the gateway again.
    Result<void> ingestAll(const std::string& only_source, const Progress& progress);
    /// One file as an object of that source; a known one is counted again as duplicate.
    Result<void> ingestFile(const std::string& source, const std::string& path, const Progress& progress);
    /// Bytes that have no path (stdin, HTTP). Durable on return.
    Result<void> ingestBytes(const std::string& source, const std::string& label, std::string bytes,
                             const Progress& progress);
    /// Maps quarantined raw records again with today's mappings, in their order.
    Result<ReplayCount> replayQuarantine(const std::string& source, const std::string& reason);

private:
    explicit Gateway(const config::Settings& settings) : settings_(settings) {}
    Result<const Source*> sourceNamed(const std::string& id) const;
    Result<void> deliver(const Source& source, const std::string& path, std::string bytes, bool pulled,
                         const Progress& progress);
    Result<void> loadResolver();
    struct Batch;
    Batch prepare(const Delivery& delivery, std::int64_t from);
    Result<void> process(Delivery& delivery, const Progress& progress);

    config::Settings settings_;
    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Lease> lease_;
    std::unique_ptr<Keys> keys_;
    Sources sources_;
    PullSources pulled_;
    Poison poison_;
    std::unique_ptr<Connect> connect_;
    std::unique_ptr<Map> map_;
    std::unique_ptr<Resolver> resolver_;
};

/// For each source with a full feed the share of keys that one snapshot may drop.
std::map<std::string, double> deleteShares(const config::Settings& settings);

}  // namespace porta::pipeline
