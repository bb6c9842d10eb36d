// The plain truth, split by subject: convert.cpp, products.cpp, vectors.cpp, attention.cpp. Written to be obvious, not fast.
#pragma once

#include "kernels/table.h"
#include "tensor/blocks.h"

#include <cstring>

namespace gemma3n::kernels::plain {

// Six-bit scale and minimum of sub-block j of a Q4_K block.
inline void q4_k_scale(const BlockQ4_K& b, int j, int* scale, int* minimum) {
    const uint8_t* s = b.scales;
    if (j < 4) {
        *scale = s[j] & 63;
        *minimum = s[j + 4] & 63;
    } else {
        *scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
        *minimum = (s[j + 4] >> 4) | (s[j] >> 6) << 4;
    }
}

// Value j of a Q6_K block before its scales: -32..31.
inline int q6_k_value(const BlockQ6_K& b, int j) {
    const int half = j / 128, r = j % 128, quarter = r / 32, l = r % 32;
    const uint8_t low = b.ql[64 * half + l + 32 * (quarter % 2)];
    const int nibble = quarter < 2 ? low & 15 : low >> 4;
    return (nibble | ((b.qh[32 * half + l] >> (2 * quarter)) & 3) << 4) - 32;
}

void f32_to_f32(const std::byte* src, int64_t n, float* dst);
void f16_to_f32_row(const std::byte* src, int64_t n, float* dst);
void bf16_to_f32_row(const std::byte* src, int64_t n, float* dst);
void q4_0_to_f32(const std::byte* src, int64_t n, float* dst);
void q5_0_to_f32(const std::byte* src, int64_t n, float* dst);
void q8_0_to_f32(const std::byte* src, int64_t n, float* dst);
void q4_k_to_f32(const std::byte* src, int64_t n, float* dst);
void q6_k_to_f32(const std::byte* src, int64_t n, float* dst);
void f32_to_f16_row(const float* src, int64_t n, uint16_t* dst);

void fill_products(Table& t);
void fill_vectors(Table& t);
void fill_attention(Table& t);

}  // namespace gemma3n::kernels::plain
