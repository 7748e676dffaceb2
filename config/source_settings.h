#pragma once
/// What settings.cpp takes from the files of the sources. Inside this room only.
#include <string>

#include "config/settings.h"

namespace porta::config {

/// A path of the configuration, `${NAME}` from the environment in it, against the directory of its file.
std::string resolve(const std::string& directory, const std::string& path);
/// One file of `sources/`; `library`: where shipped mappings stand. Errors: misconfigured, with line and column.
Result<SourceSettings> loadSource(const std::string& directory, const std::string& path, const std::string& library);
/// What people enter has a source in every configuration; a file `sources/desk.yaml` may say more of it.
SourceSettings builtInDesk(const std::string& library);

}  // namespace porta::config
