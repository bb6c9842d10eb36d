// Rows of weights as f32: plain types read vector by vector, quantised ones block by block.

inline vf load_f16_part(const uint16_t* p, int64_t n) {
    uint16_t part[W] = {};
    __builtin_memcpy(part, p, static_cast<size_t>(n) * 2);
    return load_f16(part);
}
inline vf load_bf16_part(const uint16_t* p, int64_t n) {
    uint16_t part[W] = {};
    __builtin_memcpy(part, p, static_cast<size_t>(n) * 2);
    return load_bf16(part);
}

// A row of weights of a plain type, read W values at a time.
struct RowF32 {
    const float* p;
    explicit RowF32(const std::byte* row) : p(reinterpret_cast<const float*>(row)) {}
    vf at(int64_t i) const { return load(p + i); }
    vf part(int64_t i, int64_t n) const { return load_part(p + i, n); }
};
struct RowF16 {
    const uint16_t* p;
    explicit RowF16(const std::byte* row) : p(reinterpret_cast<const uint16_t*>(row)) {}
    vf at(int64_t i) const { return load_f16(p + i); }
    vf part(int64_t i, int64_t n) const { return load_f16_part(p + i, n); }
};
struct RowBf16 {
    const uint16_t* p;
    explicit RowBf16(const std::byte* row) : p(reinterpret_cast<const uint16_t*>(row)) {}
    vf at(int64_t i) const { return load_bf16(p + i); }
    vf part(int64_t i, int64_t n) const { return load_bf16_part(p + i, n); }
};

template <class Row>
void row_to_f32(const std::byte* src, int64_t n, float* dst) {
    const Row row(src);
    int64_t i = 0;
    for (; i + W <= n; i += W) store(dst + i, row.at(i));
    if (i < n) store_part(dst + i, row.part(i, n - i), n - i);
}

void f32_to_f16(const float* src, int64_t n, uint16_t* dst) {
    int64_t i = 0;
    for (; i + W <= n; i += W) store_f16(dst + i, load(src + i));
    if (i < n) {
        uint16_t part[W];
        store_f16(part, load_part(src + i, n - i));
        __builtin_memcpy(dst + i, part, static_cast<size_t>(n - i) * 2);
    }
}

// dst = scale * q - offset over n values (a multiple of 16).
inline void scaled(const int8_t* q, int n, float scale, float offset, float* dst) {
    for (int i = 0; i < n; i += W) store(dst + i, splat(scale) * load_i8(q + i) - splat(offset));
}
inline void scaled(const int8_t* q, int n, float scale, float* dst) {
    for (int i = 0; i < n; i += W) store(dst + i, splat(scale) * load_i8(q + i));
}

inline void block_to_f32(const BlockQ4_0& b, float* dst) {
    int8_t q[32];
    for (int j = 0; j < 16; j++) {
        q[j] = static_cast<int8_t>((b.qs[j] & 15) - 8);
        q[j + 16] = static_cast<int8_t>((b.qs[j] >> 4) - 8);
    }
    scaled(q, 32, f16(b.d), dst);
}
inline void block_to_f32(const BlockQ5_0& b, float* dst) {
    int8_t q[32];
    uint32_t high;
    __builtin_memcpy(&high, b.qh, 4);
    for (int j = 0; j < 16; j++) {
        q[j] = static_cast<int8_t>(((b.qs[j] & 15) | (high >> j & 1) << 4) - 16);
        q[j + 16] = static_cast<int8_t>(((b.qs[j] >> 4) | (high >> (j + 16) & 1) << 4) - 16);
    }
    scaled(q, 32, f16(b.d), dst);
}
inline void block_to_f32(const BlockQ8_0& b, float* dst) { scaled(b.qs, 32, f16(b.d), dst); }

inline void block_to_f32(const BlockQ4_K& b, float* dst) {
    const float d = f16(b.d), dmin = f16(b.dmin);
    const uint8_t* s = b.scales;
    for (int j = 0; j < 8; j++) {
        const int sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
        const int m = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
        int8_t q[32];
        for (int k = 0; k < 32; k++) q[k] = static_cast<int8_t>(j % 2 ? b.qs[16 * (j - 1) + k] >> 4 : b.qs[16 * j + k] & 15);
        scaled(q, 32, d * static_cast<float>(sc), dmin * static_cast<float>(m), dst + 32 * j);
    }
}
inline void block_to_f32(const BlockQ6_K& b, float* dst) {
    const float d = f16(b.d);
    int8_t q[256];
    for (int half = 0; half < 2; half++) {
        const uint8_t *low = b.ql + 64 * half, *high = b.qh + 32 * half;
        int8_t* to = q + 128 * half;
        for (int l = 0; l < 32; l++) {
            to[l] = static_cast<int8_t>(((low[l] & 15) | (high[l] & 3) << 4) - 32);
            to[l + 32] = static_cast<int8_t>(((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4) - 32);
            to[l + 64] = static_cast<int8_t>(((low[l] >> 4) | (high[l] >> 4 & 3) << 4) - 32);
            to[l + 96] = static_cast<int8_t>(((low[l + 32] >> 4) | (high[l] >> 6) << 4) - 32);
        }
    }
    for (int j = 0; j < 16; j++) scaled(q + 16 * j, 16, d * static_cast<float>(b.scales[j]), dst + 16 * j);
}

template <class Block, int block>
void blocks_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const Block*>(src);
    for (int64_t i = 0; i < n / block; i++) block_to_f32(b[i], dst + i * block);
}

// Any type; the switch is taken once a row.
inline void values_to_f32(DType type, const std::byte* src, int64_t n, float* dst) {
    switch (type) {
        case DType::f32: return row_to_f32<RowF32>(src, n, dst);
        case DType::f16: return row_to_f32<RowF16>(src, n, dst);
        case DType::bf16: return row_to_f32<RowBf16>(src, n, dst);
        case DType::q4_0: return blocks_to_f32<BlockQ4_0, 32>(src, n, dst);
        case DType::q5_0: return blocks_to_f32<BlockQ5_0, 32>(src, n, dst);
        case DType::q8_0: return blocks_to_f32<BlockQ8_0, 32>(src, n, dst);
        case DType::q4_k: return blocks_to_f32<BlockQ4_K, 256>(src, n, dst);
        case DType::q6_k: return blocks_to_f32<BlockQ6_K, 256>(src, n, dst);
        default: return;  // i32 is never a weight
    }
}
