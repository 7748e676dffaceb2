#pragma once
/// What people decided about two records, and whether a new decision can stand beside the others. Pure.
///
///     auto held = inForce(facts);
///     if (auto chain = contradiction(held, a, b, Verdict::different, survivor); !chain.empty()) …refuse, naming it…
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "identity/partition.h"

namespace porta::identity {

enum class FactKind : std::uint8_t { same, different, withdraw };
std::string_view name(FactKind kind);

/// One entry of the desk about a pair of records.
struct Fact {
    std::string id;  ///< as the desk names it
    FactKind kind = FactKind::same;
    std::string a, b;          ///< record key texts
    std::int64_t instant = 0;  ///< micros since 1970 UTC: facts on a pair are ordered by it
    std::int64_t raw = 0;      ///< raw record; never decides
    std::string by, second, reason, at, evidence;
};

/// The decision in force for each pair, sorted by pair: the greatest fact, unless that withdraws. At equal instants
/// `different` holds, as in the partition.
std::vector<Fact> inForce(std::vector<Fact> facts);

/// The decisions that a new one would contradict, in the order of the chain from `a` to `b`; empty when it fits. `same`
/// contradicts a `different` between what it would join; `different` contradicts a path of `same`. `survivor` names the
/// record of an alias class, so that two names of one record are one end.
std::vector<Fact> contradiction(const std::vector<Fact>& in_force, const std::string& a, const std::string& b,
                                Verdict verdict, const std::function<std::string(const std::string&)>& survivor);

/// `A =same= B (d-1), B ≠different≠ C (d-2)`. Record keys are personal: only for those who may see them.
std::string words(const std::vector<Fact>& chain);

}  // namespace porta::identity
