// The meaning of every block type, value by value: d * scale(s) * q(j) - dmin * minimum(s), s = j / per_scale.
#pragma once

#include "base/f16.h"
#include "tensor/blocks.h"
#include "tensor/dtype.h"

namespace gemma3n::kernels::plain {

inline int nibble(const uint8_t* qs, int j) { return j < 16 ? qs[j] & 15 : qs[j - 16] >> 4; }  // of 32 values
inline int bit(const uint8_t* bits, int j) { return bits[j / 8] >> (j % 8) & 1; }

template <class Block_, DType type_, int per_scale_>
struct Scaled {
    using Block = Block_;
    static constexpr DType type = type_;
    static constexpr int per_scale = per_scale_;
    static constexpr bool has_minimum = false;
    static int scale(const Block&, int) { return 1; }
};

struct Q4_0 : Scaled<BlockQ4_0, DType::q4_0, 32> {
    static int q(const Block& b, int j) { return nibble(b.qs, j) - 8; }
};
struct Q5_0 : Scaled<BlockQ5_0, DType::q5_0, 32> {
    static int q(const Block& b, int j) { return (nibble(b.qs, j) | bit(b.qh, j) << 4) - 16; }
};
struct Q8_0 : Scaled<BlockQ8_0, DType::q8_0, 32> {
    static int q(const Block& b, int j) { return b.qs[j]; }
};
struct IQ4_NL : Scaled<BlockIQ4_NL, DType::iq4_nl, 32> {
    static int q(const Block& b, int j) { return iq4_values[nibble(b.qs, j)]; }
};
struct IQ4_XS : Scaled<BlockIQ4_XS, DType::iq4_xs, 32> {
    static int q(const Block& b, int j) { return iq4_values[nibble(b.qs + 16 * (j / 32), j % 32)]; }
    static int scale(const Block& b, int s) { return (((b.scales_l[s / 2] >> (4 * (s % 2))) & 15) | ((b.scales_h >> (2 * s)) & 3) << 4) - 32; }
};
inline int two_bits(const uint8_t* qs, int j) { return qs[32 * (j / 128) + j % 32] >> (2 * (j / 32 % 4)) & 3; }
struct Q3_K : Scaled<BlockQ3_K, DType::q3_k, 16> {
    static int q(const Block& b, int j) { return (two_bits(b.qs, j) | (b.hmask[j % 32] >> (j / 32) & 1) << 2) - 4; }
    static int scale(const Block& b, int s) {
        const int low = s < 8 ? b.scales[s] & 15 : b.scales[s - 8] >> 4, high = b.scales[8 + s % 4] >> (2 * (s / 4)) & 3;
        return (low | high << 4) - 32;
    }
};
struct Q6_K : Scaled<BlockQ6_K, DType::q6_k, 16> {
    static int q(const Block& b, int j) {
        const int half = j / 128, l = j % 32, quarter = j % 128 / 32;
        const uint8_t low = b.ql[64 * half + l + 32 * (quarter % 2)];
        return ((quarter < 2 ? low & 15 : low >> 4) | (b.qh[32 * half + l] >> (2 * quarter) & 3) << 4) - 32;
    }
    static int scale(const Block& b, int s) { return b.scales[s]; }
};

template <class Block, DType type, int per_scale>
struct WithMinimum : Scaled<Block, type, per_scale> {
    static constexpr bool has_minimum = true;
    static int minimum(const Block&, int) { return 1; }
    static float dmin(const Block& b) { return f16_to_f32(b.dmin); }
};

struct Q4_1 : WithMinimum<BlockQ4_1, DType::q4_1, 32> {
    static int q(const Block& b, int j) { return nibble(b.qs, j); }
    static float dmin(const Block& b) { return -f16_to_f32(b.m); }
};
struct Q5_1 : WithMinimum<BlockQ5_1, DType::q5_1, 32> {
    static int q(const Block& b, int j) { return nibble(b.qs, j) | bit(b.qh, j) << 4; }
    static float dmin(const Block& b) { return -f16_to_f32(b.m); }
};
struct Q2_K : WithMinimum<BlockQ2_K, DType::q2_k, 16> {
    static int q(const Block& b, int j) { return two_bits(b.qs, j); }
    static int scale(const Block& b, int s) { return b.scales[s] & 15; }
    static int minimum(const Block& b, int s) { return b.scales[s] >> 4; }
};
// Six-bit scale (at 0) or minimum (at 4) of sub-block s.
inline int six_bits(const uint8_t* b, int s, int at) {
    if (s < 4) return b[s + at] & 63;
    return (at ? b[s + 4] >> 4 : b[s + 4] & 15) | (b[s - 4 + at] >> 6) << 4;
}
struct Q4_K : WithMinimum<BlockQ4_K, DType::q4_k, 32> {
    static int q(const Block& b, int j) { return b.qs[32 * (j / 64) + j % 32] >> (4 * (j / 32 % 2)) & 15; }
    static int scale(const Block& b, int s) { return six_bits(b.scales, s, 0); }
    static int minimum(const Block& b, int s) { return six_bits(b.scales, s, 4); }
};
struct Q5_K : WithMinimum<BlockQ5_K, DType::q5_k, 32> {
    static int q(const Block& b, int j) { return (b.qs[32 * (j / 64) + j % 32] >> (4 * (j / 32 % 2)) & 15) | (b.qh[j % 32] >> (j / 32) & 1) << 4; }
    static int scale(const Block& b, int s) { return six_bits(b.scales, s, 0); }
    static int minimum(const Block& b, int s) { return six_bits(b.scales, s, 4); }
};

}  // namespace gemma3n::kernels::plain
