// The formula weights of the towers' fact sheet: a tensor's values follow from its name and shape. Another formula than formula.h's, because
// the golden numbers of the towers were made with it.
//
// h = FNV-1a 32 of the name; element i: x = h ^ (i * 0x9E3779B9), finished as in murmur3; u = (x >> 8) * 2^-23 - 1 in f32. By the end of
// the name: layer_scale.gamma 0.5 + 0.25 u, .bias 0.1 u, per_dim_scale 0.5 u, embedding.weight u, other vectors 1 + 0.25 u, the rest
// sqrt(3 / product(shape[1:])) u.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::test {

inline uint32_t tower_hash(std::string_view name) {
    uint32_t h = 0x811C9DC5u;
    for (const char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193u;
    return h;
}

inline uint32_t tower_bits(uint32_t hash, uint32_t i) {
    uint32_t x = hash ^ (i * 0x9E3779B9u);
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x ^ (x >> 16);
}

inline float tower_unit(uint32_t hash, uint32_t i) { return static_cast<float>(tower_bits(hash, i) >> 8) * 0x1p-23f - 1.0f; }

// Values [first, first + n) of a tensor.
inline void tower_values(std::string_view name, const std::vector<int64_t>& shape, int64_t first, int64_t n, float* out) {
    float center = 0, spread = 1;
    int64_t columns = 1;
    for (size_t d = 1; d < shape.size(); d++) columns *= shape[d];
    if (name.ends_with("layer_scale.gamma")) center = 0.5f, spread = 0.25f;
    else if (name.ends_with(".bias")) spread = 0.1f;
    else if (name.ends_with("per_dim_scale")) spread = 0.5f;
    else if (name.ends_with("embedding.weight")) spread = 1;
    else if (shape.size() == 1) center = 1, spread = 0.25f;
    else spread = static_cast<float>(std::sqrt(3.0 / static_cast<double>(columns)));
    const uint32_t h = tower_hash(name);
    for (int64_t i = 0; i < n; i++) out[i] = center + spread * tower_unit(h, static_cast<uint32_t>(first + i));
}

}  // namespace gemma3n::test
