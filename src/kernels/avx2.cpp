// AVX2 + FMA + F16C: the vocabulary for the vector functions.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <immintrin.h>

namespace gemma3n::kernels::avx2 {

namespace {

constexpr int W = 8;
constexpr int dot_rows = 2, dot_columns = 2;  // 16 registers
constexpr int matmul_rows = 16, matmul_columns = 6;
constexpr int64_t chunk_values = 256;
constexpr int score_queries = 2;
constexpr int value_vectors = 2;
typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));

alignas(32) constexpr int32_t lane_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
inline __m256i first_lanes_mask(int64_t n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lane_masks + W - n)); }
inline vf load_part(const float* p, int64_t n) { return reinterpret_cast<vf>(_mm256_maskload_ps(p, first_lanes_mask(n))); }
inline void store_part(float* p, vf v, int64_t n) { _mm256_maskstore_ps(p, first_lanes_mask(n), reinterpret_cast<__m256>(v)); }

inline vf load_f16(const uint16_t* p) { return reinterpret_cast<vf>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))); }
inline vf load_bf16(const uint16_t* p) {
    return reinterpret_cast<vf>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
}
inline void store_f16(uint16_t* p, vf v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(reinterpret_cast<__m256>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline float f16(uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }
inline vf load_i8(const int8_t* p) {
    return reinterpret_cast<vf>(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
}
inline void load_columns(const float* p, int64_t stride, vf (&to)[4]) {
    __m256 x[4];  // row i in the low half, row 4 + i in the high one
    for (int i = 0; i < 4; i++, p += stride) x[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 4 * stride), 1);
    const __m256d ab = _mm256_castps_pd(_mm256_unpacklo_ps(x[0], x[1])), ab2 = _mm256_castps_pd(_mm256_unpackhi_ps(x[0], x[1]));
    const __m256d cd = _mm256_castps_pd(_mm256_unpacklo_ps(x[2], x[3])), cd2 = _mm256_castps_pd(_mm256_unpackhi_ps(x[2], x[3]));
    to[0] = reinterpret_cast<vf>(_mm256_unpacklo_pd(ab, cd));
    to[1] = reinterpret_cast<vf>(_mm256_unpackhi_pd(ab, cd));
    to[2] = reinterpret_cast<vf>(_mm256_unpacklo_pd(ab2, cd2));
    to[3] = reinterpret_cast<vf>(_mm256_unpackhi_pd(ab2, cd2));
}
inline float hsum(vf v) {
    const __m256 x = reinterpret_cast<__m256>(v);
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float hmax(vf v) {
    float m = v[0];
    for (int i = 1; i < W; i++) m = v[i] > m ? v[i] : m;
    return m;
}

#include "kernels/generic/vectors.h"

#include "kernels/generic/blocks.h"

#include "kernels/generic/rows.h"

#include "kernels/generic/products.h"

#include "kernels/generic/attention.h"

#include "kernels/generic/maps.h"

#include "kernels/generic/fill.h"

}  // namespace

void fill_vectors(Table& t) { fill(t); }

}  // namespace gemma3n::kernels::avx2
