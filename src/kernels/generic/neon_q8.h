// The 8-bit products of the arm sets, written once. Included in a set's own unnamed namespace, which supplies
//   dot16(sums, w, a)    adds 16 products of bytes to four 32-bit sums, which lane which product does not matter
// and the types of generic/neon_q8_types.h.
//
// A row of weights is read 32 values at a time (an activation block). The integer sums of a block are exact; they meet their scales in
// f32, block after block in ascending order, in the same four lanes whatever tile a product is computed in: the same bits whoever
// rides along.

// A NaN is the largest of all.
inline float32x4_t largest_of(const float* x) {
    float32x4_t m = vabsq_f32(vld1q_f32(x));
    for (int i = 4; i < q8_block; i += 4) m = vmaxq_f32(m, vabsq_f32(vld1q_f32(x + i)));
    return m;
}

void quantize_q8(const float* x, int64_t k, int8_t* q, float* scale, int16_t* sum) {
    const int64_t blocks = k / q8_block;
    for (int64_t b = 0; b < blocks; b++, x += q8_block) {
        const float largest = vmaxvq_f32(largest_of(x));
        const float inverse = largest > q8_dust && largest < __builtin_inff() ? 127.0f / largest : 0;  // inf * 0 and NaN become q = 0
        scale[b] = largest / 127.0f;
        for (int half = 0; half < 2; half++) {
            int16x4_t part[4];
            for (int i = 0; i < 4; i++) part[i] = vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 16 * half + 4 * i), inverse)));
            const int8x16_t bytes = vcombine_s8(vqmovn_s16(vcombine_s16(part[0], part[1])), vqmovn_s16(vcombine_s16(part[2], part[3])));
            vst1q_s8(q + b * q8_block + 16 * half, bytes);
            sum[2 * b + half] = vaddlvq_s8(bytes);
        }
    }
    for (int64_t i = k; i < (k + 63) / 64 * 64; i++) q[i] = 0;
    for (int64_t b = blocks; b < (blocks + 15) / 16 * 16; b++) scale[b] = 0;
    for (int64_t b = 2 * blocks; b < (2 * blocks + 31) / 32 * 32; b++) sum[b] = 0;
}

// R weight rows times N activation rows from row `first` on.
template <class Type, int R, int N>
inline void q8_tile(const std::byte* w, uint64_t stride, int64_t k, const Q8& a, int64_t first, float* y, int64_t ldy) {
    using Block = typename Type::Block;
    float32x4_t acc[R][N];
    float low[R][N];  // what the minima take away
    for (int r = 0; r < R; r++)
        for (int n = 0; n < N; n++) acc[r][n] = vdupq_n_f32(0), low[r][n] = 0;
    const int8_t* q = a.q + first * a.q_stride;
    const float* scale = a.scale + first * a.scale_stride;
    const int16_t* sum = a.sum + first * a.sum_stride;
    for (int64_t b = 0; b < k / (Type::subs * q8_block); b++) {
#pragma GCC unroll 8
        for (int j = 0; j < Type::subs; j++) {
            const int64_t at = b * Type::subs + j;
            for (int r = 0; r < R; r++) {
                const Sub s = Type::sub(reinterpret_cast<const Block*>(w + static_cast<uint64_t>(r) * stride)[b], j);
                for (int n = 0; n < N; n++) {
                    const int8_t* qn = q + n * a.q_stride + at * q8_block;
                    const int8x16_t a0 = vld1q_s8(qn), a1 = vld1q_s8(qn + 16);
                    const float an = scale[n * a.scale_stride + at];
                    int32x4_t total;
                    if constexpr (Type::two_scales) {
                        total = vmulq_n_s32(dot16(vdupq_n_s32(0), s.w[0], a0), s.scale[0]);
                        total = vmlaq_n_s32(total, dot16(vdupq_n_s32(0), s.w[1], a1), s.scale[1]);
                    } else {
                        total = dot16(dot16(vdupq_n_s32(0), s.w[0], a0), s.w[1], a1);
                    }
                    acc[r][n] = vfmaq_n_f32(acc[r][n], vcvtq_f32_s32(total), s.d * an);
                    if constexpr (Type::has_minimum) {
                        const int16_t* pair = sum + n * a.sum_stride + 2 * at;
                        const int both = Type::two_scales ? pair[0] * s.minimum[0] + pair[1] * s.minimum[1] : pair[0] + pair[1];
                        low[r][n] = __builtin_fmaf(s.m, an * static_cast<float>(both), low[r][n]);
                    }
                }
            }
        }
    }
    for (int r = 0; r < R; r++)
        for (int n = 0; n < N; n++) y[n * ldy + r] = vaddvq_f32(acc[r][n]) - low[r][n];
}

template <class Type>
void q8_rows(const Weights& w, const Q8& a, int64_t begin, int64_t end, float* y, int64_t ldy) {
    int64_t r = 0;
    for (; r + 4 <= w.rows; r += 4) {
        const std::byte* row = w.data + static_cast<uint64_t>(r) * w.stride;
        int64_t i = begin;
        for (; i + 4 <= end; i += 4) {  // fewer rows at a time, so that all sums stay in registers
            q8_tile<Type, 2, 4>(row, w.stride, w.k, a, i, y + i * ldy + r, ldy);
            q8_tile<Type, 2, 4>(row + 2 * w.stride, w.stride, w.k, a, i, y + i * ldy + r + 2, ldy);
        }
        for (; i < end; i++) q8_tile<Type, 4, 1>(row, w.stride, w.k, a, i, y + i * ldy + r, ldy);
    }
    for (; r < w.rows; r++)
        for (int64_t i = begin; i < end; i++)
            q8_tile<Type, 1, 1>(w.data + static_cast<uint64_t>(r) * w.stride, w.stride, w.k, a, i, y + i * ldy + r, ldy);
}

template <class Type>
void matvec_q8(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    q8_rows<Type>(w, a, 0, a.n, y, ldy);
}

// Activation rows that fit a first- or second-level cache of a small core stay there while all weights pass by.
inline int64_t cached_rows(int64_t k) {
    const int64_t n = (int64_t{128} << 10) / k / 4 * 4;
    return n < 4 ? 4 : n;
}

// Many rows by the tiles of few.
template <class Type>
void matmul_q8_by_tiles(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    const int64_t block = cached_rows(w.k);
    for (int64_t i = 0; i < a.n; i += block) q8_rows<Type>(w, a, i, i + block < a.n ? i + block : a.n, y, ldy);
}
