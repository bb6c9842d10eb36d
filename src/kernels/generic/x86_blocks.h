// What both x86 sets read of blocks: loads, half scales and the packed integer scales of the K types as vectors.

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

// q4_k, q5_k: 8 scales in the first 8 bytes, 8 minimums in the others.
inline __m128i k_scales(const uint8_t* packed) {
    const uint32_t s0 = load_u32(packed), s4 = load_u32(packed + 4), s8 = load_u32(packed + 8);
    const uint32_t scale_high = (s8 & 0x0F0F0F0F) | (s0 >> 6 & 0x03030303) << 4, min_high = (s8 >> 4 & 0x0F0F0F0F) | (s4 >> 6 & 0x03030303) << 4;
    return _mm_set_epi32(static_cast<int>(min_high), static_cast<int>(s4 & 0x3F3F3F3F), static_cast<int>(scale_high), static_cast<int>(s0 & 0x3F3F3F3F));
}

// q3_k: 16 signed scales.
inline __m128i q3_k_scales(const uint8_t* packed) {
    const __m128i nibbles = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(packed));
    const __m128i low = _mm_and_si128(_mm_unpacklo_epi64(nibbles, _mm_srli_epi16(nibbles, 4)), _mm_set1_epi8(15));
    const __m128i high = _mm_srlv_epi32(_mm_set1_epi32(static_cast<int>(load_u32(packed + 8))), _mm_set_epi32(6, 4, 2, 0));
    const __m128i six = _mm_or_si128(low, _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(3)), 4));
    return _mm_sub_epi8(six, _mm_set1_epi8(32));
}

// q2_k: 16 scales, 16 minimums.
inline __m128i q2_k_scales(const uint8_t* packed) { return _mm_and_si128(load128(packed), _mm_set1_epi8(15)); }
inline __m128i q2_k_minimums(const uint8_t* packed) { return _mm_and_si128(_mm_srli_epi16(load128(packed), 4), _mm_set1_epi8(15)); }

// iq4_xs: 8 signed scales as 32-bit integers.
inline __m256i iq4_xs_scales(const BlockIQ4_XS* b) {
    const __m256i low = _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(load_u32(b->scales_l))), _mm256_set_epi32(28, 24, 20, 16, 12, 8, 4, 0));
    const __m256i high = _mm256_srlv_epi32(_mm256_set1_epi32(load_u16(&b->scales_h)), _mm256_set_epi32(14, 12, 10, 8, 6, 4, 2, 0));
    const __m256i six = _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi32(15)), _mm256_slli_epi32(_mm256_and_si256(high, _mm256_set1_epi32(3)), 4));
    return _mm256_sub_epi32(six, _mm256_set1_epi32(32));
}
