// e^x for x <= 0 without a call or a branch, so that loops over it become vectors. Within 2e-7 of the value; 0 below -87.
#pragma once

#include <bit>
#include <cstdint>

namespace gemma3n::measure {

inline float exp_not_positive(float x) {
    const float clamped = x > -87.0f ? x : -87.0f;
    const float y = clamped * 1.44269504f;                        // 2^y
    const int32_t k = static_cast<int32_t>(y - 0.5f);             // to nearest, as y <= 0
    const float r = (clamped - static_cast<float>(k) * 0.693359375f) + static_cast<float>(k) * 2.12194440e-4f;  // ln 2 in two parts
    // e^r, |r| <= 0.35: Taylor to the seventh power
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const float power = std::bit_cast<float>((k + 127) << 23);
    return x > -87.0f ? p * power : 0.0f;
}

}  // namespace gemma3n::measure
