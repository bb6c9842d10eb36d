// The 8-bit products with AVX-512 VNNI. Weights become unsigned bytes in their natural order, 64 to a vector, activations stay
// signed: vpdpbusd multiplies them, and what the offset of the weights added (8 for q4_0, ..) is taken off by the ready sums of
// the activations.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 warns of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

namespace gemma3n::kernels::avx512vnni {

namespace {

typedef __m512 vf;
constexpr int single_rows = 1;                // one activation row: one long stream of weights is read fastest
constexpr int apart_rows = 8;                 // .. and where rows have gaps between them several short ones
constexpr int few_rows = 2, few_columns = 4;  // weight rows x activation rows of a small step
constexpr int matmul_panels = 2, matmul_columns = 6;  // panels of 16 weight rows x activation rows
constexpr int prefetch_bytes = 4096;          // how far ahead weights are asked for

inline float hsum(__m512 x) {
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

inline __m512i load(const void* p) { return _mm512_loadu_si512(p); }

#include "kernels/generic/x86_blocks.h"

// Lane numbers divided by n: which of the 16 numbers of a group belongs to a lane.
inline __m512i lanes_by(int n) {
    const __m512i i = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_srli_epi32(i, n == 8 ? 3 : n == 4 ? 2 : 1);
}

#include "kernels/avx512vnni_q8_types.h"

#include "kernels/generic/q8_loops.h"

// ---- small steps ----------------------------------------------------------------------------------------------------------

template <class T, int R, int N>
inline void step(const std::byte* w, uint64_t stride, const Rows& a, int64_t n_values, __m512 (&acc)[R][N]) {
    __m512 scales[R][N];
    for (int n = 0; n < N; n++) {
        const __m512 act = T::act_scales(a.scale + n * a.scale_stride), sums = T::sums(a.sum + n * a.sum_stride);
        for (int r = 0; r < R; r++) {
            const std::byte* row = w + static_cast<uint64_t>(r) * stride;
            scales[r][n] = _mm512_mul_ps(T::weight_scales(row), act);
            if constexpr (T::minimums == Minimums::apart) acc[r][n] = _mm512_fmadd_ps(_mm512_mul_ps(T::minus_minimums(row), act), sums, acc[r][n]);
            else acc[r][n] = _mm512_fmadd_ps(scales[r][n], sums, acc[r][n]);
        }
    }
    const __m512i lanes = lanes_by(T::per_scale / 4);
    for (int v = 0; v < T::group / 64; v++) {
        if (v * 64 >= n_values) break;
        const __m512i which = _mm512_add_epi32(lanes, _mm512_set1_epi32(v * (64 / T::per_scale)));
        for (int r = 0; r < R; r++) {
            const __m512i q = T::unpack(w + static_cast<uint64_t>(r) * stride, v);
            for (int n = 0; n < N; n++) {
                const __m512i dot = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q, load(a.q + n * a.q_stride + 64 * v));
                acc[r][n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_permutexvar_ps(which, scales[r][n]), acc[r][n]);
            }
        }
    }
}

// ---- many rows: panels ------------------------------------------------------------------------------------------------------
// A panel holds groups: [group / 4][16 rows][4 values] bytes, then [16 or 32 numbers][16 rows] scales and minimums.

template <class T>
constexpr int panel_numbers = T::minimums == Minimums::apart ? 32 : 16;
template <class T>
constexpr int panel_group_bytes = T::group * panel_rows + panel_numbers<T> * panel_rows * static_cast<int>(sizeof(float));

template <class T>
uint64_t panel_bytes(int64_t k) {
    return static_cast<uint64_t>((k + T::group - 1) / T::group) * panel_group_bytes<T>;
}

template <int n_>
struct Steps {
    static constexpr int n = n_;
};

// Lane i of vector j becomes lane j of vector i.
inline void turn(__m512i (&x)[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        x[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        x[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        x[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        x[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {  // x[i + 4 g]: lane i of every 128 bits, of rows 4 g ..
        const __m512i ab = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88), cd = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88);
        const __m512i ab2 = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xDD), cd2 = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xDD);
        t[i] = _mm512_shuffle_i32x4(ab, cd, 0x88);
        t[i + 8] = _mm512_shuffle_i32x4(ab, cd, 0xDD);
        t[i + 4] = _mm512_shuffle_i32x4(ab2, cd2, 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(ab2, cd2, 0xDD);
    }
    for (int i = 0; i < 16; i++) x[i] = t[i];
}

template <class T>
inline void pack_group(const std::byte* const (&rows)[panel_rows], std::byte* to) {
    __m512i x[16];
    for (int v = 0; v < T::group / 64; v++, to += 64 * panel_rows) {
        for (int r = 0; r < 16; r++) x[r] = T::unpack(rows[r], v);
        turn(x);
        for (int i = 0; i < 16; i++) _mm512_store_si512(to + 64 * i, x[i]);
    }
    for (int r = 0; r < 16; r++) x[r] = _mm512_castps_si512(T::weight_scales(rows[r]));
    turn(x);
    for (int i = 0; i < 16; i++) _mm512_store_si512(to + 64 * i, x[i]);
    if constexpr (T::minimums == Minimums::apart) {
        for (int r = 0; r < 16; r++) x[r] = _mm512_castps_si512(T::minus_minimums(rows[r]));
        turn(x);
        for (int i = 0; i < 16; i++) _mm512_store_si512(to + 64 * (16 + i), x[i]);
    }
}

template <class T>
void pack_panel(const Weights& w, std::byte* panel) {
    const std::byte* rows[panel_rows];
    for (int r = 0; r < panel_rows; r++) rows[r] = w.data + static_cast<uint64_t>(r < w.rows ? r : 0) * w.stride;
    int64_t at = 0;
    for (; at + T::group <= w.k; at += T::group, panel += panel_group_bytes<T>) {
        pack_group<T>(rows, panel);
        for (auto& row : rows) row += T::group_bytes;
    }
    if (at < w.k) {
        alignas(64) std::byte rest[panel_rows][T::group_bytes] = {};
        for (int r = 0; r < panel_rows; r++) {
            __builtin_memcpy(rest[r], rows[r], row_bytes(T::type, w.k - at));
            rows[r] = rest[r];
        }
        pack_group<T>(rows, panel);
    }
}

// P panels of 16 weight rows (the lanes) x N activation rows x 4 * steps values.
template <int steps, int P, int N>
inline void multiply(const std::byte* panel, uint64_t panel_stride, const int8_t* q, int64_t q_stride, __m512i (&sum)[P][N]) {
#pragma GCC unroll 8  // or every sum is copied at every step
    for (int i = 0; i < steps; i++) {
        __m512i w[P];
        for (int p = 0; p < P; p++) w[p] = _mm512_load_si512(panel + p * panel_stride + 64 * i);
        for (int n = 0; n < N; n++) {
            int32_t four;
            __builtin_memcpy(&four, q + n * q_stride + 4 * i, 4);
            const __m512i a = _mm512_set1_epi32(four);
            for (int p = 0; p < P; p++) sum[p][n] = _mm512_dpbusd_epi32(sum[p][n], w[p], a);
        }
    }
}

// A sum s of at most 2^21 that starts at the bits of 1.5 * 2^23 ends at those of 1.5 * 2^23 + s: it is a float already.
constexpr int32_t float_bits = 0x4B400000;
constexpr float float_offset = 12582912.0f;

template <class T, int P, int N>
void panel_tile(const std::byte* panel, int64_t k, const Rows& all, float* y, int64_t ldy, int64_t m) {
    const uint64_t panel_stride = panel_bytes<T>(k);
    __m512 acc[P][N] = {};
    for (int64_t at = 0; at < k; at += T::group, panel += panel_group_bytes<T>) {
        const Rows a = values_from(all, at);
        const std::byte* scales = panel + T::group * panel_rows;
        const auto number = [&](int p, int64_t i) { return _mm512_load_ps(scales + p * panel_stride + 64 * i); };
        constexpr bool as_floats = T::per_scale == 32;
        alignas(64) int32_t start[N][16];   // what the weights' offset will have added, taken off in advance: the sums are exact
        alignas(64) float minimums[N][16];  // what a minimum is multiplied by
        for (int n = 0; n < N; n++) {
            const int16_t* sum = a.sum + n * a.sum_stride;
            const float* scale = a.scale + n * a.scale_stride;
            if constexpr (T::minimums == Minimums::beside) _mm256_store_ps(minimums[n], _mm256_mul_ps(T::sums32(sum), _mm256_loadu_ps(scale)));
            else if constexpr (T::minimums == Minimums::apart) _mm512_store_ps(minimums[n], _mm512_mul_ps(T::sums(sum), T::act_scales(scale)));
            else _mm512_store_si512(start[n], _mm512_add_epi32(T::int_sums(sum), _mm512_set1_epi32(as_floats ? float_bits : 0)));
        }
        const auto starts = [&](int n, int64_t i) { return _mm512_set1_epi32(T::minimums == Minimums::none ? start[n][i] : as_floats ? float_bits : 0); };
        const int64_t blocks = (k - at < T::group ? k - at : T::group) / 32;
        for (int64_t b = 0; b < blocks; b++) {
            const std::byte* w = panel + b * 32 * panel_rows;
            __m512i sum[P][N];
            __m512 scaled[P][N];
            const auto multiplied = [&](auto steps, int64_t values, int64_t i) {
                for (int n = 0; n < N; n++)
                    for (int p = 0; p < P; p++) sum[p][n] = starts(n, i);
                multiply<decltype(steps)::n, P, N>(w + values * panel_rows, panel_stride, a.q + 32 * b + values, a.q_stride, sum);
            };
            if constexpr (as_floats) {
                multiplied(Steps<8>{}, 0, b);
                for (int p = 0; p < P; p++) {
                    const __m512 s = number(p, b), offset = _mm512_mul_ps(s, _mm512_set1_ps(float_offset));  // exact: a scale has few bits
                    for (int n = 0; n < N; n++) scaled[p][n] = _mm512_fmsub_ps(_mm512_castsi512_ps(sum[p][n]), s, offset);
                }
            } else {
                for (int half = 0; half < 2; half++) {
                    multiplied(Steps<4>{}, 16 * half, 2 * b + half);
                    for (int p = 0; p < P; p++) {
                        const __m512 s = number(p, 2 * b + half);
                        for (int n = 0; n < N; n++) {
                            const __m512 f = _mm512_cvtepi32_ps(sum[p][n]);
                            scaled[p][n] = half ? _mm512_fmadd_ps(f, s, scaled[p][n]) : _mm512_mul_ps(f, s);
                        }
                    }
                }
            }
            for (int n = 0; n < N; n++) {
                const __m512 act = _mm512_set1_ps(a.scale[n * a.scale_stride + b]);
                for (int p = 0; p < P; p++) acc[p][n] = _mm512_fmadd_ps(scaled[p][n], act, acc[p][n]);
            }
            if constexpr (T::minimums != Minimums::none) {
                constexpr int first = T::minimums == Minimums::beside ? 8 : 16, parts = 32 / T::per_scale;
                for (int64_t i = parts * b; i < parts * (b + 1); i++) {
                    for (int p = 0; p < P; p++) {
                        const __m512 minimum = number(p, first + i);
                        for (int n = 0; n < N; n++) acc[p][n] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(minimums[n][i]), acc[p][n]);
                    }
                }
            }
        }
    }
    for (int p = 0; p < P; p++) {
        const int64_t left = m - p * panel_rows;
        const auto mask = static_cast<__mmask16>(left < panel_rows ? (1u << left) - 1 : 0xFFFF);
        for (int n = 0; n < N; n++) _mm512_mask_storeu_ps(y + n * ldy + p * panel_rows, mask, acc[p][n]);
    }
}

// ---- activations --------------------------------------------------------------------------------------------------------------

// 16 values to bytes, to nearest even; what is no number becomes 0.
inline __m128i to_bytes(__m512 x) { return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)); }

void quantize_q8(const float* x, int64_t k, int8_t* q, float* scale, int16_t* sum) {
    const int64_t blocks = k / q8_block;
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    for (int64_t b = 0; b < blocks; b++, x += q8_block, q += q8_block) {
        const __m512 v0 = _mm512_loadu_ps(x), v1 = _mm512_loadu_ps(x + 16);
        // magnitudes compare as integers, a NaN being the largest of all
        const __m512i m = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(v0), magnitude), _mm512_and_si512(_mm512_castps_si512(v1), magnitude));
        const float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(_mm512_reduce_max_epu32(m)))));
        const __m512 inverse = _mm512_set1_ps(largest > q8_dust ? 127.0f / largest : 0.0f);
        scale[b] = largest / 127.0f;
        const __m128i q0 = to_bytes(_mm512_mul_ps(v0, inverse)), q1 = to_bytes(_mm512_mul_ps(v1, inverse));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(q), q0);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(q + 16), q1);
        const __m128i flip = _mm_set1_epi8(-128);  // sums of unsigned bytes, 128 too large each
        const __m128i s0 = _mm_sad_epu8(_mm_xor_si128(q0, flip), _mm_setzero_si128()), s1 = _mm_sad_epu8(_mm_xor_si128(q1, flip), _mm_setzero_si128());
        sum[2 * b] = static_cast<int16_t>(_mm_cvtsi128_si32(s0) + _mm_extract_epi16(s0, 4) - 16 * 128);
        sum[2 * b + 1] = static_cast<int16_t>(_mm_cvtsi128_si32(s1) + _mm_extract_epi16(s1, 4) - 16 * 128);
    }
    if (blocks % 2) __builtin_memset(q, 0, q8_block);
    for (int64_t b = blocks; b % 16; b++) {
        scale[b] = 0;
        sum[2 * b] = sum[2 * b + 1] = 0;
    }
}

#include "kernels/generic/q8_fill.h"

}  // namespace

void fill_q8(Table& t) { t.quantize_q8 = quantize_q8, fill_types(t); }

}  // namespace gemma3n::kernels::avx512vnni
