#pragma once
/// splitmix64: small, seeded, the same everywhere. Every choice of a schedule comes from a seed through it, so that a seed
/// repeats a schedule exactly.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace porta::pipeline::simulation {

inline std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(mix(seed)) {}
    std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ull); }
    int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T>
    void shuffle(std::vector<T>& all) {
        for (std::size_t i = all.size(); i > 1; --i)
            std::swap(all[i - 1], all[static_cast<std::size_t>(below(static_cast<int>(i)))]);
    }

private:
    std::uint64_t state_;
};

}  // namespace porta::pipeline::simulation
