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
constexpr int few_rows = 2, few_columns = 4;  // weight rows x activation rows of a small step
constexpr int matmul_columns = 8;             // activation rows against a panel of 16 weight rows
constexpr int prefetch_bytes = 4096;          // how far ahead weights are asked for

inline float hsum(__m512 x) {
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

inline __m512i load(const void* p) { return _mm512_loadu_si512(p); }
inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline __m128i load128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline uint16_t load_u16(const void* p) {
    uint16_t u;
    __builtin_memcpy(&u, p, 2);
    return u;
}
inline uint32_t load_u32(const void* p) {
    uint32_t u;
    __builtin_memcpy(&u, p, 4);
    return u;
}
inline float f16(uint16_t h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h))); }

// Lane numbers divided by n: which of the 16 numbers of a group belongs to a lane.
inline __m512i lanes_by(int n) {
    const __m512i i = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_srli_epi32(i, n == 8 ? 3 : n == 4 ? 2 : 1);
}

// ---- types: a group has 16 scales (or 8 scales and 8 minimums) ------------------------------------------------------------
// weight_scales: the 16 numbers of one weight row; act_scales: what each is multiplied by; sums: the exact sums of activations
// that belong to each, times what is to be taken off; unpack: vector v of 64 values.

// Types of 32-value blocks: a group is 16 blocks.
template <class Block_, DType type_, int offset_>
struct Simple {
    using Block = Block_;
    static constexpr DType type = type_;
    static constexpr int group = 512, group_bytes = 16 * sizeof(Block), offset = offset_;
    static constexpr int per_scale = 32;
    static constexpr bool minimums = false;

    static const std::byte* block(const std::byte* w, int b) { return w + b * sizeof(Block); }
    static __m512 act_scales(const float* s) { return _mm512_loadu_ps(s); }
    static __m512i int_sums(const int16_t* s) {
        return _mm512_mullo_epi32(_mm512_madd_epi16(load(s), _mm512_set1_epi16(1)), _mm512_set1_epi32(-offset));
    }
    static __m512 sums(const int16_t* s) {
        return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_madd_epi16(load(s), _mm512_set1_epi16(1))), _mm512_set1_ps(-offset));
    }
    static __m512 weight_scales(const std::byte* w) {
        const auto d = [w](int b) { return static_cast<short>(load_u16(block(w, b))); };
        return _mm512_cvtph_ps(_mm256_set_epi16(d(15), d(14), d(13), d(12), d(11), d(10), d(9), d(8), d(7), d(6), d(5), d(4), d(3), d(2), d(1), d(0)));
    }
    // The 16 bytes of nibbles of two blocks, unfolded to 64 values.
    static __m512i nibbles(const std::byte* a, const std::byte* b) {
        const __m512i both = _mm512_mask_broadcast_i32x4(_mm512_broadcast_i32x4(load128(a)), 0xFF00, load128(b));
        const __m512i shifts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
        return _mm512_and_si512(_mm512_srlv_epi64(both, shifts), _mm512_set1_epi8(15));
    }
};

struct Q4_0 : Simple<BlockQ4_0, DType::q4_0, 8> {
    static __m512i unpack(const std::byte* w, int v) { return nibbles(block(w, 2 * v) + 2, block(w, 2 * v + 1) + 2); }
    // Four blocks are 72 bytes, and the first 64 of them hold four scales.
    static __m512 weight_scales(const std::byte* w) {
        const __m512i pick = _mm512_castsi128_si512(_mm_set_epi16(32 + 27, 32 + 18, 32 + 9, 32, 27, 18, 9, 0));
        const __m512i a = _mm512_permutex2var_epi16(load(w), pick, load(w + 72));
        const __m512i b = _mm512_permutex2var_epi16(load(w + 144), pick, load(w + 216));
        return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm512_castsi512_si256(a), _mm512_castsi512_si128(b), 1));
    }
};

struct Q5_0 : Simple<BlockQ5_0, DType::q5_0, 16> {
    static __m512i unpack(const std::byte* w, int v) {
        const std::byte *a = block(w, 2 * v), *b = block(w, 2 * v + 1);
        const __m512i low = nibbles(a + 6, b + 6);
        const uint64_t fifth = load_u32(a + 2) | static_cast<uint64_t>(load_u32(b + 2)) << 32;
        return _mm512_mask_add_epi8(low, fifth, low, _mm512_set1_epi8(16));
    }
};

struct Q8_0 : Simple<BlockQ8_0, DType::q8_0, 128> {
    static __m512i unpack(const std::byte* w, int v) {
        const __m512i q = _mm512_inserti64x4(_mm512_castsi256_si512(load256(block(w, 2 * v) + 2)), load256(block(w, 2 * v + 1) + 2), 1);
        return _mm512_xor_si512(q, _mm512_set1_epi8(-128));
    }
};

struct Q4_K {  // scales in lanes 0..7, minus minimums in lanes 8..15
    using Block = BlockQ4_K;
    static constexpr DType type = DType::q4_k;
    static constexpr int group = 256, group_bytes = sizeof(Block);
    static constexpr int per_scale = 32;
    static constexpr bool minimums = true;

    static __m512 act_scales(const float* s) { return _mm512_broadcast_f32x8(_mm256_loadu_ps(s)); }
    static __m256 sums32(const int16_t* s) { return _mm256_cvtepi32_ps(_mm256_madd_epi16(load256(s), _mm256_set1_epi16(1))); }
    static __m512 sums(const int16_t* s) { return _mm512_insertf32x8(_mm512_setzero_ps(), sums32(s), 1); }
    static __m512 weight_scales(const std::byte* w) {
        const auto* b = reinterpret_cast<const Block*>(w);
        const uint32_t s0 = load_u32(b->scales), s4 = load_u32(b->scales + 4), s8 = load_u32(b->scales + 8);
        const uint32_t scale_high = (s8 & 0x0F0F0F0F) | (s0 >> 6 & 0x03030303) << 4, min_high = (s8 >> 4 & 0x0F0F0F0F) | (s4 >> 6 & 0x03030303) << 4;
        const __m128i six_bits = _mm_set_epi32(static_cast<int>(min_high), static_cast<int>(s4 & 0x3F3F3F3F), static_cast<int>(scale_high),
                                               static_cast<int>(s0 & 0x3F3F3F3F));
        const __m512 d = _mm512_mask_blend_ps(0xFF00, _mm512_set1_ps(f16(b->d)), _mm512_set1_ps(-f16(b->dmin)));
        return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(six_bits)));
    }
    static __m512i unpack(const std::byte* w, int v) {
        const auto* b = reinterpret_cast<const Block*>(w);
        const __m512i shifts = _mm512_set_epi64(4, 4, 4, 4, 0, 0, 0, 0);
        return _mm512_and_si512(_mm512_srlv_epi64(_mm512_broadcast_i64x4(load256(b->qs + 32 * v)), shifts), _mm512_set1_epi8(15));
    }
};

struct Q6_K {  // one scale for 16 values
    using Block = BlockQ6_K;
    static constexpr DType type = DType::q6_k;
    static constexpr int group = 256, group_bytes = sizeof(Block);
    static constexpr int per_scale = 16;
    static constexpr bool minimums = false;

    static __m512 act_scales(const float* s) { return _mm512_permutexvar_ps(lanes_by(2), _mm512_castps256_ps512(_mm256_loadu_ps(s))); }
    static __m512i int_sums(const int16_t* s) { return _mm512_slli_epi32(_mm512_sub_epi32(_mm512_setzero_si512(), _mm512_cvtepi16_epi32(load256(s))), 5); }
    static __m512 sums(const int16_t* s) { return _mm512_cvtepi32_ps(int_sums(s)); }
    static __m512 weight_scales(const std::byte* w) {
        const auto* b = reinterpret_cast<const Block*>(w);
        return _mm512_mul_ps(_mm512_set1_ps(f16(load_u16(&b->d))), _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load128(b->scales))));
    }
    static __m512i unpack(const std::byte* w, int v) {
        const auto* b = reinterpret_cast<const Block*>(w);
        const __m512i low = load(b->ql + 64 * (v / 2)), high = _mm512_broadcast_i64x4(load256(b->qh + 32 * (v / 2)));
        const __m512i nibble_mask = _mm512_set1_epi8(15), two_bits = _mm512_set1_epi8(0x30);
        const __m512i nibble = _mm512_and_si512(v % 2 ? _mm512_srli_epi64(low, 4) : low, nibble_mask);
        const __m512i top = v % 2 ? _mm512_srlv_epi64(high, _mm512_set_epi64(2, 2, 2, 2, 0, 0, 0, 0))   // bits 4-5 and 6-7 to 4-5
                                  : _mm512_sllv_epi64(high, _mm512_set_epi64(2, 2, 2, 2, 4, 4, 4, 4));  // bits 0-1 and 2-3
        return _mm512_ternarylogic_epi64(top, two_bits, nibble, 0xEA);                                  // (top & 0x30) | nibble
    }
};

#include "kernels/generic/q8_loops.h"

// ---- small steps ----------------------------------------------------------------------------------------------------------

template <class T, int R, int N>
inline void step(const std::byte* w, uint64_t stride, const Rows& a, int64_t n_values, __m512 (&acc)[R][N]) {
    __m512 scales[R][N];
    for (int n = 0; n < N; n++) {
        const __m512 act = T::act_scales(a.scale + n * a.scale_stride), sums = T::sums(a.sum + n * a.sum_stride);
        for (int r = 0; r < R; r++) {
            scales[r][n] = _mm512_mul_ps(T::weight_scales(w + static_cast<uint64_t>(r) * stride), act);
            acc[r][n] = _mm512_fmadd_ps(scales[r][n], sums, acc[r][n]);
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
// A panel holds groups: [group / 4][16 rows][4 values] bytes, then [16 numbers][16 rows] scales.

template <class T>
constexpr int panel_group_bytes = T::group * panel_rows + 16 * panel_rows * static_cast<int>(sizeof(float));

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

// 16 weight rows (the lanes) x N activation rows x 4 * steps values.
template <int steps, int N>
inline void multiply(const std::byte* panel, const int8_t* q, int64_t q_stride, __m512i (&sum)[N]) {
    for (int i = 0; i < steps; i++) {
        const __m512i w = _mm512_load_si512(panel + 64 * i);
        for (int n = 0; n < N; n++) {
            int32_t four;
            __builtin_memcpy(&four, q + n * q_stride + 4 * i, 4);
            sum[n] = _mm512_dpbusd_epi32(sum[n], w, _mm512_set1_epi32(four));
        }
    }
}

template <class T, int N>
void panel_tile(const std::byte* panel, int64_t k, const Rows& all, float* y, int64_t ldy, int64_t m) {
    __m512 acc[N] = {};
    for (int64_t at = 0; at < k; at += T::group, panel += panel_group_bytes<T>) {
        const Rows a = values_from(all, at);
        const auto* scales = reinterpret_cast<const float*>(panel + T::group * panel_rows);
        alignas(64) int32_t start[N][16];   // what the weights' offset will have added, taken off in advance: the sums are exact
        alignas(64) float minimums[N][8];   // what a minimum is multiplied by
        for (int n = 0; n < N; n++) {
            if constexpr (T::minimums) {
                _mm256_store_ps(minimums[n], _mm256_mul_ps(T::sums32(a.sum + n * a.sum_stride), _mm256_loadu_ps(a.scale + n * a.scale_stride)));
            } else {
                _mm512_store_si512(start[n], T::int_sums(a.sum + n * a.sum_stride));
            }
        }
        const int64_t blocks = (k - at < T::group ? k - at : T::group) / 32;
        for (int64_t b = 0; b < blocks; b++) {
            const std::byte* w = panel + b * 32 * panel_rows;
            __m512i sum[N];
            __m512 scaled[N];
            if constexpr (T::per_scale == 32) {
                for (int n = 0; n < N; n++) sum[n] = T::minimums ? _mm512_setzero_si512() : _mm512_set1_epi32(start[n][b]);
                multiply<8, N>(w, a.q + 32 * b, a.q_stride, sum);
                const __m512 s = _mm512_load_ps(scales + 16 * b);
                for (int n = 0; n < N; n++) scaled[n] = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[n]), s);
            } else {
                for (int n = 0; n < N; n++) sum[n] = _mm512_set1_epi32(start[n][2 * b]);
                multiply<4, N>(w, a.q + 32 * b, a.q_stride, sum);
                const __m512 s = _mm512_load_ps(scales + 32 * b), s2 = _mm512_load_ps(scales + 32 * b + 16);
                for (int n = 0; n < N; n++) scaled[n] = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[n]), s);
                for (int n = 0; n < N; n++) sum[n] = _mm512_set1_epi32(start[n][2 * b + 1]);
                multiply<4, N>(w + 16 * panel_rows, a.q + 32 * b + 16, a.q_stride, sum);
                for (int n = 0; n < N; n++) scaled[n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[n]), s2, scaled[n]);
            }
            for (int n = 0; n < N; n++) acc[n] = _mm512_fmadd_ps(scaled[n], _mm512_set1_ps(a.scale[n * a.scale_stride + b]), acc[n]);
            if constexpr (T::minimums) {
                const __m512 minimum = _mm512_load_ps(scales + 16 * (8 + b));
                for (int n = 0; n < N; n++) acc[n] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(minimums[n][b]), acc[n]);
            }
        }
    }
    for (int n = 0; n < N; n++) _mm512_mask_storeu_ps(y + n * ldy, static_cast<__mmask16>((1u << m) - 1), acc[n]);
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

}  // namespace

void fill_q8(Table& t) {
    t.quantize_q8 = quantize_q8;
    fill_type<Q4_0>(t);
    fill_type<Q5_0>(t);
    fill_type<Q8_0>(t);
    fill_type<Q4_K>(t);
    fill_type<Q6_K>(t);
}

}  // namespace gemma3n::kernels::avx512vnni
