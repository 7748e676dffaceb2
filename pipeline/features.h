#pragma once
/// What identity reads of a folded Person record: the matcher's features, what `person find` looks for, and a fingerprint
/// that stays the same as long as neither can change.
#include <string>
#include <string_view>
#include <vector>

#include "identity/partition.h"
#include "schemas/fold.h"

namespace porta::pipeline {

/// Whether identity reads a leaf with this path.
bool identityReads(std::string_view path);
/// The operation with those leaves only, and without their spans.
schemas::Operation forIdentity(const schemas::Operation& op);

identity::Features featuresOf(const schemas::FoldedRecord& record);
/// Names, birth dates and identifiers as the record states them, in the forms of records.h; sorted.
std::vector<std::string> findTokens(const schemas::FoldedRecord& record);

/// Records of one class with equal fingerprints have equal features and tokens.
std::string fingerprint(const schemas::FoldedRecord& record);

/// Value of the leaf at exactly `path`, or none.
const std::string* leafValue(const schemas::Operation& op, std::string_view path);
/// Value of a field of one leaf; empty when the record has none.
std::string fieldText(const schemas::FoldedRecord& record, const std::string& field);

}  // namespace porta::pipeline
