#pragma once
/// What every command shares: options, configuration, errors and their exit codes. Permission to show: `app/permit.h`.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/result.h"
#include "config/settings.h"
#include "pipeline/disclosure.h"
#include "pipeline/read.h"

namespace CLI {
class App;
}

namespace porta::app {

/// `-c DIR --state DIR --set k=v` and the options that the command names; the rest are operands.
struct Options {
    std::map<std::string, std::string> values;
    std::vector<std::string> sets, operands;
    bool help = false;
    bool has(const std::string& name) const { return values.count(name) > 0; }
    std::string get(const std::string& name, const std::string& otherwise = {}) const;
};

/// `flags` take no value, `valued` take one. Errors: an unknown option, with the nearest known one.
Result<Options> parseOptions(const Arguments& args, const std::vector<std::string>& flags,
                             const std::vector<std::string>& valued);
Result<config::Settings> loadSettings(const Options& options);

/// For verbs that describe their arguments to CLI11. A value: the command ends with that exit code; help, or what was typed
/// wrongly, has been printed.
std::optional<int> parse(CLI::App& app, const Arguments& args);

/// Prints `porta: code: message` and gives the exit code of the error.
int complain(const Error& error);
/// Prints usage and gives 0 (help asked for) or 2.
int usage(const std::string& text, bool asked);

/// Two names for what was typed wrongly: `porta: unknown verb …; did you mean …?`, then the usage. Gives 2.
int unknownVerb(const std::string& noun, const std::string& verb, const std::vector<std::string>& known,
                const std::string& text);

/// The socket on which a running owner of the state directory takes what people enter.
std::string ownerSocket(const config::Settings& settings);

/// `p12` → 12, or 0.
std::int64_t personNumber(const std::string& text);
using pipeline::personText;

}  // namespace porta::app
