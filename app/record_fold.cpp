#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands.h"
#include "schemas/fold.h"

namespace porta::app {

int commandRecordFold(const std::vector<std::string>& args) {
    if (args.size() != 1 || args[0] == "--help") {
        bool asked = args.size() == 1;
        (asked ? std::cout : std::cerr)
            << "usage: porta record fold FILE\nFolds operations (NDJSON) and prints one line for each alias "
               "class.\nExample: porta record fold operations.ndjson\n";
        return asked ? 0 : 2;
    }
    std::ifstream in(args[0], std::ios::binary);
    if (!in) {
        std::cerr << "porta record fold: the file cannot be opened\n";
        return 1;
    }
    std::ostringstream text;
    text << in.rdbuf();
    auto folded = schemas::foldNdjson(text.str());
    if (!folded) {
        std::cerr << "porta record fold: " << folded.error().message << "\n";
        return 1;
    }
    std::cout << *folded;
    return 0;
}

}  // namespace porta::app
