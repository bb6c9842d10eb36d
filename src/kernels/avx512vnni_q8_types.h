// How avx512vnni_q8.cpp reads the types. A group has 16 scales: of 16 blocks of 32 values, or of a 256-value block.
//   unpack(w, v)            vector v of 64 values as unsigned bytes, `offset` too large
//   weight_scales(w)        the 16 numbers of one weight row: `per_scale` values have one
//   act_scales(s)           the activations' scale that belongs to each
//   int_sums(s), sums(s)    the exact sums of activations that belong to each, times what is to be taken off (-offset), or plain for minimums
//   minimums: none; beside: lanes 0..7 hold scales and 8..15 minus minimums; apart: 16 more numbers, minus_minimums(w)

enum class Minimums { none, beside, apart };

// The 16 bytes of nibbles at a and at b, unfolded to 64 values.
inline __m512i nibbles(const void* a, const void* b) {
    const __m512i both = _mm512_mask_broadcast_i32x4(_mm512_broadcast_i32x4(load128(a)), 0xFF00, load128(b));
    const __m512i shifts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
    return _mm512_and_si512(_mm512_srlv_epi64(both, shifts), _mm512_set1_epi8(15));
}
inline __m512i iq4(__m512i nibbles) {  // + 128
    const __m128i values = _mm_xor_si128(load128(iq4_values), _mm_set1_epi8(-128));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), nibbles);
}
// 32 bytes twice: shifted right by `first` bits, and by `second` bits.
inline __m512i twice(const void* p, int first, int second) {
    const __m512i shifts = _mm512_inserti64x4(_mm512_set1_epi64(first), _mm256_set1_epi64x(second), 1);
    return _mm512_srlv_epi64(_mm512_broadcast_i64x4(load256(p)), shifts);
}
// x + value where 32 bytes, twice, have bit b in the first half, bit b + 1 in the second.
inline __m512i add_bit(__m512i x, const void* p, int b, int value) {
    const __m512i bits = _mm512_inserti64x4(_mm512_set1_epi8(static_cast<char>(1 << b)), _mm256_set1_epi8(static_cast<char>(2 << b)), 1);
    const __mmask64 set = _mm512_test_epi8_mask(_mm512_broadcast_i64x4(load256(p)), bits);
    return _mm512_mask_add_epi8(x, set, x, _mm512_set1_epi8(static_cast<char>(value)));
}

template <class Block_, DType type_, int group_, int per_scale_, int offset_>
struct Reads {
    using Block = Block_;
    static constexpr DType type = type_;
    static constexpr int group = group_, group_bytes = group_ / info(type_).block * static_cast<int>(sizeof(Block_)), per_scale = per_scale_, offset = offset_;
    static constexpr Minimums minimums = Minimums::none;
    static const Block* at(const std::byte* w) { return reinterpret_cast<const Block*>(w); }
};

// ---- types of 32-value blocks -----------------------------------------------------------------------------------------------

template <class Block, DType type, int offset>
struct Simple : Reads<Block, type, 512, 32, offset> {
    static const std::byte* block(const std::byte* w, int b) { return w + b * sizeof(Block); }
    static __m512 act_scales(const float* s) { return _mm512_loadu_ps(s); }
    static __m512i sums32(const int16_t* s) { return _mm512_madd_epi16(load(s), _mm512_set1_epi16(1)); }
    static __m512i int_sums(const int16_t* s) { return _mm512_mullo_epi32(sums32(s), _mm512_set1_epi32(-offset)); }
    static __m512 sums(const int16_t* s) { return _mm512_mul_ps(_mm512_cvtepi32_ps(sums32(s)), _mm512_set1_ps(-offset)); }
    static __m512 weight_scales(const std::byte* w) {
        const auto d = [w](int b) { return static_cast<short>(load_u16(block(w, b))); };
        return _mm512_cvtph_ps(_mm256_set_epi16(d(15), d(14), d(13), d(12), d(11), d(10), d(9), d(8), d(7), d(6), d(5), d(4), d(3), d(2), d(1), d(0)));
    }
};

template <class Block, DType type, int offset>
struct Simple18 : Simple<Block, type, offset> {  // four blocks are 72 bytes, and the first 64 of them hold four scales
    static __m512 weight_scales(const std::byte* w) {
        const __m512i pick = _mm512_castsi128_si512(_mm_set_epi16(32 + 27, 32 + 18, 32 + 9, 32, 27, 18, 9, 0));
        const __m512i a = _mm512_permutex2var_epi16(load(w), pick, load(w + 72));
        const __m512i b = _mm512_permutex2var_epi16(load(w + 144), pick, load(w + 216));
        return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm512_castsi512_si256(a), _mm512_castsi512_si128(b), 1));
    }
};

struct Q4_0 : Simple18<BlockQ4_0, DType::q4_0, 8> {
    static __m512i unpack(const std::byte* w, int v) { return nibbles(block(w, 2 * v) + 2, block(w, 2 * v + 1) + 2); }
};
struct IQ4_NL : Simple18<BlockIQ4_NL, DType::iq4_nl, 128> {
    static __m512i unpack(const std::byte* w, int v) { return iq4(nibbles(block(w, 2 * v) + 2, block(w, 2 * v + 1) + 2)); }
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

template <class Block, DType type>
struct SimpleWithMinimum : Simple<Block, type, 0> {  // d and m are the first four of 20 or 24 bytes
    static constexpr Minimums minimums = Minimums::apart;
    static __m512 sums(const int16_t* s) { return _mm512_cvtepi32_ps(Simple<Block, type, 0>::sums32(s)); }
    static __m512i d_and_m(const std::byte* w) {
        constexpr int words = sizeof(Block) / 4, bytes = 16 * sizeof(Block);
        const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        const __m512i pick = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(words));  // of 32 words, modulo 32
        __m512i out = _mm512_setzero_si512();
#pragma GCC unroll 3
        for (int first = 0; first < bytes; first += 128) {
            unsigned here = 0;  // lanes whose word lies in these 128 bytes
            for (int i = 0; i < 16; i++) here |= static_cast<unsigned>(i * words * 4 / 128 == first / 128) << i;
            const __m512i next = load(w + (first + 64 < bytes ? first + 64 : first));
            out = _mm512_or_si512(out, _mm512_maskz_permutex2var_epi32(static_cast<__mmask16>(here), load(w + first), pick, next));
        }
        return out;
    }
    static __m512 weight_scales(const std::byte* w) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(d_and_m(w))); }
    static __m512 minus_minimums(const std::byte* w) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(d_and_m(w), 16))); }
};

struct Q4_1 : SimpleWithMinimum<BlockQ4_1, DType::q4_1> {
    static __m512i unpack(const std::byte* w, int v) { return nibbles(block(w, 2 * v) + 4, block(w, 2 * v + 1) + 4); }
};
struct Q5_1 : SimpleWithMinimum<BlockQ5_1, DType::q5_1> {
    static __m512i unpack(const std::byte* w, int v) {
        const std::byte *a = block(w, 2 * v), *b = block(w, 2 * v + 1);
        const __m512i low = nibbles(a + 8, b + 8);
        const uint64_t fifth = load_u32(a + 4) | static_cast<uint64_t>(load_u32(b + 4)) << 32;
        return _mm512_mask_add_epi8(low, fifth, low, _mm512_set1_epi8(16));
    }
};

// ---- types of 256-value blocks with 8 scales --------------------------------------------------------------------------------

template <class Block, DType type, int offset>
struct Eight : Reads<Block, type, 256, 32, offset> {
    static __m512 act_scales(const float* s) { return _mm512_broadcast_f32x8(_mm256_loadu_ps(s)); }
    static __m256i eight_sums(const int16_t* s) { return _mm256_madd_epi16(load256(s), _mm256_set1_epi16(1)); }
};

template <class Block, DType type>
struct WithKScales : Eight<Block, type, 0> {
    static constexpr Minimums minimums = Minimums::beside;
    using Reads<Block, type, 256, 32, 0>::at;
    static __m256 sums32(const int16_t* s) { return _mm256_cvtepi32_ps(Eight<Block, type, 0>::eight_sums(s)); }
    static __m512 sums(const int16_t* s) { return _mm512_insertf32x8(_mm512_setzero_ps(), sums32(s), 1); }
    static __m512 weight_scales(const std::byte* w) {
        const __m512 d = _mm512_mask_blend_ps(0xFF00, _mm512_set1_ps(f16(load_u16(&at(w)->d))), _mm512_set1_ps(-f16(load_u16(&at(w)->dmin))));
        return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(k_scales(at(w)->scales))));
    }
    static __m512i k_nibbles(const std::byte* w, int v) { return _mm512_and_si512(twice(at(w)->qs + 32 * v, 0, 4), _mm512_set1_epi8(15)); }
};

struct Q4_K : WithKScales<BlockQ4_K, DType::q4_k> {
    static __m512i unpack(const std::byte* w, int v) { return k_nibbles(w, v); }
};
struct Q5_K : WithKScales<BlockQ5_K, DType::q5_k> {
    static __m512i unpack(const std::byte* w, int v) { return add_bit(k_nibbles(w, v), at(w)->qh, 2 * v, 16); }
};
struct IQ4_XS : Eight<BlockIQ4_XS, DType::iq4_xs, 128> {  // lanes 8..15 are zero
    static __m512i int_sums(const int16_t* s) { return _mm512_zextsi256_si512(_mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), eight_sums(s)), 7)); }
    static __m512 sums(const int16_t* s) { return _mm512_cvtepi32_ps(int_sums(s)); }
    static __m512 weight_scales(const std::byte* w) {
        return _mm512_mul_ps(_mm512_set1_ps(f16(load_u16(&at(w)->d))), _mm512_cvtepi32_ps(_mm512_zextsi256_si512(iq4_xs_scales(at(w)))));
    }
    static __m512i unpack(const std::byte* w, int v) { return iq4(nibbles(at(w)->qs + 32 * v, at(w)->qs + 32 * v + 16)); }
};

// ---- types of 256-value blocks with 16 scales -------------------------------------------------------------------------------

template <class Block, DType type, int offset>
struct Sixteen : Reads<Block, type, 256, 16, offset> {
    using Reads<Block, type, 256, 16, offset>::at;
    static __m512 act_scales(const float* s) { return _mm512_permutexvar_ps(lanes_by(2), _mm512_castps256_ps512(_mm256_loadu_ps(s))); }
    static __m512i int_sums(const int16_t* s) { return _mm512_mullo_epi32(_mm512_cvtepi16_epi32(load256(s)), _mm512_set1_epi32(-offset)); }
    static __m512 sums(const int16_t* s) { return _mm512_cvtepi32_ps(int_sums(s)); }
    static __m512 times(float d, __m128i sixteen) { return _mm512_mul_ps(_mm512_set1_ps(d), _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen))); }
    static __m512i two_bits(const std::byte* w, int v) {
        return _mm512_and_si512(twice(at(w)->qs + 32 * (v / 2), 4 * (v % 2), 4 * (v % 2) + 2), _mm512_set1_epi8(3));
    }
};

struct Q2_K : Sixteen<BlockQ2_K, DType::q2_k, 0> {
    static constexpr Minimums minimums = Minimums::apart;
    static __m512 sums(const int16_t* s) { return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(load256(s))); }
    static __m512 weight_scales(const std::byte* w) { return times(f16(load_u16(&at(w)->d)), q2_k_scales(at(w)->scales)); }
    static __m512 minus_minimums(const std::byte* w) { return times(-f16(load_u16(&at(w)->dmin)), q2_k_minimums(at(w)->scales)); }
    static __m512i unpack(const std::byte* w, int v) { return two_bits(w, v); }
};
struct Q3_K : Sixteen<BlockQ3_K, DType::q3_k, 4> {
    static __m512 weight_scales(const std::byte* w) { return times(f16(load_u16(&at(w)->d)), q3_k_scales(at(w)->scales)); }
    static __m512i unpack(const std::byte* w, int v) { return add_bit(two_bits(w, v), at(w)->hmask, 2 * v, 4); }
};
struct Q6_K : Sixteen<BlockQ6_K, DType::q6_k, 32> {
    static __m512 weight_scales(const std::byte* w) { return times(f16(load_u16(&at(w)->d)), load128(at(w)->scales)); }
    static __m512i unpack(const std::byte* w, int v) {
        const __m512i low = load(at(w)->ql + 64 * (v / 2)), high = _mm512_broadcast_i64x4(load256(at(w)->qh + 32 * (v / 2)));
        const __m512i nibble_mask = _mm512_set1_epi8(15), two_bits = _mm512_set1_epi8(0x30);
        const __m512i nibble = _mm512_and_si512(v % 2 ? _mm512_srli_epi64(low, 4) : low, nibble_mask);
        const __m512i top = v % 2 ? _mm512_srlv_epi64(high, _mm512_set_epi64(2, 2, 2, 2, 0, 0, 0, 0))   // bits 4-5 and 6-7 to 4-5
                                  : _mm512_sllv_epi64(high, _mm512_set_epi64(2, 2, 2, 2, 4, 4, 4, 4));  // bits 0-1 and 2-3
        return _mm512_ternarylogic_epi64(top, two_bits, nibble, 0xEA);                                  // (top & 0x30) | nibble
    }
};
