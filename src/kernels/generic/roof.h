// The roof's loops, written once. The including file supplies: vf (float vector) and vq (32-bit accumulators of the 8-bit products),
// W (floats in a vf), vq dot8(vq acc, vq a, vq b), dot8_ops (multiplications and additions of one dot8), dot8_name, and KEEP(v),
// which makes the compiler believe that v has changed, so that nothing moves out of a loop.

#if defined(__clang__)
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 12")
#endif

constexpr int roof_chains = 12;  // latency 4 or 5 on two units, and they fit 16 registers

inline uint64_t roof_read(const std::byte* p, uint64_t n_bytes) {
    typedef uint64_t v8 __attribute__((vector_size(W * 4), aligned(1), may_alias));
    constexpr uint64_t in_flight = 8, step = in_flight * W * 4;
    static_assert(roof_read_unit % step == 0);
    v8 sum[in_flight] = {};
    for (uint64_t i = 0; i < n_bytes; i += step) {
        for (uint64_t j = 0; j < in_flight; j++) sum[j] ^= *reinterpret_cast<const v8*>(p + i + j * W * 4);
    }
    uint64_t total = 0;
    for (uint64_t j = 0; j < in_flight; j++)
        for (int k = 0; k < W / 2; k++) total ^= sum[j][k];
    return total;
}

inline int32_t roof_int8(int64_t rounds) {
    vq acc[roof_chains] = {}, a, b;
    for (uint64_t i = 0; i < sizeof a; i++) reinterpret_cast<int8_t*>(&a)[i] = static_cast<int8_t>(i % 7), reinterpret_cast<int8_t*>(&b)[i] = static_cast<int8_t>(i % 5 - 2);
    for (int64_t r = 0; r < rounds; r++) {
        UNROLLED for (int j = 0; j < roof_chains; j++) {
            KEEP(a);  // for each chain, or one is computed for all
            acc[j] = dot8(acc[j], a, b);
        }
    }
    int32_t total = 0;
    for (int j = 0; j < roof_chains; j++) {
        int32_t lanes[sizeof(vq) / 4];
        __builtin_memcpy(lanes, &acc[j], sizeof lanes);
        for (const int32_t x : lanes) total = static_cast<int32_t>(static_cast<uint32_t>(total) + static_cast<uint32_t>(x));
    }
    return total;
}

inline float roof_f32(int64_t rounds) {
    vf acc[roof_chains] = {}, a, b;
    for (int i = 0; i < W; i++) a[i] = 0.5f, b[i] = static_cast<float>(i);  // acc goes to 2 b
    for (int64_t r = 0; r < rounds; r++) {
        UNROLLED for (int j = 0; j < roof_chains; j++) {
            KEEP(a);
            acc[j] = acc[j] * a + b;
        }
    }
    float total = 0;
    for (int j = 0; j < roof_chains; j++)
        for (int i = 0; i < W; i++) total += acc[j][i];
    return total;
}

inline Roof made_roof() { return {dot8_name, roof_read, roof_int8, roof_chains * dot8_ops, roof_f32, roof_chains * W * 2}; }
