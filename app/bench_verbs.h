#pragma once
/// The verbs of `porta bench`, one file each; bench.cpp finds them by name. Arguments exclude the program's, the noun's and the
/// verb's name. They return the process exit code.
#include "app/commands.h"

namespace porta::app {

int benchMap(const Arguments& args);
int benchRead(const Arguments& args);
int benchFhirpath(const Arguments& args);
int benchIngest(const Arguments& args);

}  // namespace porta::app
