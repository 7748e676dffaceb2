#pragma once
/// One canonical record with its envelope (docs/formats/record.md): what its operations amount to, and where that is from.
#include <functional>
#include <string>
#include <vector>

#include "views/case_view.h"

namespace porta::views {

/// What the record itself does not know.
struct RecordFacts {
    struct Source {
        std::string tenant, agency, domain;
    };
    struct Mapped {
        std::string raw, recorded_at, mapping_digest, engine_digest;
    };
    std::string purpose, legal_basis;  ///< for which it is shown
    std::function<Source(const std::string& source)> source;
    std::function<Mapped(const schemas::StoredOperation&)> mapped;
    std::function<bool(const std::string& entity, const std::string& field)> field;  ///< whether it is shown
};

Json recordJson(const schemas::FoldedRecord& record, const RecordFacts& facts);
/// Every operation in the order of the fold, with `state`: current (sets a field now), superseded, void (cancelled or
/// below a delete).
Json historyJson(std::vector<const schemas::StoredOperation*> operations, const schemas::FoldedRecord& record,
                 const RecordFacts& facts);

}  // namespace porta::views
