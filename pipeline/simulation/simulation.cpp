#include "pipeline/simulation/simulation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/crypto.h"
#include "pipeline/disclosure.h"
#include "pipeline/simulation/laws.h"

namespace porta::pipeline::simulation {

namespace fs = std::filesystem;

namespace {

/// Several schedules for each history: what an undisturbed run of it comes to is computed once.
constexpr std::uint64_t kSchedules = 4;

struct Folder {
    fs::path path;
    ~Folder() {
        std::error_code ignore;
        if (!path.empty()) fs::remove_all(path, ignore);
    }
};

Result<void> write(const fs::path& path, const std::string& text) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (out) return {};
    return fail(
        Errc::unavailable,
        "no file can be written below " + fs::temp_directory_path().string() + "; give another directory in TMPDIR",
        "simulation.folder");
}

/// A history and the faults that meet it.
struct Case {
    History history;
    std::vector<Fault> faults;
};

History without(const History& history, const std::string& source) {
    History out;
    for (const Sending& s : history)
        if (s.source != source) out.push_back(s);
    return out;
}

}  // namespace

struct Simulation::Inside {
    Folder folder;
    Prepared prepared;
    Kinds kinds;
    policy::Purposes purposes;
    std::unique_ptr<Town> town;
    std::optional<std::uint64_t> known;  ///< the history whose undisturbed run is at hand
    Beside undisturbed;
    std::vector<Fault> met;  ///< in the schedule that ran last

    /// Shape: nothing, or why the undisturbed run is wrong itself.
    std::optional<std::string> undisturb(const History& history, Beside& into) {
        Schedule schedule(prepared, *town, history);
        if (auto broken = schedule.undisturbed()) return "undisturbed: " + *broken;
        if (auto broken = checkAlone(prepared, purposes, *town, schedule.feeds())) return "undisturbed: " + *broken;
        into.all = outcomeOf(prepared, purposes, *town);
        const History rest = without(history, kHidden);
        if (rest.size() == history.size()) {
            into.limited_without = into.all.limited;
            return std::nullopt;
        }
        Schedule other(prepared, *town, rest);
        if (auto broken = other.undisturbed()) return "undisturbed without a source: " + *broken;
        into.limited_without = outcomeOf(prepared, purposes, *town).limited;
        return std::nullopt;
    }

    std::optional<std::string> disturb(std::uint64_t seed, const History& history, Faults faults,
                                       const Beside& beside) {
        Schedule schedule(prepared, *town, history);
        auto broken = schedule.disturbed(seed, std::move(faults));
        met = town->faults.met();
        town->others = {};
        if (broken) return broken;
        if (auto b = checkAlone(prepared, purposes, *town, schedule.feeds())) return b;
        return compare(outcomeOf(prepared, purposes, *town), beside);
    }

    std::optional<std::string> attempt(std::uint64_t seed, const Case& one) {
        Beside beside;
        if (auto broken = undisturb(one.history, beside)) return broken;
        return disturb(seed, one.history, Faults(one.faults), beside);
    }

    /// Leaves out whatever the failure does not need: larger pieces first, until nothing more can go.
    std::string reduce(std::uint64_t seed, Case& one, std::string text) {
        const std::string law = text.substr(0, text.find(':'));
        auto holds = [&](const Case& smaller) {
            try {
                auto broken = attempt(seed, smaller);
                // Of the same law, or it would be another failure.
                const bool same = broken && broken->substr(0, broken->find(':')) == law;
                if (same) text = *broken;
                return same;
            } catch (const Failure&) {
                return false;
            }
        };
        for (bool smaller = true; smaller;) {
            smaller = false;
            for (std::size_t size = std::max<std::size_t>(one.faults.size() / 2, 1); size > 0; size /= 2)
                for (std::size_t i = 0; i < one.faults.size();) {
                    Case next = one;
                    next.faults.erase(
                        next.faults.begin() + static_cast<std::ptrdiff_t>(i),
                        next.faults.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, one.faults.size())));
                    if (!holds(next)) {
                        i += size;
                        continue;
                    }
                    one = std::move(next);
                    smaller = true;
                }
            for (std::size_t i = one.history.size(); i-- > 0;) {
                Case next = one;
                next.history.erase(next.history.begin() + static_cast<std::ptrdiff_t>(i));
                if (holds(next)) {
                    one = std::move(next);
                    smaller = true;
                    continue;
                }
                for (std::size_t r = one.history[i].rows.size(); r-- > 0 && one.history[i].rows.size() > 1;) {
                    next = one;
                    next.history[i].rows.erase(next.history[i].rows.begin() + static_cast<std::ptrdiff_t>(r));
                    if (!holds(next)) continue;
                    one = std::move(next);
                    smaller = true;
                }
            }
        }
        return text;
    }
};

Simulation::Simulation(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Simulation::~Simulation() = default;

Result<std::unique_ptr<Simulation>> Simulation::open(Kinds kinds) {
    auto inside = std::make_unique<Inside>();
    std::string name = (fs::temp_directory_path() / "porta-sim-XXXXXX").string();
    if (!::mkdtemp(name.data()))
        return fail(Errc::unavailable, "no directory can be made for the simulation; give another one in TMPDIR",
                    "simulation.folder");
    inside->folder.path = name;
    const fs::path config = inside->folder.path / "config", key = config / "keys/key";
    for (const auto& [file, text] : townConfiguration())
        if (auto r = write(config / file, text); !r) return r.error();
    // The same key for every run: keyed hashes decide in which partition a message goes.
    if (auto r = write(key, std::string(64, '5') + "\n"); !r) return r.error();
    ::chmod(key.c_str(), 0600);
    auto settings = config::load(config.string(), "", {});
    if (!settings) return settings.error();
    inside->kinds = std::move(kinds);
    inside->prepared.settings = std::move(*settings);
    inside->prepared.settings.poll_ms = 0;
    auto sources = loadSources(inside->prepared.settings);
    if (!sources) return sources.error();
    inside->prepared.sources = std::move(*sources);
    auto purposes = loadPurposes(inside->prepared.settings);
    if (!purposes) return purposes.error();
    inside->purposes = std::move(*purposes);
    auto town = Town::open();
    if (!town) return town.error();
    inside->town = std::move(*town);
    return std::unique_ptr<Simulation>(new Simulation(std::move(inside)));
}

std::optional<Failed> Simulation::run(std::uint64_t seed, bool shrink) {
    Inside& in = *inside_;
    const std::uint64_t history_seed = seed / kSchedules;
    Case one{invent(history_seed), {}};
    std::optional<std::string> broken;
    try {
        if (in.known != history_seed) {
            in.known.reset();
            broken = in.undisturb(one.history, in.undisturbed);
            if (!broken) in.known = history_seed;
        }
        if (!broken) {
            broken = in.disturb(seed, one.history, Faults(seed, in.kinds), in.undisturbed);
            one.faults = in.met;
        }
    } catch (const Failure& f) {
        broken = "a check failed: " + f.error.message;
    }
    if (!broken) return std::nullopt;
    Failed failed{seed, *broken, ""};
    if (shrink) failed.text = in.reduce(seed, one, failed.text);
    failed.history = describe(one.history);
    for (const Fault& f : one.faults) failed.history += "  " + describe(f) + "\n";
    return failed;
}

}  // namespace porta::pipeline::simulation
