// Blocks taken apart in plain code, for what is not worth instructions of its own. A type's struct gives
//   values(b, q)    the integers of all values of a block as bytes
//   scale(b, s), minimum(b, s)    those of sub-block s in f32, d and dmin included; minimum only where has_minimum

inline int k_scale(const uint8_t* b, int s) { return s < 4 ? b[s] & 63 : (b[s + 4] & 15) | (b[s - 4] >> 6) << 4; }    // q4_k, q5_k
inline int k_minimum(const uint8_t* b, int s) { return s < 4 ? b[s + 4] & 63 : (b[s + 4] >> 4) | (b[s] >> 6) << 4; }
inline int q3_k_scale(const uint8_t* b, int s) { return ((s < 8 ? b[s] & 15 : b[s - 8] >> 4) | (b[8 + s % 4] >> (2 * (s / 4)) & 3) << 4) - 32; }
inline int iq4_xs_scale(const BlockIQ4_XS& b, int s) {
    return ((b.scales_l[s / 2] >> (4 * (s % 2)) & 15) | (b.scales_h >> (2 * s) & 3) << 4) - 32;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

// 16 bytes of nibbles as 32 values, and 16 where a fifth bit is set added to them. Vectors, because compilers unroll loops this short.
inline void nibbles(const uint8_t* qs, uint8_t offset, int8_t* q) {
    bytes16 v;
    __builtin_memcpy(&v, qs, 16);
    const bytes16 low = (v & 15) - offset, high = (v >> 4) - offset;
    __builtin_memcpy(q, &low, 16);
    __builtin_memcpy(q + 16, &high, 16);
}
inline void add_fifth(const uint8_t* qh, int8_t* q) {
    const bytes16 own = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    for (int half = 0; half < 2; half++, qh += 2, q += 16) {
        const uint8_t a = qh[0], b = qh[1];
        const bytes16 bits = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
        bytes16 v;
        __builtin_memcpy(&v, q, 16);
        v += reinterpret_cast<bytes16>((bits & own) == own) & 16;
        __builtin_memcpy(q, &v, 16);
    }
}
inline void iq4_nibbles(const uint8_t* qs, int8_t* q) {
    for (int j = 0; j < 16; j++) {
        q[j] = iq4_values[qs[j] & 15];
        q[j + 16] = iq4_values[qs[j] >> 4];
    }
}
// Four times 32 values of two bits.
inline void two_bits(const uint8_t* qs, int8_t* q) {
    for (int part = 0; part < 4; part++)
        for (int l = 0; l < 32; l++) q[32 * part + l] = static_cast<int8_t>(qs[l] >> (2 * part) & 3);
}
inline void k_nibbles(const uint8_t* qs, int8_t* q) {
    for (int s = 0; s < 8; s++)
        for (int l = 0; l < 32; l++) q[32 * s + l] = static_cast<int8_t>(s % 2 ? qs[16 * (s - 1) + l] >> 4 : qs[16 * s + l] & 15);
}

template <class Block_, int values_, int per_scale_, bool has_minimum_>
struct Anatomy {
    using Block = Block_;
    static constexpr int n_values = values_, per_scale = per_scale_;
    static constexpr bool has_minimum = has_minimum_;
    static float scale(const Block& b, int) { return f16(b.d); }
};

struct ValuesQ4_0 : Anatomy<BlockQ4_0, 32, 32, false> {
    static void values(const Block& b, int8_t* q) { nibbles(b.qs, 8, q); }
};
struct ValuesQ4_1 : Anatomy<BlockQ4_1, 32, 32, true> {
    static void values(const Block& b, int8_t* q) { nibbles(b.qs, 0, q); }
    static float minimum(const Block& b, int) { return -f16(b.m); }
};
struct ValuesQ5_0 : Anatomy<BlockQ5_0, 32, 32, false> {
    static void values(const Block& b, int8_t* q) { nibbles(b.qs, 16, q), add_fifth(b.qh, q); }
};
struct ValuesQ5_1 : Anatomy<BlockQ5_1, 32, 32, true> {
    static void values(const Block& b, int8_t* q) { nibbles(b.qs, 0, q), add_fifth(b.qh, q); }
    static float minimum(const Block& b, int) { return -f16(b.m); }
};
struct ValuesQ8_0 : Anatomy<BlockQ8_0, 32, 32, false> {
    static void values(const Block& b, int8_t* q) { __builtin_memcpy(q, b.qs, 32); }
};
struct ValuesIQ4_NL : Anatomy<BlockIQ4_NL, 32, 32, false> {
    static void values(const Block& b, int8_t* q) { iq4_nibbles(b.qs, q); }
};
struct ValuesIQ4_XS : Anatomy<BlockIQ4_XS, 256, 32, false> {
    static void values(const Block& b, int8_t* q) {
        for (int s = 0; s < 8; s++) iq4_nibbles(b.qs + 16 * s, q + 32 * s);
    }
    static float scale(const Block& b, int s) { return f16(b.d) * static_cast<float>(iq4_xs_scale(b, s)); }
};
struct ValuesQ2_K : Anatomy<BlockQ2_K, 256, 16, true> {
    static void values(const Block& b, int8_t* q) { two_bits(b.qs, q), two_bits(b.qs + 32, q + 128); }
    static float scale(const Block& b, int s) { return f16(b.d) * static_cast<float>(b.scales[s] & 15); }
    static float minimum(const Block& b, int s) { return f16(b.dmin) * static_cast<float>(b.scales[s] >> 4); }
};
struct ValuesQ3_K : Anatomy<BlockQ3_K, 256, 16, false> {
    static void values(const Block& b, int8_t* q) {
        two_bits(b.qs, q), two_bits(b.qs + 32, q + 128);
        for (int s = 0; s < 8; s++)
            for (int l = 0; l < 32; l++) q[32 * s + l] = static_cast<int8_t>(q[32 * s + l] + (b.hmask[l] >> s & 1) * 4 - 4);
    }
    static float scale(const Block& b, int s) { return f16(b.d) * static_cast<float>(q3_k_scale(b.scales, s)); }
};
template <class Block>
struct ValuesWithKScales : Anatomy<Block, 256, 32, true> {
    static float scale(const Block& b, int s) { return f16(b.d) * static_cast<float>(k_scale(b.scales, s)); }
    static float minimum(const Block& b, int s) { return f16(b.dmin) * static_cast<float>(k_minimum(b.scales, s)); }
};
struct ValuesQ4_K : ValuesWithKScales<BlockQ4_K> {
    static void values(const Block& b, int8_t* q) { k_nibbles(b.qs, q); }
};
struct ValuesQ5_K : ValuesWithKScales<BlockQ5_K> {
    static void values(const Block& b, int8_t* q) {
        k_nibbles(b.qs, q);
        for (int s = 0; s < 8; s++)
            for (int l = 0; l < 32; l++) q[32 * s + l] = static_cast<int8_t>(q[32 * s + l] + (b.qh[l] >> s & 1) * 16);
    }
};
struct ValuesQ6_K : Anatomy<BlockQ6_K, 256, 16, false> {
    static void values(const Block& b, int8_t* q) {
        for (int half = 0; half < 2; half++, q += 128) {
            const uint8_t *low = b.ql + 64 * half, *high = b.qh + 32 * half;
            for (int l = 0; l < 32; l++) {
                q[l] = static_cast<int8_t>(((low[l] & 15) | (high[l] & 3) << 4) - 32);
                q[l + 32] = static_cast<int8_t>(((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4) - 32);
                q[l + 64] = static_cast<int8_t>(((low[l] >> 4) | (high[l] >> 4 & 3) << 4) - 32);
                q[l + 96] = static_cast<int8_t>(((low[l + 32] >> 4) | (high[l] >> 6) << 4) - 32);
            }
        }
    }
    static float scale(const Block& b, int s) { return f16(b.d) * static_cast<float>(b.scales[s]); }
};
