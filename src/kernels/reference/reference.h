// The plain truth, split by subject: convert.cpp, products.cpp, vectors.cpp, attention.cpp, maps.cpp. Written to be obvious, not fast.
#pragma once

#include "kernels/table.h"

#include <cstring>

namespace gemma3n::kernels::plain {

void f32_to_f32(const std::byte* src, int64_t n, float* dst);
void f16_to_f32_row(const std::byte* src, int64_t n, float* dst);
void bf16_to_f32_row(const std::byte* src, int64_t n, float* dst);
void f32_to_f16_row(const float* src, int64_t n, uint16_t* dst);

void fill_products(Table& t);
void fill_vectors(Table& t);
void fill_attention(Table& t);
void fill_maps(Table& t);

}  // namespace gemma3n::kernels::plain
