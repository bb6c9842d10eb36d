// Plain types to f32 and back. What blocks mean stands in reference/blocks.h.
#include "kernels/reference/reference.h"

#include "base/f16.h"

namespace gemma3n::kernels::plain {

void f32_to_f32(const std::byte* src, int64_t n, float* dst) { memcpy(dst, src, static_cast<size_t>(n) * sizeof(float)); }

void f16_to_f32_row(const std::byte* src, int64_t n, float* dst) {
    for (int64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, src + 2 * i, 2);
        dst[i] = f16_to_f32(h);
    }
}

void bf16_to_f32_row(const std::byte* src, int64_t n, float* dst) {
    for (int64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, src + 2 * i, 2);
        dst[i] = bf16_to_f32(h);
    }
}

void f32_to_f16_row(const float* src, int64_t n, uint16_t* dst) {
    for (int64_t i = 0; i < n; i++) dst[i] = f32_to_f16(src[i]);
}

}  // namespace gemma3n::kernels::plain
