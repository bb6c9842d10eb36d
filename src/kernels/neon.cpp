// NEON of armv8-a: the vocabulary for the vector functions. Every arm table uses them.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <arm_neon.h>

namespace gemma3n::kernels::neon {

namespace {

constexpr int W = 4;
constexpr int dot_rows = 4, dot_columns = 2;  // 32 registers
constexpr int matmul_rows = 16, matmul_columns = 6;
constexpr int64_t chunk_values = 256;
constexpr int score_queries = 4;
constexpr int value_vectors = 4;
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));

inline vf load_part(const float* p, int64_t n) {
    vf v{};
    if (n > 0) v[0] = p[0];
    if (n > 1) v[1] = p[1];
    if (n > 2) v[2] = p[2];
    if (n > 3) v[3] = p[3];
    return v;
}
inline void store_part(float* p, vf v, int64_t n) {
    if (n > 0) p[0] = v[0];
    if (n > 1) p[1] = v[1];
    if (n > 2) p[2] = v[2];
    if (n > 3) p[3] = v[3];
}
inline vf load_f16(const uint16_t* p) { return reinterpret_cast<vf>(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))); }
inline vf load_bf16(const uint16_t* p) { return reinterpret_cast<vf>(vshll_n_u16(vld1_u16(p), 16)); }
inline void store_f16(uint16_t* p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(reinterpret_cast<float32x4_t>(v)))); }
inline float f16(uint16_t h) { return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(h))), 0); }
inline vf load_i8(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return reinterpret_cast<vf>(vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))));
}
inline void load_columns(const float* p, int64_t stride, vf (&to)[4]) {
    vf x[4];
    for (int i = 0; i < 4; i++) __builtin_memcpy(&x[i], p + i * stride, sizeof x[i]);
    const vf ab = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), ab2 = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    const vf cd = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), cd2 = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    to[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    to[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    to[2] = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    to[3] = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}
inline float hsum(vf v) { return (v[0] + v[1]) + (v[2] + v[3]); }
inline float hmax(vf v) { return vmaxvq_f32(reinterpret_cast<float32x4_t>(v)); }

#include "kernels/generic/vectors.h"

#include "kernels/generic/blocks.h"

#include "kernels/generic/rows.h"

#include "kernels/generic/products.h"

#include "kernels/generic/attention.h"

#include "kernels/generic/maps.h"

#include "kernels/generic/fill.h"

}  // namespace

void fill_vectors(Table& t) { fill(t); }

}  // namespace gemma3n::kernels::neon
