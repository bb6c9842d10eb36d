// The 8-bit products with AVX2: unsigned bytes of weights times signed activations in pairs (maddubs), whose 16-bit sums never
// saturate: 2 * 63 * 127 for the largest unsigned type, 2 * 128 * 127 for signed ones, where the sign of the weight moves to the activation.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <immintrin.h>

namespace gemma3n::kernels::avx2 {

namespace {

typedef __m256 vf;
constexpr int single_rows = 1;                // one activation row: one long stream of weights is read fastest
constexpr int apart_rows = 4;                 // .. and where rows have gaps between them several short ones
constexpr int few_rows = 1, few_columns = 4;  // weight rows x activation rows of a small step
constexpr int matmul_panels = 1, matmul_columns = 4;  // panels of 16 weight rows x activation rows
constexpr int prefetch_bytes = 4096;          // how far ahead weights are asked for

inline float hsum(__m256 x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#include "kernels/generic/x86_blocks.h"

inline __m256i ones() { return _mm256_set1_epi16(1); }

#include "kernels/avx2_q8_types.h"

#include "kernels/generic/q8_loops.h"

// Pairs of products in 16 bit. Signed weights: |w| is unsigned (128 included), their sign goes to the activations.
template <class T>
inline __m256i pairs(__m256i w, __m256i a) {
    if constexpr (T::is_signed) return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
    return _mm256_maddubs_epi16(w, a);
}

// ---- small steps ----------------------------------------------------------------------------------------------------------

template <class T, int R, int N>
inline void step(const std::byte* w, uint64_t stride, const Rows& a, int64_t n_values, __m256 (&acc)[R][N]) {
    alignas(32) float scales[R][N][8];
    for (int r = 0; r < R; r++) {
        const std::byte* row = w + static_cast<uint64_t>(r) * stride;
        const __m256 weight_scales = T::scales(row);
        for (int n = 0; n < N; n++) {
            const __m256 act = _mm256_loadu_ps(a.scale + n * a.scale_stride), s = _mm256_mul_ps(weight_scales, act);
            const int16_t* sums = a.sum + n * a.sum_stride;
            _mm256_store_ps(scales[r][n], s);
            if constexpr (T::minimums) acc[r][n] = _mm256_fmadd_ps(_mm256_mul_ps(T::minus_minimums(row), act), T::minimum_sums(row, sums), acc[r][n]);
            else if constexpr (T::offset != 0) acc[r][n] = _mm256_fmadd_ps(s, T::correction(row, sums), acc[r][n]);
        }
    }
#pragma GCC unroll 8
    for (int b = 0; b < 8; b++) {
        if (b * 32 >= n_values) break;
        for (int r = 0; r < R; r++) {
            const std::byte* row = w + static_cast<uint64_t>(r) * stride;
            const __m256i q = T::unpack(row, b);
            for (int n = 0; n < N; n++) {
                const __m256i dot = T::weigh(row, b, pairs<T>(q, load256(a.q + n * a.q_stride + 32 * b)));
                acc[r][n] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_broadcast_ss(scales[r][n] + b), acc[r][n]);
            }
        }
    }
}

// ---- many rows: panels ------------------------------------------------------------------------------------------------------
// A panel holds groups: [group / 4][16 rows][4 values] bytes, then [8 to 32 numbers][16 rows]: scales, and minimums if there are.

template <class T>
constexpr int panel_scales = T::sub_scales ? 16 : 8;
template <class T>
constexpr int panel_numbers = T::minimums ? 2 * panel_scales<T> : panel_scales<T>;
template <class T>
constexpr int panel_group_bytes = T::group * panel_rows + panel_numbers<T> * panel_rows * static_cast<int>(sizeof(float));

template <class T>
uint64_t panel_bytes(int64_t k) {
    return static_cast<uint64_t>((k + T::group - 1) / T::group) * panel_group_bytes<T>;
}

// 8 x 8 values of 4 bytes, from rows `from_stride` apart to rows `to_stride` apart, turned around.
inline void turn(const std::byte* from, int from_stride, std::byte* to, int to_stride) {
    __m256i x[8], t[8];
    for (int i = 0; i < 8; i++) x[i] = load256(from + i * from_stride);
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        x[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        x[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        x[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        x[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i * to_stride), _mm256_permute2x128_si256(x[i], x[i + 4], 0x20));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + (i + 4) * to_stride), _mm256_permute2x128_si256(x[i], x[i + 4], 0x31));
    }
}

template <class T>
inline void pack_group(const std::byte* const (&rows)[panel_rows], std::byte* to) {
    alignas(32) std::byte q[panel_rows][T::group];
    alignas(32) float numbers[panel_rows][panel_numbers<T>];
    for (int r = 0; r < panel_rows; r++) {
        for (int b = 0; b < 8; b++) _mm256_store_si256(reinterpret_cast<__m256i*>(q[r] + 32 * b), T::unpack(rows[r], b));
        T::panel_scales(rows[r], numbers[r]);
    }
    for (int b = 0; b < 8; b++)
        for (int half = 0; half < 2; half++) turn(q[8 * half] + 32 * b, T::group, to + b * 32 * panel_rows + 32 * half, 64);
    to += T::group * panel_rows;
    for (int i = 0; i < panel_numbers<T>; i += 8)
        for (int half = 0; half < 2; half++)
            turn(reinterpret_cast<const std::byte*>(numbers[8 * half] + i), sizeof numbers[0], to + i * 64 + 32 * half, 64);
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

// 16 weight rows (two vectors of lanes) x N activation rows x 4 * steps values, added to `sum`. As many pairs are added in 16 bit as
// cannot overflow.
template <class T, int steps, int N>
inline void multiply(const std::byte* panel, const int8_t* q, int64_t q_stride, __m256i (&sum)[N][2]) {
    constexpr int adds = 32767 / (2 * T::largest * 127) < steps ? 32767 / (2 * T::largest * 127) : steps;
#pragma GCC unroll 8
    for (int i = 0; i < steps; i += adds) {
        __m256i part[N][2];
#pragma GCC unroll 8
        for (int j = i; j < i + adds; j++) {
            const __m256i w0 = load256(panel + 64 * j), w1 = load256(panel + 64 * j + 32);
            for (int n = 0; n < N; n++) {
                int32_t four;
                __builtin_memcpy(&four, q + n * q_stride + 4 * j, 4);
                const __m256i a = _mm256_set1_epi32(four), p0 = pairs<T>(w0, a), p1 = pairs<T>(w1, a);
                part[n][0] = j == i ? p0 : _mm256_add_epi16(part[n][0], p0);
                part[n][1] = j == i ? p1 : _mm256_add_epi16(part[n][1], p1);
            }
        }
        for (int n = 0; n < N; n++)
            for (int h = 0; h < 2; h++) sum[n][h] = _mm256_add_epi32(sum[n][h], _mm256_madd_epi16(part[n][h], ones()));
    }
}

// The sums of activations that belong to a scale, times the activations' own scales.
inline void multiply_sums(const int16_t* sums, const float* scales, float (&to)[8]) {
    _mm256_store_ps(to, _mm256_mul_ps(sums32(sums), _mm256_loadu_ps(scales)));
}
inline void multiply_sums(const int16_t* sums, const float* scales, float (&to)[16]) {
    const __m256 twice = _mm256_loadu_ps(scales);
    for (int half = 0; half < 2; half++) {
        const __m256 scale = _mm256_permutevar8x32_ps(twice, half ? _mm256_set_epi32(7, 7, 6, 6, 5, 5, 4, 4) : _mm256_set_epi32(3, 3, 2, 2, 1, 1, 0, 0));
        _mm256_store_ps(to + 8 * half, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(load128(sums + 8 * half)))));
    }
}

template <class T, int P, int N>
void panel_tile(const std::byte* panel, int64_t k, const Rows& all, float* y, int64_t ldy, int64_t m) {
    static_assert(P == matmul_panels);
    __m256 acc[N][2] = {};
    for (int64_t at = 0; at < k; at += T::group, panel += panel_group_bytes<T>) {
        const Rows a = values_from(all, at);
        const auto* numbers = reinterpret_cast<const float*>(panel + T::group * panel_rows);
        alignas(32) float minimums[N][panel_scales<T>];  // what a minimum is multiplied by
        if constexpr (T::minimums) {
            for (int n = 0; n < N; n++) multiply_sums(a.sum + n * a.sum_stride, a.scale + n * a.scale_stride, minimums[n]);
        }
        const int64_t blocks = (k - at < T::group ? k - at : T::group) / 32;
        for (int64_t b = 0; b < blocks; b++) {
            // A scale's share of the block: the sums start at what the weights' offset will have added, so that they are exact.
            constexpr int parts = T::sub_scales ? 2 : 1, steps = 8 / parts;
            __m256 scaled[N][2];
            for (int part = 0; part < parts; part++) {
                __m256i sum[N][2];
                for (int n = 0; n < N; n++) {
                    const int16_t* s = a.sum + n * a.sum_stride + 2 * b;
                    const int offset = T::offset == 0 ? 0 : -T::offset * (parts == 2 ? s[part] : s[0] + s[1]);
                    sum[n][0] = sum[n][1] = _mm256_set1_epi32(offset);
                }
                multiply<T, steps, N>(panel + b * 32 * panel_rows + part * 16 * panel_rows, a.q + 32 * b + 16 * part, a.q_stride, sum);
                const float* scale = numbers + 16 * (parts * b + part);
                for (int n = 0; n < N; n++) {
                    for (int h = 0; h < 2; h++) {
                        const __m256 f = _mm256_cvtepi32_ps(sum[n][h]), s = _mm256_load_ps(scale + 8 * h);
                        scaled[n][h] = part == 0 ? _mm256_mul_ps(f, s) : _mm256_fmadd_ps(f, s, scaled[n][h]);
                    }
                }
            }
            for (int n = 0; n < N; n++) {
                const __m256 act = _mm256_broadcast_ss(a.scale + n * a.scale_stride + b);
                for (int h = 0; h < 2; h++) {
                    acc[n][h] = _mm256_fmadd_ps(scaled[n][h], act, acc[n][h]);
                    if constexpr (T::minimums) {
                        for (int part = 0; part < parts; part++) {
                            const __m256 minimum = _mm256_load_ps(numbers + 16 * (panel_scales<T> + parts * b + part) + 8 * h);
                            acc[n][h] = _mm256_fmadd_ps(minimum, _mm256_broadcast_ss(minimums[n] + parts * b + part), acc[n][h]);
                        }
                    }
                }
            }
        }
    }
    for (int n = 0; n < N; n++) {
        alignas(32) float lanes[panel_rows];
        _mm256_store_ps(lanes, acc[n][0]);
        _mm256_store_ps(lanes + 8, acc[n][1]);
        __builtin_memcpy(y + n * ldy, lanes, static_cast<size_t>(m) * sizeof(float));
    }
}

// ---- activations --------------------------------------------------------------------------------------------------------------

void quantize_q8(const float* x, int64_t k, int8_t* q, float* scale, int16_t* sum) {
    const int64_t blocks = k / q8_block;
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    for (int64_t b = 0; b < blocks; b++, x += q8_block, q += q8_block) {
        __m256 v[4];
        __m256i m = _mm256_setzero_si256();  // magnitudes compare as integers, a NaN being the largest of all
        for (int i = 0; i < 4; i++) {
            v[i] = _mm256_loadu_ps(x + 8 * i);
            m = _mm256_max_epu32(m, _mm256_and_si256(_mm256_castps_si256(v[i]), magnitude));
        }
        __m128i m4 = _mm_max_epu32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
        m4 = _mm_max_epu32(m4, _mm_shuffle_epi32(m4, 0x4E));
        m4 = _mm_max_epu32(m4, _mm_shuffle_epi32(m4, 0xB1));
        const float largest = _mm_cvtss_f32(_mm_castsi128_ps(m4)), inverse = largest > q8_dust ? 127.0f / largest : 0.0f;
        scale[b] = largest / 127.0f;
        __m256i i32[4];
        for (int i = 0; i < 4; i++) i32[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], _mm256_set1_ps(inverse)));
        __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(i32[0], i32[1]), _mm256_packs_epi32(i32[2], i32[3]));
        bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0));
        if (!(inverse > 0)) bytes = _mm256_setzero_si256();
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), bytes);
        const __m256i flipped = _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());  // 128 too large each
        sum[2 * b] = static_cast<int16_t>(_mm256_extract_epi16(flipped, 0) + _mm256_extract_epi16(flipped, 4) - 16 * 128);
        sum[2 * b + 1] = static_cast<int16_t>(_mm256_extract_epi16(flipped, 8) + _mm256_extract_epi16(flipped, 12) - 16 * 128);
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

}  // namespace gemma3n::kernels::avx2
