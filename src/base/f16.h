// Half and bfloat16 in plain arithmetic; the kernels have the fast forms.
#pragma once

#include <cstdint>
#include <cstring>

namespace gemma3n {

inline float bits_to_f32(uint32_t u) {
    float f;
    memcpy(&f, &u, 4);
    return f;
}
inline uint32_t f32_to_bits(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

inline float bf16_to_f32(uint16_t h) { return bits_to_f32(static_cast<uint32_t>(h) << 16); }

// Round to nearest even; a NaN stays a NaN.
inline uint16_t f32_to_bf16(float f) {
    const uint32_t u = f32_to_bits(f);
    if ((u & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((u >> 16) | 64);
    return static_cast<uint16_t>((u + 0x7FFF + ((u >> 16) & 1)) >> 16);
}

inline float f16_to_f32(uint16_t h) {
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = (h >> 10) & 31, mantissa = h & 1023;
    if (exponent == 31) return bits_to_f32(sign | 0x7F800000 | mantissa << 13);
    if (exponent) return bits_to_f32(sign | (exponent + 112) << 23 | mantissa << 13);
    const float f = static_cast<float>(mantissa) * 5.9604644775390625e-8f;  // 2^-24
    return sign ? -f : f;
}

// Round to nearest even, as the hardware conversions do.
inline uint16_t f32_to_f16(float f) {
    const uint32_t u = f32_to_bits(f), sign = (u >> 16) & 0x8000, a = u & 0x7FFFFFFF;
    if (a >= 0x7F800000) return static_cast<uint16_t>(sign | 0x7C00 | (a > 0x7F800000 ? 0x200 | ((a >> 13) & 0x3FF) : 0));
    if (a >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds beyond 65504
    if (a < 0x38800000) {                                              // below 2^-14: a multiple of 2^-24
        const float scaled = bits_to_f32(a) + 0.5f;                    // ulp of [0.5, 1) is 2^-24: the sum rounds to nearest even
        return static_cast<uint16_t>(sign | (f32_to_bits(scaled) - 0x3F000000));
    }
    return static_cast<uint16_t>(sign | ((a + 0xFFF + ((a >> 13) & 1) - 0x38000000) >> 13));
}

}  // namespace gemma3n
