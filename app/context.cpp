#include "app/context.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/yaml.h"

namespace porta::app {

std::string Options::get(const std::string& name, const std::string& otherwise) const {
    auto it = values.find(name);
    return it == values.end() ? otherwise : it->second;
}

Result<Options> parseOptions(const Arguments& args, const std::vector<std::string>& flags,
                             const std::vector<std::string>& valued) {
    Options o;
    std::vector<std::string> known = valued;
    known.insert(known.end(), {"-c", "--state", "--set"});
    bool only_operands = false;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string& a = args[i];
        if (only_operands || a.empty() || a[0] != '-' || a == "-") {
            o.operands.push_back(a);
            continue;
        }
        if (a == "--") {
            only_operands = true;
            continue;
        }
        if (a == "--help" || a == "-h") {
            o.help = true;
            continue;
        }
        if (std::find(flags.begin(), flags.end(), a) != flags.end()) {
            o.values[a] = "true";
            continue;
        }
        if (std::find(known.begin(), known.end(), a) == known.end()) {
            std::vector<std::string> all = known;
            all.insert(all.end(), flags.begin(), flags.end());
            std::string near = nearest(a, all);
            return fail(Errc::malformed, "unknown option " + a + (near.empty() ? "" : "; did you mean " + near + "?"),
                        "option");
        }
        if (i + 1 >= args.size()) return fail(Errc::malformed, a + " needs a value", "option");
        if (a == "--set") o.sets.push_back(args[++i]);
        else o.values[a] = args[++i];
    }
    return o;
}

Result<config::Settings> loadSettings(const Options& options) {
    const char* from_environment = std::getenv("PORTA_CONFIG");
    return config::load(options.get("-c", from_environment ? from_environment : "./config"), options.get("--state"),
                        options.sets);
}

std::optional<int> parse(CLI::App& app, const Arguments& args) {
    // What stands before the colon is what a user types.
    const std::string description = app.get_description();
    app.name(description.substr(0, description.find(':')));
    try {
        app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
        return std::nullopt;
    } catch (const CLI::ParseError& e) {
        return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    }
}

int complain(const Error& error) {
    std::cerr << "porta: " << name(error.code) << ": " << error.message << "\n";
    return error.rule == "option" ? 2 : exitCode(error.code);
}

int usage(const std::string& text, bool asked) {
    (asked ? std::cout : std::cerr) << text;
    return asked ? 0 : 2;
}

int unknownVerb(const std::string& noun, const std::string& verb, const std::vector<std::string>& known,
                const std::string& text) {
    std::string near = nearest(verb, known);
    // What was typed may be personal (a name in the wrong place); only a near miss of a verb is named.
    std::cerr << "porta " << noun << ": unknown verb" << (near.empty() ? "" : "; did you mean `" + near + "`?") << "\n"
              << text;
    return 2;
}

std::int64_t personNumber(const std::string& text) {
    if (text.size() < 2 || text.size() > 18 || text[0] != 'p') return 0;
    for (char c : text.substr(1))
        if (c < '0' || c > '9') return 0;
    return std::strtoll(text.c_str() + 1, nullptr, 10);
}

}  // namespace porta::app
