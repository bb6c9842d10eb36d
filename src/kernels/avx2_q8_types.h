// How avx2_q8.cpp reads the types. A group is 256 values, 8 blocks of 32 whose activations have one scale each:
//   unpack(w, b)            the 32 bytes of block b, unsigned unless is_signed; `largest` in magnitude, `offset` too large
//   scales(w)               what the 8 integer sums of a weight row are multiplied by
//   weigh(w, b, pairs)      the products of block b, summed in pairs to 16 bit, to 8 integers; integer scales of 16 values multiply in here
//   correction(w, sums)     what the offset added to the 8 sums, to be added
//   minus_minimums(w), minimum_sums(w, sums)     where `minimums`: 8 numbers and what they are multiplied by besides the activations' scales
//   panel_scales(w, to)     8 scales (16 where 16 values have one), then as many minus minimums, in f32

// 16 bytes of nibbles as 32 values: the low ones first.
inline __m256i nibbles(const void* p) {
    const __m256i both = _mm256_broadcastsi128_si256(load128(p));
    return _mm256_and_si256(_mm256_srlv_epi64(both, _mm256_set_epi64x(4, 4, 0, 0)), _mm256_set1_epi8(15));
}
// 16 in the bytes whose bit of 32 is set.
inline __m256i fifth(const void* bits) {
    const __m256i bytes = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));  // of each byte's own bit
    const __m256i high = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(load_u32(bits))), bytes);
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(high, bit), bit), _mm256_set1_epi8(16));
}
// `value`, a power of two, in the bytes whose bit b is set.
template <int value>
inline __m256i where_bit(__m256i bytes, int b) {
    constexpr int to = value == 4 ? 2 : 4;
    const __m256i moved = b < to ? _mm256_slli_epi16(bytes, to - b) : _mm256_srli_epi16(bytes, b - to);
    return _mm256_and_si256(moved, _mm256_set1_epi8(value));
}
inline __m256i iq4(__m256i nibbles) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load128(iq4_values)), nibbles);
}
inline __m256 sums32(const int16_t* sums) { return _mm256_cvtepi32_ps(_mm256_madd_epi16(load256(sums), ones())); }
inline __m256 to_floats(__m128i eight_bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight_bytes)); }

template <class Block_, DType type_, int group_bytes_, int offset_, int largest_>
struct Reads {
    using Block = Block_;
    static constexpr DType type = type_;
    static constexpr int group = 256, group_bytes = group_bytes_, offset = offset_, largest = largest_;
    static constexpr bool is_signed = false, sub_scales = false, minimums = false;
    static const Block* at(const std::byte* w) { return reinterpret_cast<const Block*>(w); }
    static __m256i weigh(const std::byte*, int, __m256i pairs) { return _mm256_madd_epi16(pairs, ones()); }
};

// ---- types of 32-value blocks ------------------------------------------------------------------------------------------------

template <class Block, DType type, int offset, int largest>
struct Simple : Reads<Block, type, 8 * sizeof(Block), offset, largest> {
    static const std::byte* block(const std::byte* w, int b) { return w + b * sizeof(Block); }
    static __m256 scales(const std::byte* w) {
        const auto d = [w](int b) { return static_cast<short>(load_u16(block(w, b))); };
        return _mm256_cvtph_ps(_mm_set_epi16(d(7), d(6), d(5), d(4), d(3), d(2), d(1), d(0)));
    }
    static __m256 correction(const std::byte*, const int16_t* sums) { return _mm256_mul_ps(sums32(sums), _mm256_set1_ps(-offset)); }
    static void panel_scales(const std::byte* w, float* to) { _mm256_storeu_ps(to, scales(w)); }
};

struct Q4_0 : Simple<BlockQ4_0, DType::q4_0, 8, 15> {
    static __m256i unpack(const std::byte* w, int b) { return nibbles(block(w, b) + 2); }
};
struct Q5_0 : Simple<BlockQ5_0, DType::q5_0, 16, 31> {
    static __m256i unpack(const std::byte* w, int b) { return _mm256_or_si256(nibbles(block(w, b) + 6), fifth(block(w, b) + 2)); }
};
struct Q8_0 : Simple<BlockQ8_0, DType::q8_0, 0, 128> {
    static constexpr bool is_signed = true;
    static __m256i unpack(const std::byte* w, int b) { return load256(block(w, b) + 2); }
};
struct IQ4_NL : Simple<BlockIQ4_NL, DType::iq4_nl, 0, 127> {
    static constexpr bool is_signed = true;
    static __m256i unpack(const std::byte* w, int b) { return iq4(nibbles(block(w, b) + 2)); }
};

template <class Block, DType type, int largest>
struct SimpleWithMinimum : Simple<Block, type, 0, largest> {
    static constexpr bool minimums = true;
    static __m256i d_and_m(const std::byte* w) {
        constexpr int words = sizeof(Block) / 4;  // 5 or 6: block b has its two halves in word b * words
        const __m256i pick = _mm256_set_epi32(7 * words, 6 * words, 5 * words, 4 * words, 3 * words, 2 * words, words, 0);  // modulo 8
        const auto from = [&](int b) { return _mm256_permutevar8x32_epi32(load256(w + b * words * 4 / 32 * 32), pick); };
        const __m256i first = _mm256_blend_epi32(from(0), from(2), 0xFC);
        if constexpr (words == 5) {  // vectors hold words 0 5 | 10 15 | 20 | 25 30 | 35
            return _mm256_blend_epi32(first, _mm256_blend_epi32(_mm256_blend_epi32(from(4), from(5), 0x60), from(7), 0x80), 0xF0);
        } else {  // 0 6 | 12 | 18 | 24 30 | 36 | 42
            const __m256i last = _mm256_blend_epi32(from(6), from(7), 0x80);
            return _mm256_blend_epi32(_mm256_blend_epi32(first, from(3), 0x08), _mm256_blend_epi32(from(4), last, 0xC0), 0xF0);
        }
    }
    static __m256 halves(__m256i x) {  // in the low 16 bits of each lane, nothing above
        return _mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
    }
    static __m256 scales(const std::byte* w) { return halves(_mm256_and_si256(d_and_m(w), _mm256_set1_epi32(0xFFFF))); }
    static __m256 minus_minimums(const std::byte* w) { return halves(_mm256_srli_epi32(d_and_m(w), 16)); }
    static __m256 minimum_sums(const std::byte*, const int16_t* sums) { return sums32(sums); }
    static void panel_scales(const std::byte* w, float* to) {
        _mm256_storeu_ps(to, scales(w));
        _mm256_storeu_ps(to + 8, minus_minimums(w));
    }
};

struct Q4_1 : SimpleWithMinimum<BlockQ4_1, DType::q4_1, 15> {
    static __m256i unpack(const std::byte* w, int b) { return nibbles(block(w, b) + 4); }
};
struct Q5_1 : SimpleWithMinimum<BlockQ5_1, DType::q5_1, 31> {
    static __m256i unpack(const std::byte* w, int b) { return _mm256_or_si256(nibbles(block(w, b) + 8), fifth(block(w, b) + 4)); }
};

// ---- types of 256-value blocks with a scale for 32 values ----------------------------------------------------------------------

template <class Block, DType type, int largest>
struct WithKScales : Reads<Block, type, sizeof(Block), 0, largest> {
    static constexpr bool minimums = true;
    using Reads<Block, type, sizeof(Block), 0, largest>::at;
    static __m256 scales(const std::byte* w) {
        return _mm256_mul_ps(_mm256_set1_ps(f16(load_u16(&at(w)->d))), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(k_scales(at(w)->scales))));
    }
    static __m256 minus_minimums(const std::byte* w) {
        return _mm256_mul_ps(_mm256_set1_ps(-f16(load_u16(&at(w)->dmin))), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(k_scales(at(w)->scales), 8))));
    }
    static __m256 minimum_sums(const std::byte*, const int16_t* sums) { return sums32(sums); }
    static void panel_scales(const std::byte* w, float* to) {
        _mm256_storeu_ps(to, scales(w));
        _mm256_storeu_ps(to + 8, minus_minimums(w));
    }
    static __m256i k_nibbles(const std::byte* w, int b) {
        const __m256i q = load256(at(w)->qs + 32 * (b / 2));
        return _mm256_and_si256(b % 2 ? _mm256_srli_epi16(q, 4) : q, _mm256_set1_epi8(15));
    }
};

struct Q4_K : WithKScales<BlockQ4_K, DType::q4_k, 15> {
    static __m256i unpack(const std::byte* w, int b) { return k_nibbles(w, b); }
};
struct Q5_K : WithKScales<BlockQ5_K, DType::q5_k, 31> {
    static __m256i unpack(const std::byte* w, int b) { return _mm256_or_si256(k_nibbles(w, b), where_bit<16>(load256(at(w)->qh), b)); }
};
struct IQ4_XS : Reads<BlockIQ4_XS, DType::iq4_xs, sizeof(BlockIQ4_XS), 0, 127> {
    static constexpr bool is_signed = true;
    static __m256 scales(const std::byte* w) {
        return _mm256_mul_ps(_mm256_set1_ps(f16(load_u16(&at(w)->d))), _mm256_cvtepi32_ps(iq4_xs_scales(at(w))));
    }
    static __m256i unpack(const std::byte* w, int b) { return iq4(nibbles(at(w)->qs + 16 * b)); }
    static void panel_scales(const std::byte* w, float* to) { _mm256_storeu_ps(to, scales(w)); }
};

// ---- types of 256-value blocks with a scale for 16 values: these multiply in as integers ----------------------------------------

// T::sub16: the 16 integer scales as bytes.
template <class T, class Block, DType type, int offset, int largest>
struct WithSubScales : Reads<Block, type, sizeof(Block), offset, largest> {
    static constexpr bool sub_scales = true;
    using Reads<Block, type, sizeof(Block), offset, largest>::at;
    static __m256 scales(const std::byte* w) { return _mm256_set1_ps(f16(load_u16(&at(w)->d))); }
    static __m256 correction(const std::byte* w, const int16_t* sums) {
        const __m256i offsets = _mm256_madd_epi16(load256(sums), _mm256_cvtepi8_epi16(T::sub16(w)));
        return _mm256_mul_ps(_mm256_cvtepi32_ps(offsets), _mm256_set1_ps(-offset));
    }
    static __m256i weigh(const std::byte* w, int b, __m256i pairs) {
        const __m128i which = _mm_set_epi64x(0x0101010101010101 * (2 * b + 1), 0x0101010101010101 * (2 * b));
        return _mm256_madd_epi16(pairs, _mm256_cvtepi8_epi16(_mm_shuffle_epi8(T::sub16(w), which)));
    }
    static void times(__m256 d, __m128i sixteen, float* to) {
        _mm256_storeu_ps(to, _mm256_mul_ps(d, to_floats(sixteen)));
        _mm256_storeu_ps(to + 8, _mm256_mul_ps(d, to_floats(_mm_srli_si128(sixteen, 8))));
    }
    static void panel_scales(const std::byte* w, float* to) { times(scales(w), T::sub16(w), to); }
    static __m256i two_bits(const std::byte* w, int b) {
        return _mm256_and_si256(_mm256_srli_epi16(load256(at(w)->qs + 32 * (b / 4)), 2 * (b % 4)), _mm256_set1_epi8(3));
    }
};

struct Q2_K : WithSubScales<Q2_K, BlockQ2_K, DType::q2_k, 0, 3> {
    static constexpr bool minimums = true;
    static __m128i sub16(const std::byte* w) { return q2_k_scales(at(w)->scales); }
    static __m256i unpack(const std::byte* w, int b) { return two_bits(w, b); }
    static __m256 minus_minimums(const std::byte* w) { return _mm256_set1_ps(-f16(load_u16(&at(w)->dmin))); }
    static __m256 minimum_sums(const std::byte* w, const int16_t* sums) {
        return _mm256_cvtepi32_ps(_mm256_madd_epi16(load256(sums), _mm256_cvtepi8_epi16(q2_k_minimums(at(w)->scales))));
    }
    static void panel_scales(const std::byte* w, float* to) {
        times(scales(w), sub16(w), to);
        times(minus_minimums(w), q2_k_minimums(at(w)->scales), to + 16);
    }
};
struct Q3_K : WithSubScales<Q3_K, BlockQ3_K, DType::q3_k, 4, 7> {
    static __m128i sub16(const std::byte* w) { return q3_k_scales(at(w)->scales); }
    static __m256i unpack(const std::byte* w, int b) { return _mm256_or_si256(two_bits(w, b), where_bit<4>(load256(at(w)->hmask), b)); }
};
struct Q6_K : WithSubScales<Q6_K, BlockQ6_K, DType::q6_k, 32, 63> {
    static __m128i sub16(const std::byte* w) { return load128(at(w)->scales); }
    static __m256i unpack(const std::byte* w, int b) {
        const int half = b / 4, quarter = b % 4;
        const __m256i low = load256(at(w)->ql + 64 * half + 32 * (quarter % 2)), high = load256(at(w)->qh + 32 * half);
        const __m256i nibble = _mm256_and_si256(quarter < 2 ? low : _mm256_srli_epi16(low, 4), _mm256_set1_epi8(15));
        const __m256i top = quarter == 0   ? _mm256_slli_epi16(high, 4)
                            : quarter == 1 ? _mm256_slli_epi16(high, 2)
                            : quarter == 2 ? high
                                           : _mm256_srli_epi16(high, 2);
        return _mm256_or_si256(nibble, _mm256_and_si256(top, _mm256_set1_epi8(0x30)));
    }
};
