#pragma once
/// The verbs of `porta map`, one file each; map.cpp finds them by name. Arguments exclude the program's, the noun's and the
/// verb's name. They return the process exit code.
#include "app/commands.h"

namespace porta::app {

int mapCheck(const Arguments& args);
int mapNew(const Arguments& args);
int mapTest(const Arguments& args);
int mapExplain(const Arguments& args);
int mapUnread(const Arguments& args);
int mapLineage(const Arguments& args);
int mapDiff(const Arguments& args);

}  // namespace porta::app
