#pragma once
/// One function per command; `main.cpp` finds it by noun and verb. Arguments exclude the program's and the command's name.
/// They return the process exit code (docs: COMMANDS).
#include <string>
#include <vector>

namespace porta::app {

using Arguments = std::vector<std::string>;

int commandAccount(const Arguments& args);
int commandAudit(const Arguments& args);
int commandBackup(const Arguments& args);
int commandBench(const Arguments& args);
int commandConnector(const Arguments& args);
int commandCrashpoints(const Arguments& args);
int commandFhirpath(const Arguments& args);
int commandIdentity(const Arguments& args);
int commandIdentityCheck(const Arguments& args);
int commandIngest(const Arguments& args);
int commandMap(const Arguments& args);
int commandObject(const Arguments& args);
int commandPerson(const Arguments& args);
int commandQuarantine(const Arguments& args);
int commandRaw(const Arguments& args);
int commandRead(const Arguments& args);
int commandRecord(const Arguments& args);
int commandRecordFold(const Arguments& args);
int commandRestore(const Arguments& args);
int commandRun(const Arguments& args);
int commandSim(const Arguments& args);
int commandStatus(const Arguments& args);
int commandSynth(const Arguments& args);
int commandTerms(const Arguments& args);
int commandTopics(const Arguments& args);
int commandView(const Arguments& args);
int commandViewdef(const Arguments& args);
int commandWhy(const Arguments& args);
int commandWhyNot(const Arguments& args);

}  // namespace porta::app
