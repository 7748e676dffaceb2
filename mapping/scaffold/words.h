#pragma once
/// Names of columns against the table of words. Private to mapping/scaffold.
#include <string>
#include <string_view>
#include <vector>

namespace porta::mapping {

/// Lower case, without accents, blanks and signs; nothing left out.
std::string folded(std::string_view text);
/// How well a name says a role: 1000 for one of its words, 0 for none of them.
int matches(const std::vector<std::string>& words, std::string_view role);
/// The roles of the table that begin with this, each row's.
std::vector<std::string> rolesWith(std::string_view prefix);

}  // namespace porta::mapping
