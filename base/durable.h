#pragma once
/// Names that outlive a power cut: a file that was synced is still gone when its name in the directory was not.
#include <string>
#include <string_view>

#include "base/result.h"

namespace porta {

/// Makes what is missing of a path. On return its own name is durable, and so is each name that was made.
/// Errors: misconfigured, when it cannot be made or is no directory.
Result<void> makeDirectory(const std::string& path);

/// Writes a file of this name, durable on return, whole or not at all. Errors: unavailable.
Result<void> writeFile(const std::string& path, std::string_view bytes);

/// The names in a directory are durable on return. Errors: unavailable.
Result<void> syncDirectory(const std::string& path);

}  // namespace porta
