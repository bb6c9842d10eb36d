// The quantised blocks as they lie in GGUF files (little endian). `d` and `dmin` are IEEE half bits.
#pragma once

#include <cstdint>

namespace gemma3n {

struct BlockQ4_0 {  // 32 values: d * (q - 8); value i in the low nibble of qs[i], value i+16 in its high nibble
    uint16_t d;
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

struct BlockQ5_0 {  // 32 values: d * (q - 16); low 4 bits as in Q4_0, fifth bit of value i is bit i of qh
    uint16_t d;
    uint8_t qh[4];
    uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

struct BlockQ8_0 {  // 32 values: d * q
    uint16_t d;
    int8_t qs[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

// 256 values in 8 sub-blocks of 32: d * sc[j] * q - dmin * m[j]. scales packs 8 six-bit sc and 8 six-bit m:
// j < 4: sc = s[j] & 63, m = s[j+4] & 63; j >= 4: sc = (s[j+4] & 15) | (s[j-4] >> 6) << 4, m = (s[j+4] >> 4) | (s[j] >> 6) << 4.
// Sub-blocks 2i and 2i+1 are the low and high nibbles of qs[32*i .. 32*i+31].
struct BlockQ4_K {
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[12];
    uint8_t qs[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

// 256 values in 16 sub-blocks of 16: d * sc[j] * (q - 32). Each half of 128 (h): ql[64h + l] low nibble: value l (l < 64),
// high nibble: value l + 64; bits 4..5 of values l, l+32, l+64, l+96 (l < 32) are bits 0-1, 2-3, 4-5, 6-7 of qh[32h + l].
struct BlockQ6_K {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d;
};
static_assert(sizeof(BlockQ6_K) == 210);

}  // namespace gemma3n
