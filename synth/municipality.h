#pragma once
/// An invented municipality: feeds of six sources in several dated drops, and beside them the truth and the facts that the
/// generator knows. Nothing here reads the pipeline. Deterministic from the seed.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace porta::synth {

struct Wish {
    std::int64_t people = 300;
    std::uint64_t seed = 1;
    std::string out;  ///< directory, made when missing
};

/// Writes feeds/, config/, truth.csv, facts.ndjson and manifest.json below `wish.out`. Errors: unavailable.
Result<void> invent(const Wish& wish);

}  // namespace porta::synth
