#include "pipeline/crash_points.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace porta::pipeline {

namespace {
std::string armed;
long passes = 0;
int strikes = SIGKILL;
}  // namespace

void armCrashPoint() {
    const char* text = std::getenv("PORTA_CRASH");
    if (!text && (text = std::getenv("PORTA_STOP"))) strikes = SIGSTOP;
    if (text) {
        std::string t = text;
        std::size_t colon = t.find(':');
        armed = t.substr(0, colon);
        passes = colon == std::string::npos ? 1 : std::strtol(t.c_str() + colon + 1, nullptr, 10);
    }
}

void crashPoint(const char* name) {
    if (armed.empty() || armed != name || --passes != 0) return;
    ::kill(::getpid(), strikes);
}

std::vector<std::string> crashPoints(const std::string& by) {
    struct Point {
        const char* name;
        bool ingest, run, restore = false;  ///< reached embedded, by a role, by a restore
    };
    static const Point points[] = {
        {"connect.object-read", true, true},        // bytes in hand, nothing stored
        {"connect.object-keys", true, true},        // the object's key is durable, the object is not
        {"connect.object-registered", true, true},  // the object is, none of its records
        {"connect.appended", false, true},       // some or all of its records are in the log, the store does not know
        {"map.record-in-work", true, true},      // a record is being mapped; three times condemn it
        {"map.batch-keys", true, false},         // keys of the batch are durable, its records are not
        {"map.batch-mapped", true, false},       // a batch is mapped, nothing of it stored
        {"map.before-append", false, true},      // a batch is mapped, nothing of it in the log
        {"map.appended", false, true},           // in the log, no outcome stored
        {"map.committed", false, true},          // outcomes stored, the position not moved
        {"resolve.polled", false, true},         // messages in hand, no transaction begun
        {"resolve.before-commit", true, true},   // everything of the batch written, not committed
        {"resolve.after-commit", true, true},    // committed, the source not told
        {"resolve.relayed", false, true},        // changed persons are in the log, not marked as sent
        {"project.before-commit", false, true},  // projected, not committed
        {"project.delivered", false, true},      // views are in the log, not marked as sent
        {"connect.object-closed", true, true},   // all records durable, the file not yet moved or deleted
        {"restore.loaded", false, false, true},  // one part is restored, nothing has its name yet
        {"restore.named", false, false, true},   // one file has its name, the next has not
    };
    std::vector<std::string> names;
    for (const Point& p : points)
        if (by.empty() || (by == "ingest" && p.ingest) || (by == "run" && p.run) || (by == "restore" && p.restore))
            names.push_back(p.name);
    return names;
}

}  // namespace porta::pipeline
