#pragma once
/// Law 5 at the command line: who asks for which purpose is decided before anything is loaded, and the decision-log entry
/// is durable before anything is printed.
///
///     auto p = permit(options, "view.show", person);
///     if (!p) return complain(p.error());          // refused, and logged
///     … load …
///     if (auto r = p->answers({.persons = {person}}); !r) return complain(r.error());
///     std::cout << …
#include <memory>
#include <string>
#include <vector>

#include "app/context.h"
#include "pipeline/decision_log.h"
#include "pipeline/read.h"
#include "policy/purposes.h"
#include "views/case_view.h"

namespace porta::app {

/// Whom an answer concerns. Record keys, names and values never go to the log; persons do, by number.
struct Shown {
    std::vector<std::int64_t> persons = {};
    bool everybody = false;  ///< a list over whole sources: any of its persons may be in it
    std::int64_t raw = 0;    ///< the raw record shown
};

class Permitted {
public:
    config::Settings settings;
    std::unique_ptr<pipeline::Reader> reader;
    policy::Purpose granted;
    views::PurposeView purpose;
    std::vector<views::SourceFacts> sources;
    std::int64_t as_of = 0;  ///< 0: the greatest source time in the log
    std::string user;

    Permitted() = default;
    Permitted(Permitted&&) = default;
    Permitted& operator=(Permitted&&) = default;
    /// A look that ended in a failure is logged as such: somebody tried.
    ~Permitted();

    /// Logs what the answer will show. Errors: unavailable: then nothing may be printed.
    Result<void> answers(const Shown& shown);
    /// Logs that nothing was found, or that the thing asked for is refused, and complains.
    int ends(const Error& error);

    /// Errors: denied when the purpose does not have the section or the source. Looks at the purpose alone.
    Result<void> mayShow(const std::string& section) const;
    Result<void> mayRead(const std::string& source) const;
    /// What is not there and what is not permitted are one answer for a purpose that does not see every source.
    Error missing(const std::string& message, const std::string& rule) const;

private:
    friend Result<Permitted> permit(const Options& options, const std::string& action, std::int64_t person);
    Result<void> log(const char* outcome, const Shown& shown, const std::string& rule);

    std::unique_ptr<pipeline::DecisionLog> log_;
    Json entry_;
};

/// Errors: denied (logged), unavailable when the decision log cannot be written: then nothing is shown.
Result<Permitted> permit(const Options& options, const std::string& action, std::int64_t person);
/// Fills in what depends on the data: newest times, the default as_of.
void settleTimes(Permitted& permitted);

/// Whether ranges as the log has them (`p1-p3,p7`, `everybody`) hold a number.
bool inRanges(const std::string& ranges, std::int64_t person);

}  // namespace porta::app
