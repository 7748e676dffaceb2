#pragma once
/// The fields of the common schema (docs/formats/common-schema.md) as the loader checks mappings against them.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace porta::mapping {

/// none: no such field. group and list have fields below them; the others are leaves.
enum class Target { none, group, list, text, date, instant, boolean, coded };

bool isEntity(std::string_view entity);
std::vector<std::string> entities();
/// `path` as in `names/N/given/N`: lists are entered by `N`.
Target targetOf(std::string_view entity, std::string_view path);
/// The field names directly below `path` (empty: of the entity).
std::vector<std::string> namesBelow(std::string_view entity, std::string_view path);
/// Those of them that must be there: a record, or an item of a list, without them is none.
std::vector<std::string> requiredBelow(std::string_view entity, std::string_view path);
/// Entity and path of every field that may hold certain texts only.
std::vector<std::pair<std::string, std::string>> valueSets();
/// The only texts that the field may hold; empty: any.
std::vector<std::string> valueSet(std::string_view entity, std::string_view path);

}  // namespace porta::mapping
