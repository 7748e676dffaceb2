#include "pipeline/crash_points.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace porta::pipeline {

namespace {
std::string armed;
long passes = 0;
}  // namespace

void armCrashPoint() {
    if (const char* text = std::getenv("PORTA_CRASH")) {
        std::string t = text;
        std::size_t colon = t.find(':');
        armed = t.substr(0, colon);
        passes = colon == std::string::npos ? 1 : std::strtol(t.c_str() + colon + 1, nullptr, 10);
    }
}

void crashPoint(const char* name) {
    if (armed.empty() || armed != name || --passes > 0) return;
    ::kill(::getpid(), SIGKILL);
}

const std::vector<std::string>& crashPoints() {
    static const std::vector<std::string> names{
        "connect.object-read",        // bytes in hand, nothing stored
        "connect.object-keys",        // the object's key is durable, the object is not
        "connect.object-registered",  // the object is, none of its records
        "map.batch-mapped",           // a batch is mapped, nothing of it stored
        "map.batch-keys",             // keys of the batch are durable, its records are not
        "resolve.before-commit",      // everything of the batch written, not committed
        "resolve.after-commit",       // committed, the source not told
        "connect.object-closed",      // all records committed, the file not yet moved or deleted
    };
    return names;
}

}  // namespace porta::pipeline
