// How arm sets read the types: 32 values of a row at a time, the weights as signed bytes.

inline float f16(uint16_t h) { return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(h))), 0); }

#include "kernels/generic/blocks.h"

// Sub-block j of a block. A weight is d * scale[half] * w - m * minimum[half]; `scale` and `minimum` hold where the type has two scales for the
// 32 values, m where it has a minimum.
struct Sub {
    int8x16_t w[2];
    float d, m;
    int32_t scale[2], minimum[2];
};
template <class Block_, int subs_, bool two_scales_ = false, bool has_minimum_ = false>
struct Reads {
    using Block = Block_;
    static constexpr int subs = subs_;
    static constexpr bool two_scales = two_scales_, has_minimum = has_minimum_;
};

inline int8x16_t low_nibbles(uint8x16_t q) { return vreinterpretq_s8_u8(vandq_u8(q, vdupq_n_u8(15))); }
inline int8x16_t high_nibbles(uint8x16_t q) { return vreinterpretq_s8_u8(vshrq_n_u8(q, 4)); }
inline int8x16_t iq4(int8x16_t nibbles) { return vqtbl1q_s8(vld1q_s8(iq4_values), vreinterpretq_u8_s8(nibbles)); }
inline int8x16_t fifth(const uint8_t* bits) {  // 16 where the bit is set
    const uint8x16_t each = vcombine_u8(vdup_n_u8(bits[0]), vdup_n_u8(bits[1]));
    const uint8x16_t mask = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    return vreinterpretq_s8_u8(vandq_u8(vtstq_u8(each, mask), vdupq_n_u8(16)));
}
// `value` where bit j of a byte is set.
inline int8x16_t where_bit(uint8x16_t bytes, int j, uint8_t value) {
    return vreinterpretq_s8_u8(vandq_u8(vtstq_u8(bytes, vdupq_n_u8(static_cast<uint8_t>(1 << j))), vdupq_n_u8(value)));
}
inline uint8x16_t two_bits(uint8x16_t q, int part) { return vandq_u8(vshlq_u8(q, vdupq_n_s8(static_cast<int8_t>(-2 * part))), vdupq_n_u8(3)); }

struct Q4_0 : Reads<BlockQ4_0, 1> {
    static constexpr DType type = DType::q4_0;
    static Sub sub(const Block& b, int) {
        const uint8x16_t q = vld1q_u8(b.qs);
        const int8x16_t eight = vdupq_n_s8(8);
        return {{vsubq_s8(low_nibbles(q), eight), vsubq_s8(high_nibbles(q), eight)}, f16(b.d), 0, {}, {}};
    }
};
struct Q4_1 : Reads<BlockQ4_1, 1, false, true> {
    static constexpr DType type = DType::q4_1;
    static Sub sub(const Block& b, int) {
        const uint8x16_t q = vld1q_u8(b.qs);
        return {{low_nibbles(q), high_nibbles(q)}, f16(b.d), -f16(b.m), {}, {}};
    }
};
struct Q5_0 : Reads<BlockQ5_0, 1> {
    static constexpr DType type = DType::q5_0;
    static Sub sub(const Block& b, int) {
        const uint8x16_t q = vld1q_u8(b.qs);
        const int8x16_t sixteen = vdupq_n_s8(16);
        return {{vsubq_s8(vorrq_s8(low_nibbles(q), fifth(b.qh)), sixteen), vsubq_s8(vorrq_s8(high_nibbles(q), fifth(b.qh + 2)), sixteen)},
                f16(b.d), 0, {}, {}};
    }
};
struct Q5_1 : Reads<BlockQ5_1, 1, false, true> {
    static constexpr DType type = DType::q5_1;
    static Sub sub(const Block& b, int) {
        const uint8x16_t q = vld1q_u8(b.qs);
        return {{vorrq_s8(low_nibbles(q), fifth(b.qh)), vorrq_s8(high_nibbles(q), fifth(b.qh + 2))}, f16(b.d), -f16(b.m), {}, {}};
    }
};
struct Q8_0 : Reads<BlockQ8_0, 1> {
    static constexpr DType type = DType::q8_0;
    static Sub sub(const Block& b, int) { return {{vld1q_s8(b.qs), vld1q_s8(b.qs + 16)}, f16(b.d), 0, {}, {}}; }
};
struct IQ4_NL : Reads<BlockIQ4_NL, 1> {
    static constexpr DType type = DType::iq4_nl;
    static Sub sub(const Block& b, int) {
        const uint8x16_t q = vld1q_u8(b.qs);
        return {{iq4(low_nibbles(q)), iq4(high_nibbles(q))}, f16(b.d), 0, {}, {}};
    }
};
struct IQ4_XS : Reads<BlockIQ4_XS, 8> {
    static constexpr DType type = DType::iq4_xs;
    static Sub sub(const Block& b, int j) {
        const uint8x16_t q = vld1q_u8(b.qs + 16 * j);
        return {{iq4(low_nibbles(q)), iq4(high_nibbles(q))}, f16(b.d) * static_cast<float>(iq4_xs_scale(b, j)), 0, {}, {}};
    }
};
struct Q2_K : Reads<BlockQ2_K, 8, true, true> {
    static constexpr DType type = DType::q2_k;
    static Sub sub(const Block& b, int j) {
        const uint8_t *q = b.qs + 32 * (j / 4), *s = b.scales + 2 * j;
        return {{vreinterpretq_s8_u8(two_bits(vld1q_u8(q), j % 4)), vreinterpretq_s8_u8(two_bits(vld1q_u8(q + 16), j % 4))},
                f16(b.d), f16(b.dmin), {s[0] & 15, s[1] & 15}, {s[0] >> 4, s[1] >> 4}};
    }
};
struct Q3_K : Reads<BlockQ3_K, 8, true> {
    static constexpr DType type = DType::q3_k;
    static int8x16_t values(const Block& b, int j, int at) {
        const int8x16_t two = vreinterpretq_s8_u8(two_bits(vld1q_u8(b.qs + 32 * (j / 4) + at), j % 4));
        return vsubq_s8(vorrq_s8(two, where_bit(vld1q_u8(b.hmask + at), j, 4)), vdupq_n_s8(4));
    }
    static Sub sub(const Block& b, int j) {
        return {{values(b, j, 0), values(b, j, 16)}, f16(b.d), 0, {q3_k_scale(b.scales, 2 * j), q3_k_scale(b.scales, 2 * j + 1)}, {}};
    }
};
struct Q4_K : Reads<BlockQ4_K, 8, false, true> {
    static constexpr DType type = DType::q4_k;
    static Sub sub(const Block& b, int j) {
        const uint8x16_t q0 = vld1q_u8(b.qs + 32 * (j / 2)), q1 = vld1q_u8(b.qs + 32 * (j / 2) + 16);
        Sub sub = {{low_nibbles(q0), low_nibbles(q1)}, ValuesQ4_K::scale(b, j), ValuesQ4_K::minimum(b, j), {}, {}};
        if (j % 2) sub.w[0] = high_nibbles(q0), sub.w[1] = high_nibbles(q1);
        return sub;
    }
};
struct Q5_K : Reads<BlockQ5_K, 8, false, true> {
    static constexpr DType type = DType::q5_k;
    static int8x16_t values(const Block& b, int j, int at) {
        const uint8x16_t q = vld1q_u8(b.qs + 32 * (j / 2) + at);
        return vorrq_s8(j % 2 ? high_nibbles(q) : low_nibbles(q), where_bit(vld1q_u8(b.qh + at), j, 16));
    }
    static Sub sub(const Block& b, int j) { return {{values(b, j, 0), values(b, j, 16)}, ValuesQ5_K::scale(b, j), ValuesQ5_K::minimum(b, j), {}, {}}; }
};
struct Q6_K : Reads<BlockQ6_K, 8, true> {
    static constexpr DType type = DType::q6_k;
    static int8x16_t values(uint8x16_t low, uint8x16_t high, int quarter) {
        const uint8x16_t nibble = quarter < 2 ? vandq_u8(low, vdupq_n_u8(15)) : vshrq_n_u8(low, 4);
        return vsubq_s8(vreinterpretq_s8_u8(vorrq_u8(nibble, vshlq_n_u8(two_bits(high, quarter), 4))), vdupq_n_s8(32));
    }
    static Sub sub(const Block& b, int j) {
        const int half = j / 4, quarter = j % 4;
        const uint8_t *low = b.ql + 64 * half + 32 * (quarter % 2), *high = b.qh + 32 * half;
        return {{values(vld1q_u8(low), vld1q_u8(high), quarter), values(vld1q_u8(low + 16), vld1q_u8(high + 16), quarter)},
                f16(b.d), 0, {b.scales[2 * j], b.scales[2 * j + 1]}, {}};
    }
};
