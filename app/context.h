#pragma once
/// What every command shares: options, configuration, errors and their exit codes, and the permission to show.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "config/settings.h"
#include "pipeline/read.h"
#include "policy/purposes.h"
#include "views/case_view.h"

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

/// Prints `porta: code: message` and gives the exit code of the error.
int complain(const Error& error);
/// Prints usage and gives 0 (help asked for) or 2.
int usage(const std::string& text, bool asked);

/// A reader that may show: who asks for what is decided and logged before anything is loaded.
struct Permitted {
    config::Settings settings;
    std::unique_ptr<pipeline::Reader> reader;
    views::PurposeView purpose;
    std::vector<views::SourceFacts> sources;
    std::int64_t as_of = 0;  ///< 0: the greatest source time in the log
};
/// Errors: denied (logged), unavailable when the decision log cannot be written: then nothing is shown.
Result<Permitted> permit(const Options& options, const std::string& action, std::int64_t person);
/// Fills in what depends on the data: newest times, the default as_of.
void settleTimes(Permitted& permitted);

/// The socket on which a running owner of the state directory takes what people enter.
std::string ownerSocket(const config::Settings& settings);

/// `p12` → 12, or 0.
std::int64_t personNumber(const std::string& text);
std::string personText(std::int64_t person);

}  // namespace porta::app
