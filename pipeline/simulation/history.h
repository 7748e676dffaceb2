#pragma once
/// What the sources of a simulated town send: a few invented people told of by five offices, with corrections, deletes,
/// merges and unmerges, cancels, three snapshots of a register, people's decisions, repeats and broken rows.
///
///     History h = invent(7);        // about 40 raw records, the same for every run
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace porta::pipeline::simulation {

/// One object on its way to the gateway. `rows` are its raw records, so that the shrinker can leave some out.
struct Sending {
    std::string source, path, head;
    std::vector<std::string> rows;
    bool pushed =
        false;  ///< its sender pushes it and repeats until it is told *durable*; else it lies there to be pulled
    bool in_order = false;    ///< not before the one before it of the same source
    std::string object_time;  ///< ISO, as the name says it; empty: its source has none
    int no = 0;               ///< its place in the history as it was invented
    std::string bytes() const;
};

using History = std::vector<Sending>;

History invent(std::uint64_t seed);
std::size_t rowsOf(const History& history);
/// One line each, for a report; everything in it is invented.
std::string describe(const History& history);

/// The files of the configuration under which the town is run: name → text.
std::map<std::string, std::string> townConfiguration();
/// The source that the purpose `without-clinic` does not see. It never joins two people whom the others leave apart.
inline constexpr const char* kHidden = "clinic";
inline constexpr const char* kLimitedPurpose = "without-clinic";
inline constexpr const char* kWholePurpose = "verification";

}  // namespace porta::pipeline::simulation
