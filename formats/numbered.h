#pragma once
/// Names with a number (`f1`, `c2`, `s3`) for the formats whose parts have positions instead of names; made once, since a
/// node's name must outlive the tree.
#include <cstddef>

#include "formats/node.h"

namespace porta::formats {

/// Numbers from 0; those from a thousand on share the last name.
inline constexpr std::size_t kNumbered = 1000;

struct NumberedNames {
    const Name* fields;         ///< `f…`
    const Name* components;     ///< `c…`
    const Name* subcomponents;  ///< `s…`
};
/// Threads: any.
const NumberedNames& numberedNames();

inline const Name& numbered(const Name* names, std::size_t n) { return names[n < kNumbered ? n : kNumbered - 1]; }

}  // namespace porta::formats
