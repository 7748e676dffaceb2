#pragma once
/// The verbs of `porta map`, one file each; map.cpp finds them by name. Arguments exclude the program's, the noun's and the
/// verb's name. They return the process exit code.
#include <iostream>

#include "app/commands.h"
#include "base/result.h"

namespace porta::app {

int mapCheck(const Arguments& args);
int mapTest(const Arguments& args);

/// The message on stderr, and the exit code of its kind.
inline int complain(const Error& error) {
    std::cerr << error.message << "\n";
    return exitCode(error.code);
}

}  // namespace porta::app
