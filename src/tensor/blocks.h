// The quantised blocks as they lie in GGUF files (little endian). `d`, `m` and `dmin` are IEEE half bits.
//
// A weight is   d * scale[s] * q - dmin * minimum[s]   of small integers, s the sub-block that it lies in:
//
//   type    values  sub-block  q              scale      minimum        type    values  sub-block  q             scale      minimum
//   q4_0        32         32  -8..7          1                         q2_k       256         16  0..3          0..15      0..15
//   q4_1        32         32  0..15          1          1, dmin = -m   q3_k       256         16  -4..3         -32..31
//   q5_0        32         32  -16..15        1                         q4_k       256         32  0..15         0..63      0..63
//   q5_1        32         32  0..31          1          1, dmin = -m   q5_k       256         32  0..31         0..63      0..63
//   q8_0        32         32  -128..127      1                         q6_k       256         16  -32..31       -128..127
//   iq4_nl      32         32  iq4_values     1                         iq4_xs     256         32  iq4_values    -32..31
#pragma once

#include <cstdint>

namespace gemma3n {

// Of 32 values, value i lies in the low nibble of qs[i], value i + 16 in its high nibble; the fifth bit of value i is bit i of qh.

struct BlockQ4_0 {  // d * (nibble - 8)
    uint16_t d;
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

struct BlockQ4_1 {  // d * nibble + m
    uint16_t d;
    uint16_t m;
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

struct BlockQ5_0 {  // d * (five bits - 16)
    uint16_t d;
    uint8_t qh[4];
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

struct BlockQ5_1 {  // d * five bits + m
    uint16_t d;
    uint16_t m;
    uint8_t qh[4];
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

struct BlockQ8_0 {  // d * q
    uint16_t d;
    int8_t qs[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

// 256 values. Each half of 128 (h): values l, l + 32, l + 64, l + 96 (l < 32) are bits 0-1, 2-3, 4-5, 6-7 of qs[32h + l].
// Sub-block s: scale in the low nibble of scales[s], minimum in its high nibble.
struct BlockQ2_K {
    uint8_t scales[16];
    uint8_t qs[64];
    uint16_t d;
    uint16_t dmin;
};
static_assert(sizeof(BlockQ2_K) == 84);

// 256 values: two bits as in Q2_K, the third of value j is bit j / 32 of hmask[j % 32]; q = three bits - 4. A scale is six bits - 32:
// the low four of sub-block s are the low (s < 8) or high nibble of scales[s % 8], the others bits 2(s/4).. of scales[8 + s % 4].
struct BlockQ3_K {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    uint16_t d;
};
static_assert(sizeof(BlockQ3_K) == 110);

// 256 values. scales packs 8 six-bit scales and 8 six-bit minimums: s < 4: scale = b[s] & 63, minimum = b[s + 4] & 63; s >= 4:
// scale = (b[s + 4] & 15) | (b[s - 4] >> 6) << 4, minimum = (b[s + 4] >> 4) | (b[s] >> 6) << 4.
// Sub-blocks 2i and 2i + 1 are the low and high nibbles of qs[32i .. 32i + 31].
struct BlockQ4_K {
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[12];
    uint8_t qs[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

// As Q4_K; the fifth bit of value j is bit j / 32 of qh[j % 32].
struct BlockQ5_K {
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
};
static_assert(sizeof(BlockQ5_K) == 176);

// 256 values. Each half of 128 (h): ql[64h + l] low nibble: value l (l < 64), high nibble: value l + 64; bits 4..5 of values l, l+32,
// l+64, l+96 (l < 32) are bits 0-1, 2-3, 4-5, 6-7 of qh[32h + l]; q = six bits - 32.
struct BlockQ6_K {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d;
};
static_assert(sizeof(BlockQ6_K) == 210);

// What the nibbles of the iq4 types stand for.
inline constexpr int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

struct BlockIQ4_NL {  // d * iq4_values[nibble]
    uint16_t d;
    uint8_t qs[16];
};
static_assert(sizeof(BlockIQ4_NL) == 18);

// 256 values: 8 sub-blocks of 32, the nibbles of sub-block s in qs[16s .. 16s + 15]. A scale is six bits - 32: the low four are bits
// 4s.. of scales_l, the others bits 2s.. of scales_h.
struct BlockIQ4_XS {
    uint16_t d;
    uint16_t scales_h;
    uint8_t scales_l[4];
    uint8_t qs[128];
};
static_assert(sizeof(BlockIQ4_XS) == 136);

}  // namespace gemma3n
