#pragma once
/// How the nodes of a view are made: every leaf with its origin. Inside this room only.
#include <string>
#include <vector>

#include "views/case_view.h"

namespace porta::views {

ViewNode list();
ViewNode object();
/// A value as an operation states it.
ViewNode leafOf(const schemas::Leaf& leaf, const schemas::StoredOperation* op);
/// A value that the configuration of a source states, at this pointer of its file.
ViewNode declared(const SourceFacts& source, const std::string& pointer, const std::string& value);
/// A value made from others; `inputs`: pointers into the view, or keys of the configuration.
ViewNode computed(Json value, std::vector<std::string> inputs);
/// A value that says that something is not there.
ViewNode absent(Json value, std::vector<std::string> inputs);
/// A field's value as the operation `from` states it.
ViewNode fieldNode(const schemas::StoredOperation* from, const std::string& field);
/// The leaf at a path, or null; of a record the one that the field's setter states, and the setter.
const schemas::Leaf* leafAt(const schemas::StoredOperation* op, const std::string& path);
const schemas::Leaf* leafOfField(const schemas::FoldedRecord& r, const std::string& field, const std::string& path,
                                 const schemas::StoredOperation** op);
/// The text of a field that is one leaf, or "".
std::string textOf(const schemas::FoldedRecord& r, const std::string& field);

}  // namespace porta::views
