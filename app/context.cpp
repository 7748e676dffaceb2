#include "app/context.h"

#include <cstdlib>
#include <iostream>

#include "base/date_time.h"
#include "base/yaml.h"
#include "pipeline/decision_log.h"
#include "pipeline/world.h"

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

int complain(const Error& error) {
    std::cerr << "porta: " << name(error.code) << ": " << error.message << "\n";
    return error.rule == "option" ? 2 : exitCode(error.code);
}

int usage(const std::string& text, bool asked) {
    (asked ? std::cout : std::cerr) << text;
    return asked ? 0 : 2;
}

Result<Permitted> permit(const Options& options, const std::string& action, std::int64_t person) {
    Permitted p;
    auto settings = loadSettings(options);
    if (!settings) return settings.error();
    p.settings = *settings;
    auto purposes = policy::Purposes::load(p.settings.directory + "/purposes.yaml");
    if (!purposes) return purposes.error();
    const char *as = std::getenv("PORTA_AS"), *for_purpose = std::getenv("PORTA_PURPOSE");
    std::string user = options.get("--as", as ? as : ""),
                purpose = options.get("--purpose", for_purpose ? for_purpose : "");
    auto decision = purposes->decide(user, purpose, options.get("--case"));
    auto log = pipeline::DecisionLog::open(p.settings);
    if (!log) return log.error();
    const policy::User* known = purposes->user(user);
    const policy::Purpose* granted = decision.allowed ? purposes->purpose(purpose) : nullptr;
    Json entry = Json::object();
    entry["at"] = isoInstant(pipeline::openClock(p.settings)->now());
    entry["actor"] = user;
    entry["role"] = known ? known->role : "";
    entry["purpose"] = purpose;
    entry["legal_basis"] = granted ? granted->legal_basis : "";
    entry["case"] = options.get("--case");
    entry["action"] = action;
    entry["person"] = person ? personText(person) : "";
    entry["decision"] = decision.allowed ? "permitted" : "refused";
    entry["rule"] = decision.rule;
    // Law 5: the entry is durable before the answer; without it nothing is shown.
    if (auto done = (*log)->append(entry); !done) return done.error();
    if (!decision.allowed)
        return fail(Errc::denied,
                    "not permitted; name a user and a purpose that the user holds with --as USER --purpose P",
                    decision.rule);
    p.purpose.id = granted->id;
    p.purpose.all_sections = granted->all_sections;
    p.purpose.all_sources = granted->all_sources;
    p.purpose.sections.insert(granted->sections.begin(), granted->sections.end());
    p.purpose.sources.insert(granted->sources.begin(), granted->sources.end());
    for (const auto& s : p.settings.sources)
        p.sources.push_back({s.id, s.agency_name, s.domain, s.file, s.coverage_from, 0, s.promise_micros});
    if (options.has("--as-of")) {
        auto at = parseIso(options.get("--as-of"));
        if (!at) return fail(Errc::malformed, "--as-of takes a date or an instant, e.g. 2024-05-01", "option");
        auto micros = firstInstant(*at);
        if (!micros) return micros.error();
        p.as_of = *micros;
    }
    auto reader = pipeline::Reader::open(p.settings);
    if (!reader) return reader.error();
    p.reader = std::move(*reader);
    return p;
}

void settleTimes(Permitted& p) {
    std::int64_t newest = 0;
    for (auto& s : p.sources) {
        s.newest_instant = p.reader->newestOf(s.id);
        newest = std::max(newest, s.newest_instant);
    }
    if (!p.as_of) p.as_of = newest;
}

std::int64_t personNumber(const std::string& text) {
    if (text.size() < 2 || text.size() > 18 || text[0] != 'p') return 0;
    for (char c : text.substr(1))
        if (c < '0' || c > '9') return 0;
    return std::strtoll(text.c_str() + 1, nullptr, 10);
}

std::string personText(std::int64_t person) { return "p" + std::to_string(person); }

}  // namespace porta::app
