#include "app/permit.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/date_time.h"
#include "pipeline/disclosure.h"
#include "pipeline/world.h"

namespace porta::app {

namespace {

const char* const kDenied = "not permitted; name a user and a purpose that the user holds with --as USER --purpose P";

}  // namespace

Result<Permitted> permit(const Options& options, const std::string& action, std::int64_t person) {
    Permitted p;
    auto settings = loadSettings(options);
    if (!settings) return settings.error();
    p.settings = *settings;
    auto purposes = policy::Purposes::load(p.settings.directory + "/purposes.yaml");
    if (!purposes) return purposes.error();
    if (auto limited = pipeline::limitToSources(*purposes, p.settings); !limited) return limited.error();
    const char *as = std::getenv("PORTA_AS"), *for_purpose = std::getenv("PORTA_PURPOSE");
    p.user = options.get("--as", as ? as : "");
    std::string purpose = options.get("--purpose", for_purpose ? for_purpose : "");
    auto decision = purposes->decide(p.user, purpose, options.get("--case"));
    auto log = pipeline::DecisionLog::open(p.settings);
    if (!log) return log.error();
    p.log_ = std::move(*log);
    const policy::User* known = purposes->user(p.user);
    if (decision.allowed) p.granted = *purposes->purpose(purpose);
    p.sources = pipeline::sourceFacts(p.settings);
    p.purpose = pipeline::viewOf(p.granted);
    const pipeline::Asking asking{p.user, known ? known->role : "", purpose, options.get("--case"), action, person};
    p.entry_ = pipeline::decisionEntry(pipeline::openClock(p.settings)->now(), asking, decision, p.granted, p.sources);
    if (!decision.allowed) {
        if (auto done = p.log("refused", {}, decision.rule); !done) return done.error();
        return fail(Errc::denied, kDenied, decision.rule);
    }
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

Permitted::~Permitted() {
    // Nothing was shown, so a log that fails here hides nothing.
    if (log_) (void)log("failed", {}, "").has_value();
}

Result<void> Permitted::log(const char* outcome, const Shown& shown, const std::string& rule) {
    if (!log_) return fail(Errc::internal, "a look was answered twice", "decision_log");
    auto log = std::move(log_);
    entry_["outcome"] = outcome;
    if (!rule.empty()) entry_["rule"] = rule;
    pipeline::addPersons(entry_, shown.persons, shown.everybody);
    if (shown.raw) entry_["raw"] = pipeline::Reader::rawText(shown.raw);
    return log->append(entry_);
}

Result<void> Permitted::answers(const Shown& shown) { return log("shown", shown, ""); }

int Permitted::ends(const Error& error) {
    if (error.code == Errc::denied) entry_["decision"] = "refused";
    auto done = log(error.code == Errc::denied ? "refused" : "nothing", {}, error.rule);
    return complain(done ? error : done.error());
}

Result<void> Permitted::mayShow(const std::string& section) const {
    if (purpose.section(section)) return {};
    return fail(Errc::denied, "not permitted; this purpose does not have the section that shows it", "purpose.section");
}

Result<void> Permitted::mayRead(const std::string& source) const {
    if (purpose.source(source)) return {};
    return fail(Errc::denied, "not permitted; this purpose does not have the source, or there is no such source",
                "purpose.source");
}

Error Permitted::missing(const std::string& message, const std::string& rule) const {
    if (purpose.all_sources) return fail(Errc::not_found, message, rule);
    return fail(Errc::denied, "not permitted; there is no such thing in the sources of this purpose", "purpose.source");
}

void settleTimes(Permitted& p) {
    std::int64_t newest = 0;
    for (auto& s : p.sources) {
        s.newest_instant = p.reader->newestOf(s.id);
        newest = std::max(newest, s.newest_instant);
    }
    if (!p.as_of) p.as_of = newest;
}

bool inRanges(const std::string& ranges, std::int64_t person) {
    if (ranges == "everybody") return true;
    for (std::size_t from = 0; from < ranges.size();) {
        std::size_t end = std::min(ranges.find(',', from), ranges.size());
        std::string one = ranges.substr(from, end - from);
        std::size_t dash = one.find('-');
        std::int64_t a = personNumber(one.substr(0, dash)),
                     b = dash == std::string::npos ? a : personNumber(one.substr(dash + 1));
        if (a <= person && person <= b) return true;
        from = end + 1;
    }
    return false;
}

}  // namespace porta::app
