// Rotary position tables: cosines and sines for the rows of a step, one pair of tables per theta.
#pragma once

#include "ops/context.h"

#include <span>
#include <vector>

namespace gemma3n::ops {

// Inverse frequencies theta^(-2i / head_dim) / scale, i < head_dim / 2, rounded to f32 as the reference does.
std::vector<float> rope_frequencies(int64_t head_dim, float theta, float scale);

struct RopeTable {
    View cosines, sines;  // [n, head_dim / 2]
};

// Angles position * frequency in f32, for every row.
RopeTable rope_table(Context& c, std::span<const int64_t> positions, std::span<const float> frequencies);

}  // namespace gemma3n::ops
