// Weights from a formula: a tensor's values follow from its name alone, so that a checkpoint is committed as a list of names and
// shapes, and any program in any language can make the same one. tools/oracle/formula.py is the other half.
//
// seed = FNV-1a 64 of salt + name. Element i (row-major, from 0): z = seed + (i + 1) * golden ratio, mixed as in splitmix64;
// r = 2 * ((z >> 11) / 2^53) - 1, in [-1, 1). The value is center + spread * r in double precision, rounded to f32.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::test {

inline uint64_t formula_seed(std::string_view name) {
    uint64_t h = 0xcbf29ce484222325u;
    for (const char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    return h;
}

inline double formula_unit(uint64_t seed, uint64_t i) {
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return 2.0 * (static_cast<double>(z >> 11) / 9007199254740992.0) - 1.0;
}

struct FormulaTensor {
    std::string name;
    std::vector<int64_t> shape;
    double center = 0, spread = 0;

    int64_t size() const {
        int64_t n = 1;
        for (const int64_t d : shape) n *= d;
        return n;
    }
    std::vector<float> values(const std::string& salt = "") const {
        const uint64_t seed = formula_seed(salt + name);
        std::vector<float> v(static_cast<size_t>(size()));
        for (size_t i = 0; i < v.size(); i++) v[i] = static_cast<float>(center + spread * formula_unit(seed, i));
        return v;
    }
};

}  // namespace gemma3n::test
