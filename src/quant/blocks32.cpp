// Blocks of 32 values with a scale of their own (layouts: tensor/blocks.h). The scale is rounded to half first and the values to
// whole numbers of the rounded scale, so that the scale's own rounding costs next to nothing.
#include "quant/quantiser.h"
#include "quant/scale_search.h"

#include "base/f16.h"
#include "tensor/blocks.h"

namespace gemma3n::quant::rows {

namespace {

constexpr int block = 32;

float inverse_of(float d) { return std::fabs(d) > 0 ? 1 / d : 0; }

// Low nibbles of values 0..15 and 16..31 side by side.
void put_nibbles(const int* q, uint8_t* qs) {
    for (int j = 0; j < 16; j++) qs[j] = static_cast<uint8_t>((q[j] & 15) | (q[j + 16] & 15) << 4);
}

// The fifth bits.
void put_high_bits(const int* q, uint8_t* qh) {
    uint32_t high = 0;
    for (int j = 0; j < block; j++) high |= static_cast<uint32_t>(q[j] >> 4 & 1) << j;
    memcpy(qh, &high, 4);
}

// q + offset of each value; returns the scale's half bits.
uint16_t symmetric(const float* x, const float* w, int low, int high, int* q) {
    const uint16_t d = f32_to_f16(symmetric_scale<block>(x, w, low, high));
    const float inverse = inverse_of(f16_to_f32(d));
    for (int i = 0; i < block; i++) q[i] = whole(inverse * x[i], low, high) - low;
    return d;
}

struct HalfLine {
    uint16_t d, m;  // half bits
};

// q in 0..high of each value.
HalfLine line(const float* x, const float* w, int high, int* q) {
    constexpr float largest = 65504;  // of half: a fitted minimum may lie below the lowest value
    const Line l = line_fit<block>(x, w, high, false);
    const HalfLine h{f32_to_f16(std::min(l.scale, largest)), f32_to_f16(std::clamp(l.minimum, -largest, largest))};
    const float inverse = inverse_of(f16_to_f32(h.d)), m = f16_to_f32(h.m);
    for (int i = 0; i < block; i++) q[i] = whole(inverse * (x[i] - m), 0, high);
    return h;
}

}  // namespace

void q4_0(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ4_0*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        int q[block];
        b->d = symmetric(x + i, block_weights(importance, i, block), -8, 7, q);
        put_nibbles(q, b->qs);
    }
}

void q4_1(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ4_1*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        int q[block];
        const HalfLine h = line(x + i, block_weights(importance, i, block), 15, q);
        b->d = h.d;
        b->m = h.m;
        put_nibbles(q, b->qs);
    }
}

void q5_0(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ5_0*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        int q[block];
        b->d = symmetric(x + i, block_weights(importance, i, block), -16, 15, q);
        put_nibbles(q, b->qs);
        put_high_bits(q, b->qh);
    }
}

void q5_1(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ5_1*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        int q[block];
        const HalfLine h = line(x + i, block_weights(importance, i, block), 31, q);
        b->d = h.d;
        b->m = h.m;
        put_nibbles(q, b->qs);
        put_high_bits(q, b->qh);
    }
}

// 255 steps: the stretched scale is as good as any.
void q8_0(const float* x, int64_t n, const float*, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ8_0*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        b->d = f32_to_f16(std::fabs(extreme(x + i, block)) / 127);
        const float inverse = inverse_of(f16_to_f32(b->d));
        for (int j = 0; j < block; j++) b->qs[j] = static_cast<int8_t>(whole(inverse * x[i + j], -127, 127));
    }
}

}  // namespace gemma3n::quant::rows
