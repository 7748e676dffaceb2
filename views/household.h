#pragma once
/// Who lives with a person or belongs to the family, as each source claims it: claims side by side, nobody is matched by
/// score. When no source of the purpose declares households, the answer says that, which is not "lives alone".
#include <functional>
#include <string>
#include <vector>

#include "views/case_view.h"

namespace porta::views {

/// Shape:  `{schema, person, purpose, as_of, households:[{source, kind?, members[{person?, record, role?, head?, start?,
///         end?, state: present|past}]}], relationships:[{source, person?, record, type?, legal_responsibility?, start?, end?,
///         state}], declared_by[], says}`. `records` are all folded records of the person.
///         `person_of` names the person of a record key, "" for none, "-" for one that must not be named at all.
Json household(const std::string& person, const std::vector<schemas::FoldedRecord>& records, const PurposeView& purpose,
               const std::vector<SourceFacts>& sources, std::int64_t as_of,
               const std::function<std::string(const schemas::RecordKey&)>& person_of);
std::string householdText(const Json& household);

}  // namespace porta::views
