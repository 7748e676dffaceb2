#pragma once
/// The whole pipeline in one thread in a simulated world: schedules by their seeds, every law after each, and a failure
/// reduced to what it needs. What is simulated and what is not: pipeline/simulation/README.md.
///
///     auto simulation = Simulation::open();
///     if (auto failure = (*simulation)->run(42)) std::cout << failure->text;
#include <memory>
#include <optional>
#include <string>

#include "pipeline/simulation/faults.h"

#include "base/result.h"

namespace porta::pipeline::simulation {

struct Failed {
    std::uint64_t seed = 0;
    std::string text;     ///< which law, and how
    std::string history;  ///< what was sent and what went wrong, one line each
};

/// Threads: one; several threads open one each.
class Simulation {
public:
    /// `kinds`: what may go wrong. Writes a configuration to a temporary directory, compiles its mappings, prepares the stores.
    /// Errors: misconfigured, unavailable.
    static Result<std::unique_ptr<Simulation>> open(Kinds kinds);
    ~Simulation();
    /// One schedule. `shrink`: leaves out objects, raw records and faults while a law stays broken.
    std::optional<Failed> run(std::uint64_t seed, bool shrink);

private:
    struct Inside;
    explicit Simulation(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

}  // namespace porta::pipeline::simulation
