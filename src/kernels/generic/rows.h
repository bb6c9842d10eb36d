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

template <class T>
void blocks_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = reinterpret_cast<const typename T::Block*>(src);
    for (int64_t i = 0; i < n / T::n_values; i++, b++) {
        int8_t q[T::n_values];
        T::values(*b, q);
        for (int s = 0; s < T::n_values / T::per_scale; s++, dst += T::per_scale) {
            const vf scale = splat(T::scale(*b, s));
            const int8_t* part = q + s * T::per_scale;
            if constexpr (T::has_minimum) {
                const vf minimum = splat(T::minimum(*b, s));
                for (int j = 0; j < T::per_scale; j += W) store(dst + j, scale * load_i8(part + j) - minimum);
            } else {
                for (int j = 0; j < T::per_scale; j += W) store(dst + j, scale * load_i8(part + j));
            }
        }
    }
}

// Any type; the switch is taken once a row.
inline void values_to_f32(DType type, const std::byte* src, int64_t n, float* dst) {
    switch (type) {
        case DType::f32: return row_to_f32<RowF32>(src, n, dst);
        case DType::f16: return row_to_f32<RowF16>(src, n, dst);
        case DType::bf16: return row_to_f32<RowBf16>(src, n, dst);
        case DType::q4_0: return blocks_to_f32<ValuesQ4_0>(src, n, dst);
        case DType::q4_1: return blocks_to_f32<ValuesQ4_1>(src, n, dst);
        case DType::q5_0: return blocks_to_f32<ValuesQ5_0>(src, n, dst);
        case DType::q5_1: return blocks_to_f32<ValuesQ5_1>(src, n, dst);
        case DType::q8_0: return blocks_to_f32<ValuesQ8_0>(src, n, dst);
        case DType::q2_k: return blocks_to_f32<ValuesQ2_K>(src, n, dst);
        case DType::q3_k: return blocks_to_f32<ValuesQ3_K>(src, n, dst);
        case DType::q4_k: return blocks_to_f32<ValuesQ4_K>(src, n, dst);
        case DType::q5_k: return blocks_to_f32<ValuesQ5_K>(src, n, dst);
        case DType::q6_k: return blocks_to_f32<ValuesQ6_K>(src, n, dst);
        case DType::iq4_nl: return blocks_to_f32<ValuesIQ4_NL>(src, n, dst);
        case DType::iq4_xs: return blocks_to_f32<ValuesIQ4_XS>(src, n, dst);
        default: return;  // i32 is never a weight
    }
}
