#pragma once
/// zstd for bytes that are stored or sent. No dictionary: one trained on records would hold personal data.
#include <string>
#include <string_view>

#include "base/result.h"

namespace porta {

/// Fast before small. Threads: any; each keeps its working memory.
std::string compress(std::string_view bytes);
/// Errors: internal: not what `compress` made, or more than 1 GiB.
Result<std::string> decompress(std::string_view bytes);

}  // namespace porta
