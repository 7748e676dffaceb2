#pragma once
/// Named places where a test may kill the process (PORTA_CRASH=point:n dies at the n-th pass) or stop it (PORTA_STOP, until
/// SIGCONT), each between two effects whose order matters.
#include <string>
#include <vector>

namespace porta::pipeline {

/// Arms PORTA_CRASH or PORTA_STOP; called once by the commands, only where the configuration says `testing: true`.
void armCrashPoint();
/// Dies like kill -9, or stops, when armed for this name and pass.
void crashPoint(const char* name);
/// Names, all or those that `by` (ingest, run or restore) reaches.
std::vector<std::string> crashPoints(const std::string& by);

}  // namespace porta::pipeline
