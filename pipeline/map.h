#pragma once
/// map: a raw record becomes operations, or is skipped by a named rule, or quarantined; one outcome each. A pure function
/// of its bytes, its object's description and the mappings of its generation.
#include <string>
#include <vector>

#include "formats/format.h"
#include "pipeline/messages.h"
#include "pipeline/records.h"
#include "pipeline/sources.h"

namespace porta::pipeline {

/// The outcome of a raw record: its row, and what resolve gets.
struct Mapped {
    RawRow row;
    RecordMessage record;
};

/// Whether who gets the outcomes wants their operations open, too: they cost each record memory of its own.
enum class Open : bool { no, yes };

/// A raw record with what its source and its object declare. Owner: it views `bytes` and `meta`.
mapping::Input inputOf(const config::SourceSettings& source, const ObjectMeta& meta, std::string_view bytes);
/// The function itself: the same for a first run, a replay and the auditor's replay. `out` may hold an outcome before.
void mapOnce(const Source& source, const ObjectMeta& meta, std::int64_t object, std::int64_t position,
             std::string_view bytes, formats::NodeTree& tree, mapping::Outcome& out);
RawState stateOf(const mapping::Outcome& outcome);

/// Threads: one.
class Map {
public:
    /// `poison`: raw records that killed their process too often, by `Poison`.
    Map(Store& store, Keys& keys, const Sources& sources, class Poison& poison, Open operations)
        : store_(store), keys_(keys), sources_(sources), poison_(poison), objects_(store, keys), open_(operations) {}

    /// Errors: misconfigured when the record belongs to a generation that this process does not have. Throws Failure.
    Result<Mapped> map(const RawMessage& message);
    /// The same for who has the object in hand: with `plain` bytes it asks no store.
    Result<Mapped> map(const RawMessage& message, const KnownObject& object);
    /// Stores outcomes, in the caller's transaction. An outcome exists once: of equal attempts the first stays.
    void write(const std::vector<Mapped>& batch);

private:
    Store& store_;
    Keys& keys_;
    const Sources& sources_;
    Poison& poison_;
    Objects objects_;
    Open open_;
    formats::NodeTree tree_;
    mapping::Outcome outcome_;  ///< of the record in work
};

}  // namespace porta::pipeline
