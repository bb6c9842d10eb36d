// De-quantisers: the meaning of every type, value by value.
#include "kernels/reference/reference.h"

#include "base/f16.h"
#include "tensor/blocks.h"

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

void q4_0_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const BlockQ4_0*>(src);
    for (int64_t i = 0; i < n / 32; i++, b++, dst += 32) {
        const float d = f16_to_f32(b->d);
        for (int j = 0; j < 16; j++) {
            dst[j] = d * static_cast<float>((b->qs[j] & 15) - 8);
            dst[j + 16] = d * static_cast<float>((b->qs[j] >> 4) - 8);
        }
    }
}

void q5_0_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const BlockQ5_0*>(src);
    for (int64_t i = 0; i < n / 32; i++, b++, dst += 32) {
        const float d = f16_to_f32(b->d);
        uint32_t high;
        memcpy(&high, b->qh, 4);
        for (int j = 0; j < 16; j++) {
            dst[j] = d * static_cast<float>(static_cast<int>((b->qs[j] & 15) | ((high >> j & 1) << 4)) - 16);
            dst[j + 16] = d * static_cast<float>(static_cast<int>((b->qs[j] >> 4) | ((high >> (j + 16) & 1) << 4)) - 16);
        }
    }
}

void q8_0_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const BlockQ8_0*>(src);
    for (int64_t i = 0; i < n / 32; i++, b++, dst += 32) {
        const float d = f16_to_f32(b->d);
        for (int j = 0; j < 32; j++) dst[j] = d * static_cast<float>(b->qs[j]);
    }
}

void q4_k_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const BlockQ4_K*>(src);
    for (int64_t i = 0; i < n / 256; i++, b++, dst += 256) {
        const float d = f16_to_f32(b->d), dmin = f16_to_f32(b->dmin);
        for (int j = 0; j < 8; j++) {
            int scale, minimum;
            q4_k_scale(*b, j, &scale, &minimum);
            const float s = d * static_cast<float>(scale), m = dmin * static_cast<float>(minimum);
            for (int k = 0; k < 32; k++) {
                const uint8_t q = b->qs[32 * (j / 2) + k];
                dst[32 * j + k] = s * static_cast<float>(j % 2 ? q >> 4 : q & 15) - m;
            }
        }
    }
}

void q6_k_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const BlockQ6_K*>(src);
    for (int64_t i = 0; i < n / 256; i++, b++, dst += 256) {
        const float d = f16_to_f32(b->d);
        for (int j = 0; j < 256; j++) dst[j] = d * static_cast<float>(b->scales[j / 16]) * static_cast<float>(q6_k_value(*b, j));
    }
}

}  // namespace gemma3n::kernels::plain
