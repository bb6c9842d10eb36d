// Limits of the reference ("gradient clipping"): they matter to no sane input, but turn an overflow into a finite number.
#pragma once

#include <algorithm>
#include <cstdint>

namespace gemma3n::model::audio {

// y = x limited to [-limit, limit]; a NaN stays one. y may be x.
inline void clamp(const float* x, int64_t n, float limit, float* y) {
    for (int64_t i = 0; i < n; i++) {
        const float low = x[i] < -limit ? -limit : x[i];
        y[i] = low > limit ? limit : low;
    }
}

}  // namespace gemma3n::model::audio
