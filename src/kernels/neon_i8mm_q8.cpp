// 8-bit products with the matrix instruction: 2 weight rows times 2 activation rows, 8 values deep, at once.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <arm_neon.h>

namespace gemma3n::kernels::neon_i8mm {

namespace {

inline int32x4_t dot16(int32x4_t sums, int8x16_t w, int8x16_t a) { return vdotq_s32(sums, w, a); }

#include "kernels/generic/neon_q8_types.h"

#include "kernels/generic/neon_q8.h"

// Two rows' 16 values as two matrices of 2 x 8.
inline int8x16_t first_halves(int8x16_t a, int8x16_t b) { return vcombine_s8(vget_low_s8(a), vget_low_s8(b)); }
inline int8x16_t second_halves(int8x16_t a, int8x16_t b) { return vcombine_s8(vget_high_s8(a), vget_high_s8(b)); }
inline float32x4_t pairs(float a, float b) { return vcombine_f32(vdup_n_f32(a), vdup_n_f32(b)); }     // a a b b
inline float32x4_t twice(float a, float b) { return vcombine_f32(float32x2_t{a, b}, float32x2_t{a, b}); }  // a b a b
inline int32x4_t twice(int32_t a, int32_t b) { return vcombine_s32(int32x2_t{a, b}, int32x2_t{a, b}); }
inline int32x4_t pairs(int32_t a, int32_t b) { return vcombine_s32(vdup_n_s32(a), vdup_n_s32(b)); }

// 2 weight rows times 2 N activation rows; a sum's lanes are [row 0 or 1][activation 0 or 1]. `alone`: one activation row, which stands in
// for its missing neighbour too, so that its sums have the order of all others.
template <class Type, int N, bool alone = false>
inline void matrix_tile(const std::byte* w, uint64_t stride, int64_t k, const Q8& a, int64_t first, float* y, int64_t ldy) {
    static_assert(!alone || N == 1);
    using Block = typename Type::Block;
    const int64_t next = alone ? 0 : 1;  // from the first to the second activation row of a pair
    float32x4_t acc[N];
    for (int n = 0; n < N; n++) acc[n] = vdupq_n_f32(0);
    const auto* row0 = reinterpret_cast<const Block*>(w);
    const auto* row1 = reinterpret_cast<const Block*>(w + stride);
    for (int64_t b = 0; b < k / (Type::subs * q8_block); b++) {
#pragma GCC unroll 8
        for (int j = 0; j < Type::subs; j++) {
            const int64_t at = b * Type::subs + j;
            const Sub s0 = Type::sub(row0[b], j), s1 = Type::sub(row1[b], j);
            const int8x16_t w0 = first_halves(s0.w[0], s1.w[0]), w1 = second_halves(s0.w[0], s1.w[0]);
            const int8x16_t w2 = first_halves(s0.w[1], s1.w[1]), w3 = second_halves(s0.w[1], s1.w[1]);
            const float32x4_t d = pairs(s0.d, s1.d);
            for (int n = 0; n < N; n++) {
                const int64_t i = first + 2 * n;
                const int8_t *q0 = a.q + i * a.q_stride + at * q8_block, *q1 = q0 + next * a.q_stride;
                const int8x16_t a0 = vld1q_s8(q0), a1 = vld1q_s8(q0 + 16), b0 = vld1q_s8(q1), b1 = vld1q_s8(q1 + 16);
                int32x4_t left = vmmlaq_s32(vmmlaq_s32(vdupq_n_s32(0), w0, first_halves(a0, b0)), w1, second_halves(a0, b0));
                if constexpr (Type::two_scales) {
                    const int32x4_t right = vmmlaq_s32(vmmlaq_s32(vdupq_n_s32(0), w2, first_halves(a1, b1)), w3, second_halves(a1, b1));
                    left = vmlaq_s32(vmulq_s32(left, pairs(s0.scale[0], s1.scale[0])), right, pairs(s0.scale[1], s1.scale[1]));
                } else {
                    left = vmmlaq_s32(vmmlaq_s32(left, w2, first_halves(a1, b1)), w3, second_halves(a1, b1));
                }
                const float32x4_t scale = twice(a.scale[i * a.scale_stride + at], a.scale[(i + next) * a.scale_stride + at]);
                acc[n] = vfmaq_f32(acc[n], vcvtq_f32_s32(left), vmulq_f32(d, scale));
                if constexpr (Type::has_minimum) {
                    const int16_t *sum0 = a.sum + i * a.sum_stride + 2 * at, *sum1 = sum0 + next * a.sum_stride;
                    int32x4_t sums;
                    if constexpr (Type::two_scales) {
                        sums = vmulq_s32(twice(int32_t{sum0[0]}, int32_t{sum1[0]}), pairs(s0.minimum[0], s1.minimum[0]));
                        sums = vmlaq_s32(sums, twice(int32_t{sum0[1]}, int32_t{sum1[1]}), pairs(s0.minimum[1], s1.minimum[1]));
                    } else {
                        sums = twice(sum0[0] + sum0[1], sum1[0] + sum1[1]);
                    }
                    acc[n] = vfmsq_f32(acc[n], pairs(s0.m, s1.m), vmulq_f32(scale, vcvtq_f32_s32(sums)));
                }
            }
        }
    }
    for (int n = 0; n < N; n++) {
        float* to = y + 2 * n * ldy;
        to[0] = vgetq_lane_f32(acc[n], 0);
        to[1] = vgetq_lane_f32(acc[n], 2);
        if constexpr (!alone) {
            to[ldy] = vgetq_lane_f32(acc[n], 1);
            to[ldy + 1] = vgetq_lane_f32(acc[n], 3);
        }
    }
}

// Pairs of weight rows by matrices; an odd one that is left over by the tiles of few, whatever the activation rows.
template <class Type>
void matmul_q8(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte*) {
    const int64_t block = cached_rows(w.k), rows = w.rows / 2 * 2;
    for (int64_t begin = 0; begin < a.n; begin += block) {
        const int64_t end = begin + block < a.n ? begin + block : a.n;
        for (int64_t r = 0; r < rows; r += 2) {
            const std::byte* row = w.data + static_cast<uint64_t>(r) * w.stride;
            int64_t i = begin;
            for (; i + 8 <= end; i += 8) matrix_tile<Type, 4>(row, w.stride, w.k, a, i, y + i * ldy + r, ldy);
            for (; i + 2 <= end; i += 2) matrix_tile<Type, 1>(row, w.stride, w.k, a, i, y + i * ldy + r, ldy);
            if (i < end) matrix_tile<Type, 1, true>(row, w.stride, w.k, a, i, y + i * ldy + r, ldy);
        }
    }
    if (rows < w.rows) q8_rows<Type>(w.from(rows, w.rows - rows), a, 0, a.n, y + rows, ldy);
}

#include "kernels/generic/q8_fill.h"

}  // namespace

void fill_q8(Table& t) { t.quantize_q8 = quantize_q8, fill_types(t); }

}  // namespace gemma3n::kernels::neon_i8mm
