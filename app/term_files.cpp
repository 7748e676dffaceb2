#include "app/term_files.h"

#include "app/input_file.h"

namespace porta::app {

Result<void> addTable(mapping::Terms& terms, const std::string& file) {
    auto bytes = readInput(file);
    if (!bytes) return bytes.error();
    auto added = terms.add(*bytes);
    if (added) return {};
    Error error = added.error();
    error.message = file + ": " + error.message;
    return error;
}

Result<std::shared_ptr<const mapping::Terms>> termsWith(const std::vector<std::string>& files) {
    std::shared_ptr<mapping::Terms> terms = mapping::Terms::builtIn();
    for (const std::string& file : files)
        if (auto added = addTable(*terms, file); !added) return added.error();
    return std::shared_ptr<const mapping::Terms>(terms);
}

}  // namespace porta::app
