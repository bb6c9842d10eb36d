// The 8-bit products with AVX2: unsigned bytes of weights times signed activations in pairs (maddubs), whose 16-bit sums never
// saturate: 2 * 63 * 127 for the largest offset type, 2 * 128 * 127 for q8_0, where the sign of the weight moves to the activation.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <immintrin.h>

namespace gemma3n::kernels::avx2 {

namespace {

typedef __m256 vf;
constexpr int single_rows = 1;                // one activation row: one long stream of weights is read fastest
constexpr int few_rows = 1, few_columns = 4;  // weight rows x activation rows of a small step
constexpr int matmul_columns = 4;             // activation rows against a panel of 16 weight rows
constexpr int prefetch_bytes = 4096;          // how far ahead weights are asked for

inline float hsum(__m256 x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

inline __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
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
inline __m256i ones() { return _mm256_set1_epi16(1); }

// 16 bytes of nibbles as 32 values: the low ones first.
inline __m256i nibbles(const void* p) {
    const __m256i both = _mm256_broadcastsi128_si256(load128(p));
    return _mm256_and_si256(_mm256_srlv_epi64(both, _mm256_set_epi64x(4, 4, 0, 0)), _mm256_set1_epi8(15));
}

// ---- types: a group is 256 values, 8 blocks of 32 ------------------------------------------------------------------------------
// scales: what the 8 integer sums of a weight row are multiplied by. pairs: the products of block b with 32 activations, summed in
// pairs to 16 bit and then to 8 integers. correction: what the weights' offset added to the 8 sums, to be added.

template <class Block_, DType type_, int offset_, int largest_>
struct Simple {
    using Block = Block_;
    static constexpr DType type = type_;
    static constexpr int group = 256, group_bytes = 8 * sizeof(Block), offset = offset_, largest = largest_;
    static constexpr bool sub_scales = false, minimums = false;

    static const std::byte* block(const std::byte* w, int b) { return w + b * sizeof(Block); }
    static __m256 scales(const std::byte* w) {
        const auto d = [w](int b) { return static_cast<short>(load_u16(block(w, b))); };
        return _mm256_cvtph_ps(_mm_set_epi16(d(7), d(6), d(5), d(4), d(3), d(2), d(1), d(0)));
    }
    static __m256 correction(const std::byte*, const int16_t* sums) {
        return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_madd_epi16(load(sums), ones())), _mm256_set1_ps(-offset));
    }
    static __m256i weigh(const std::byte*, int, __m256i pairs) { return _mm256_madd_epi16(pairs, ones()); }
    static void panel_scales(const std::byte* w, float* to) { _mm256_storeu_ps(to, scales(w)); }
};

struct Q4_0 : Simple<BlockQ4_0, DType::q4_0, 8, 15> {
    static __m256i unpack(const std::byte* w, int b) { return nibbles(block(w, b) + 2); }
};

struct Q5_0 : Simple<BlockQ5_0, DType::q5_0, 16, 31> {
    static __m256i unpack(const std::byte* w, int b) {
        const __m256i bytes = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
        const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));  // of each byte's own bit
        const __m256i high = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(load_u32(block(w, b) + 2))), bytes);
        const __m256i fifth = _mm256_cmpeq_epi8(_mm256_and_si256(high, bit), bit);
        return _mm256_or_si256(nibbles(block(w, b) + 6), _mm256_and_si256(fifth, _mm256_set1_epi8(16)));
    }
};

struct Q8_0 : Simple<BlockQ8_0, DType::q8_0, 0, 128> {  // signed
    static __m256i unpack(const std::byte* w, int b) { return load(block(w, b) + 2); }
    static __m256 correction(const std::byte*, const int16_t*) { return _mm256_setzero_ps(); }
};

struct Q4_K {
    using Block = BlockQ4_K;
    static constexpr DType type = DType::q4_k;
    static constexpr int group = 256, group_bytes = sizeof(Block), offset = 0, largest = 15;
    static constexpr bool sub_scales = false, minimums = true;

    // Scales in the first 8 bytes, minimums in the others.
    static __m128i six_bits(const Block* b) {
        const uint32_t s0 = load_u32(b->scales), s4 = load_u32(b->scales + 4), s8 = load_u32(b->scales + 8);
        const uint32_t scale_high = (s8 & 0x0F0F0F0F) | (s0 >> 6 & 0x03030303) << 4, min_high = (s8 >> 4 & 0x0F0F0F0F) | (s4 >> 6 & 0x03030303) << 4;
        return _mm_set_epi32(static_cast<int>(min_high), static_cast<int>(s4 & 0x3F3F3F3F), static_cast<int>(scale_high), static_cast<int>(s0 & 0x3F3F3F3F));
    }
    static __m256 scales(const std::byte* w) {
        const auto* b = reinterpret_cast<const Block*>(w);
        return _mm256_mul_ps(_mm256_set1_ps(f16(load_u16(&b->d))), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(six_bits(b))));
    }
    static __m256 minus_minimums(const std::byte* w) {
        const auto* b = reinterpret_cast<const Block*>(w);
        return _mm256_mul_ps(_mm256_set1_ps(-f16(load_u16(&b->dmin))), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(six_bits(b), 8))));
    }
    static __m256 sums32(const int16_t* sums) { return _mm256_cvtepi32_ps(_mm256_madd_epi16(load(sums), ones())); }
    static __m256i weigh(const std::byte*, int, __m256i pairs) { return _mm256_madd_epi16(pairs, ones()); }
    static __m256i unpack(const std::byte* w, int b) {
        const __m256i q = load(reinterpret_cast<const Block*>(w)->qs + 32 * (b / 2));
        return _mm256_and_si256(b % 2 ? _mm256_srli_epi16(q, 4) : q, _mm256_set1_epi8(15));
    }
    static void panel_scales(const std::byte* w, float* to) {
        _mm256_storeu_ps(to, scales(w));
        _mm256_storeu_ps(to + 8, minus_minimums(w));
    }
};

struct Q6_K {  // the 8-bit scales of 16 values are multiplied in as integers
    using Block = BlockQ6_K;
    static constexpr DType type = DType::q6_k;
    static constexpr int group = 256, group_bytes = sizeof(Block), offset = 32, largest = 63;
    static constexpr bool sub_scales = true, minimums = false;

    static const Block* block(const std::byte* w) { return reinterpret_cast<const Block*>(w); }
    static __m256 scales(const std::byte* w) { return _mm256_set1_ps(f16(load_u16(&block(w)->d))); }
    static __m256 correction(const std::byte* w, const int16_t* sums) {
        const __m256i offsets = _mm256_madd_epi16(load(sums), _mm256_cvtepi8_epi16(load128(block(w)->scales)));
        return _mm256_mul_ps(_mm256_cvtepi32_ps(offsets), _mm256_set1_ps(-32));
    }
    static __m256i weigh(const std::byte* w, int b, __m256i pairs) {
        const __m128i which = _mm_set_epi64x(0x0101010101010101 * (2 * b + 1), 0x0101010101010101 * (2 * b));
        return _mm256_madd_epi16(pairs, _mm256_cvtepi8_epi16(_mm_shuffle_epi8(load128(block(w)->scales), which)));
    }
    static __m256i unpack(const std::byte* w, int b) {
        const int half = b / 4, quarter = b % 4;
        const __m256i low = load(block(w)->ql + 64 * half + 32 * (quarter % 2)), high = load(block(w)->qh + 32 * half);
        const __m256i nibble = _mm256_and_si256(quarter < 2 ? low : _mm256_srli_epi16(low, 4), _mm256_set1_epi8(15));
        const __m256i top = quarter == 0   ? _mm256_slli_epi16(high, 4)
                            : quarter == 1 ? _mm256_slli_epi16(high, 2)
                            : quarter == 2 ? high
                                           : _mm256_srli_epi16(high, 2);
        return _mm256_or_si256(nibble, _mm256_and_si256(top, _mm256_set1_epi8(0x30)));
    }
    static void panel_scales(const std::byte* w, float* to) {
        for (int half = 0; half < 2; half++) {
            const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block(w)->scales + 8 * half));
            _mm256_storeu_ps(to + 8 * half, _mm256_mul_ps(scales(w), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight))));
        }
    }
};

#include "kernels/generic/q8_loops.h"

// Pairs of products in 16 bit. Signed weights: |w| is unsigned (128 included), their sign goes to the activations.
template <class T>
inline __m256i pairs(__m256i w, __m256i a) {
    if constexpr (T::type == DType::q8_0) return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
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
            if constexpr (T::minimums) acc[r][n] = _mm256_fmadd_ps(_mm256_mul_ps(T::minus_minimums(row), act), T::sums32(sums), acc[r][n]);
            else acc[r][n] = _mm256_fmadd_ps(s, T::correction(row, sums), acc[r][n]);
        }
    }
#pragma GCC unroll 8
    for (int b = 0; b < 8; b++) {
        if (b * 32 >= n_values) break;
        for (int r = 0; r < R; r++) {
            const std::byte* row = w + static_cast<uint64_t>(r) * stride;
            const __m256i q = T::unpack(row, b);
            for (int n = 0; n < N; n++) {
                const __m256i dot = T::weigh(row, b, pairs<T>(q, load(a.q + n * a.q_stride + 32 * b)));
                acc[r][n] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_broadcast_ss(scales[r][n] + b), acc[r][n]);
            }
        }
    }
}

// ---- many rows: panels ------------------------------------------------------------------------------------------------------
// A panel holds groups: [group / 4][16 rows][4 values] bytes, then [8 or 16 numbers][16 rows]: scales, and minimums if there are.

template <class T>
constexpr int panel_numbers = T::sub_scales || T::minimums ? 16 : 8;
template <class T>
constexpr int panel_group_bytes = T::group * panel_rows + panel_numbers<T> * panel_rows * static_cast<int>(sizeof(float));

// 8 x 8 values of 4 bytes, from rows `from_stride` apart to rows `to_stride` apart, turned around.
inline void turn(const std::byte* from, int from_stride, std::byte* to, int to_stride) {
    __m256i x[8], t[8];
    for (int i = 0; i < 8; i++) x[i] = load(from + i * from_stride);
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
            const __m256i w0 = load(panel + 64 * j), w1 = load(panel + 64 * j + 32);
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

template <class T, int N>
void panel_tile(const std::byte* panel, int64_t k, const Rows& all, float* y, int64_t ldy, int64_t m) {
    __m256 acc[N][2] = {};
    for (int64_t at = 0; at < k; at += T::group, panel += panel_group_bytes<T>) {
        const Rows a = values_from(all, at);
        const auto* numbers = reinterpret_cast<const float*>(panel + T::group * panel_rows);
        alignas(32) float minimums[N][8];  // what a minimum is multiplied by
        if constexpr (T::minimums) {
            for (int n = 0; n < N; n++)
                _mm256_store_ps(minimums[n], _mm256_mul_ps(T::sums32(a.sum + n * a.sum_stride), _mm256_loadu_ps(a.scale + n * a.scale_stride)));
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
                    if constexpr (T::minimums)
                        acc[n][h] = _mm256_fmadd_ps(_mm256_load_ps(numbers + 16 * (8 + b) + 8 * h), _mm256_broadcast_ss(minimums[n] + b), acc[n][h]);
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

}  // namespace

void fill_q8(Table& t) {
    t.quantize_q8 = quantize_q8;
    fill_type<Q4_0>(t);
    fill_type<Q5_0>(t);
    fill_type<Q8_0>(t);
    fill_type<Q4_K>(t);
    fill_type<Q6_K>(t);
}

}  // namespace gemma3n::kernels::avx2
