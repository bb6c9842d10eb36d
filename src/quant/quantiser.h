// From f32 to every type a file can hold. A family of block layouts is a room (plain.cpp, blocks32.cpp, k_blocks.cpp,
// iq4_blocks.cpp); a type is one function there and one line in quantiser.cpp.
#pragma once

#include "tensor/dtype.h"

#include <cstddef>
#include <cstdint>

namespace gemma3n::quant {

// One row: x [n] -> blocks. n is a multiple of the type's block; the values are finite and within f16 (check_values). `importance`
// [n], not negative, says how much an error in each column matters; null: all the same.
using Quantiser = void (*)(const float* x, int64_t n, const float* importance, std::byte* out);

Quantiser quantiser(DType type);  // null for a type that is no weight's (i32)

// The importance of one block: what is given, or ones where nothing is given or the block has no weight at all.
const float* block_weights(const float* importance, int64_t first, int n);

namespace rows {
void f32(const float* x, int64_t n, const float* importance, std::byte* out);
void f16(const float* x, int64_t n, const float* importance, std::byte* out);
void bf16(const float* x, int64_t n, const float* importance, std::byte* out);
void q4_0(const float* x, int64_t n, const float* importance, std::byte* out);
void q4_1(const float* x, int64_t n, const float* importance, std::byte* out);
void q5_0(const float* x, int64_t n, const float* importance, std::byte* out);
void q5_1(const float* x, int64_t n, const float* importance, std::byte* out);
void q8_0(const float* x, int64_t n, const float* importance, std::byte* out);
void q2_k(const float* x, int64_t n, const float* importance, std::byte* out);
void q3_k(const float* x, int64_t n, const float* importance, std::byte* out);
void q4_k(const float* x, int64_t n, const float* importance, std::byte* out);
void q5_k(const float* x, int64_t n, const float* importance, std::byte* out);
void q6_k(const float* x, int64_t n, const float* importance, std::byte* out);
void iq4_nl(const float* x, int64_t n, const float* importance, std::byte* out);
void iq4_xs(const float* x, int64_t n, const float* importance, std::byte* out);
}  // namespace rows

}  // namespace gemma3n::quant
