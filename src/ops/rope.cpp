#include "ops/rope.h"

#include <cmath>

namespace gemma3n::ops {

std::vector<float> rope_frequencies(int64_t head_dim, float theta, float scale) {
    std::vector<float> f(head_dim / 2);
    for (int64_t i = 0; i < head_dim / 2; i++) {
        const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
        f[i] = 1.0f / static_cast<float>(std::pow(static_cast<double>(theta), static_cast<double>(exponent))) / scale;
    }
    return f;
}

RopeTable rope_table(Context& c, std::span<const int64_t> positions, std::span<const float> frequencies) {
    const int64_t n = positions.size(), half = frequencies.size();
    RopeTable t{c.scratch.view(n, half), c.scratch.view(n, half)};
    c.each_row(n, [&](int64_t r) {
        for (int64_t i = 0; i < half; i++) {
            const float angle = static_cast<float>(positions[r]) * frequencies[i];
            t.cosines.f32(r)[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
            t.sines.f32(r)[i] = static_cast<float>(std::sin(static_cast<double>(angle)));
        }
    });
    return t;
}

}  // namespace gemma3n::ops
