// AVX-512: the vocabulary for the vector functions.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 warns of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace gemma3n::kernels::avx512vnni {

namespace {

constexpr int W = 16;
constexpr int dot_rows = 2, dot_columns = 4;  // 32 registers
constexpr int matmul_rows = 32, matmul_columns = 12;
constexpr int64_t chunk_values = 512;
constexpr int score_queries = 4;
constexpr int value_vectors = 4;
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));

inline __mmask16 first_lanes_mask(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline vf load_part(const float* p, int64_t n) { return reinterpret_cast<vf>(_mm512_maskz_loadu_ps(first_lanes_mask(n), p)); }
inline void store_part(float* p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes_mask(n), reinterpret_cast<__m512>(v)); }

inline vf load_f16(const uint16_t* p) { return reinterpret_cast<vf>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))); }
inline vf load_bf16(const uint16_t* p) {
    return reinterpret_cast<vf>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
}
inline void store_f16(uint16_t* p, vf v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(reinterpret_cast<__m512>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline float f16(uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }
inline vf load_i8(const int8_t* p) {
    return reinterpret_cast<vf>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
}
inline void load_columns(const float* p, int64_t stride, vf (&to)[4]) {
    __m512 x[4];  // row 4 L + i in the L-th 128 bits
    for (int i = 0; i < 4; i++, p += stride) {
        x[i] = _mm512_castps128_ps512(_mm_loadu_ps(p));
        x[i] = _mm512_mask_broadcast_f32x4(x[i], 0x00F0, _mm_loadu_ps(p + 4 * stride));
        x[i] = _mm512_mask_broadcast_f32x4(x[i], 0x0F00, _mm_loadu_ps(p + 8 * stride));
        x[i] = _mm512_mask_broadcast_f32x4(x[i], 0xF000, _mm_loadu_ps(p + 12 * stride));
    }
    const __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(x[0], x[1])), ab2 = _mm512_castps_pd(_mm512_unpackhi_ps(x[0], x[1]));
    const __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(x[2], x[3])), cd2 = _mm512_castps_pd(_mm512_unpackhi_ps(x[2], x[3]));
    to[0] = reinterpret_cast<vf>(_mm512_unpacklo_pd(ab, cd));
    to[1] = reinterpret_cast<vf>(_mm512_unpackhi_pd(ab, cd));
    to[2] = reinterpret_cast<vf>(_mm512_unpacklo_pd(ab2, cd2));
    to[3] = reinterpret_cast<vf>(_mm512_unpackhi_pd(ab2, cd2));
}
inline float hsum(vf v) {
    const __m512 x = reinterpret_cast<__m512>(v);
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
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

}  // namespace gemma3n::kernels::avx512vnni
