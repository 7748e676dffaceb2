#pragma once
/// Regular expressions as FHIRPath writes them, by RE2: time linear in the text, memory bounded, so that no pattern hangs.
/// Look-around and back references, which cannot be had so, are refused. Private to this folder.
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace porta::fhirpath {

/// `flags`: `i` ignores case, `m` lets ^ and $ match at lines. Named groups are `(?<name>…)`. `.` matches line ends.
/// Errors: malformed; the message is a phrase without the pattern.
Result<std::shared_ptr<const re2::RE2>> compileRegex(std::string_view pattern, std::string_view flags);
bool matchesPart(const re2::RE2& regex, std::string_view text);
bool matchesWhole(const re2::RE2& regex, std::string_view text);
/// In `substitution` `$1` and `${name}` are groups, `$$` a dollar sign.
std::string replaceMatches(const re2::RE2& regex, std::string_view text, std::string_view substitution);

}  // namespace porta::fhirpath
