// The vector functions, written once. The files of generic/ are included, in the order vectors, blocks, rows, products, attention, maps, fill,
// inside an instruction set's own unnamed namespace, which supplies the vocabulary:
//   W                        floats in a vector: 4, 8 or 16
//   vf, vi                   vectors of W floats / 32-bit integers with the operators of the compiler's vector extensions
//   load_part, store_part    the first n lanes, 0 <= n <= W; the other lanes load as zero and are not touched in memory
//   load_f16, load_bf16      W values -> vf;  store_f16: vf -> W halves, round to nearest even;  f16: one half -> float
//   load_i8                  W signed bytes -> vf
//   load_columns             four neighbouring floats of W rows, turned around: vector j holds the j-th of every row
//   hsum, hmax               over the lanes, in one fixed order
//   dot_rows, dot_columns, matmul_rows (panel_rows or twice that), matmul_columns, score_queries, value_vectors: tile shapes that fit the
//                            set's registers
//
// Products that are added contract to one fused operation in every set, so the order written here is the order of all. That order
// depends on the length only, never on how many rows or queries are computed together.

inline vf splat(float x) { return x - vf{}; }
inline vf load(const float* p) {
    vf v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
inline void store(float* p, vf v) { __builtin_memcpy(p, &v, sizeof v); }
// A comparison with a NaN is false: both give their second argument, so a NaN there stays one.
inline vf vmax(vf a, vf b) { return a > b ? a : b; }
inline vf vmin(vf a, vf b) { return a < b ? a : b; }

// e^x, relative error about 1e-7; 0 below -87.3, e^88 above 88.
inline vf vexp(vf x) {
    const vf clamped = vmin(splat(88.0f), vmax(splat(-87.3f), x));
    const vf shifted = clamped * splat(1.44269504088896341f) + splat(12582912.0f);  // rounds to an integer in the low mantissa bits
    const vf n = shifted - splat(12582912.0f);
    vf r = clamped - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vf p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * (r * r) + r + splat(1.0f);
    const vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
    vf scale;
    __builtin_memcpy(&scale, &exponent, sizeof scale);
    return x < splat(-87.3f) ? vf{} : p * scale;
}

// An odd polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel.
inline vf vtanh(vf x) {
    const vf a = x < vf{} ? -x : x;
    const vf z = x * x;
    vf p = splat(-5.70498872745e-3f);
    p = p * z + splat(2.06390887954e-2f);
    p = p * z + splat(-5.37397155531e-2f);
    p = p * z + splat(1.33314422036e-1f);
    p = p * z + splat(-3.33332819422e-1f);
    const vf small = p * z * x + x;
    const vf large = splat(1.0f) - splat(2.0f) / (vexp(a + a) + splat(1.0f));
    return a < splat(0.625f) ? small : (x < vf{} ? -large : large);
}

// gelu_tanh(g) = g * sigmoid(2 u), u = sqrt(2 / pi) (g + 0.044715 g^3): the same function, accurate on both sides.
inline vf vgelu(vf g) {
    const vf u2 = splat(1.5957691216057308f) * (g + splat(0.044715f) * g * g * g);
    return g / (splat(1.0f) + vexp(-u2));
}

// f(vector) applied to n values; y may be x.
template <class F>
inline void map(const float* x, int64_t n, float* y, F f) {
    int64_t i = 0;
    for (; i + W <= n; i += W) store(y + i, f(load(x + i)));
    if (i < n) store_part(y + i, f(load_part(x + i, n - i)), n - i);
}
template <class F>
inline void map2(const float* x, const float* y, int64_t n, float* z, F f) {
    int64_t i = 0;
    for (; i + W <= n; i += W) store(z + i, f(load(x + i), load(y + i)));
    if (i < n) store_part(z + i, f(load_part(x + i, n - i), load_part(y + i, n - i)), n - i);
}
// Sum of f(vector, lanes that count) over n values; f must give zero in the lanes that do not.
template <class F>
inline float sum_of(const float* x, int64_t n, F f) {
    vf s0{}, s1{}, s2{}, s3{};
    int64_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W) {
        s0 += f(load(x + i), W);
        s1 += f(load(x + i + W), W);
        s2 += f(load(x + i + 2 * W), W);
        s3 += f(load(x + i + 3 * W), W);
    }
    for (; i + W <= n; i += W) s0 += f(load(x + i), W);
    if (i < n) s1 += f(load_part(x + i, n - i), n - i);
    return hsum((s0 + s1) + (s2 + s3));
}
inline vf first_lanes(vf v, int64_t n) {
    float lanes[W];
    store(lanes, v);
    return load_part(lanes, n);
}

float sum_squares(const float* x, int64_t n) {
    return sum_of(x, n, [](vf v, int64_t) { return v * v; });
}

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* y) {
    const vf inverse = splat(1.0f / __builtin_sqrtf(sum_squares(x, n) / static_cast<float>(n) + eps));
    if (w) map2(x, w, n, y, [=](vf a, vf b) { return a * inverse * b; });
    else map(x, n, y, [=](vf a) { return a * inverse; });
}

// Two passes: the squares of small differences, not a small difference of squares.
void mean_deviation(const float* x, int64_t n, float* mean, float* deviation) {
    const float m = sum_of(x, n, [](vf v, int64_t) { return v; }) / static_cast<float>(n);
    const float squares = sum_of(x, n, [=](vf v, int64_t lanes) {
        const vf d = lanes < W ? first_lanes(v - splat(m), lanes) : v - splat(m);
        return d * d;
    });
    *mean = m;
    *deviation = __builtin_sqrtf(squares / static_cast<float>(n));
}

void relu_shift(float* x, int64_t n, float cutoff) {
    map(x, n, x, [=](vf v) { return vmax(vf{}, v - splat(cutoff)); });
}
void gelu_mul(const float* gate, const float* up, int64_t n, float* y) {
    map2(gate, up, n, y, [](vf g, vf u) { return vgelu(g) * u; });
}
void gelu(float* x, int64_t n) {
    map(x, n, x, [](vf v) { return vgelu(v); });
}
inline vf vsigmoid(vf x) { return splat(1.0f) / (splat(1.0f) + vexp(-x)); }
void silu(float* x, int64_t n) {
    map(x, n, x, [](vf v) { return v / (splat(1.0f) + vexp(-v)); });
}
void glu(const float* x, const float* gate, int64_t n, float* y) {
    map2(x, gate, n, y, [](vf a, vf g) { return a * vsigmoid(g); });
}
void softcap(float* x, int64_t n, float cap) {
    map(x, n, x, [=](vf v) { return splat(cap) * vtanh(v / splat(cap)); });
}
void add(float* x, const float* y, int64_t n) {
    map2(x, y, n, x, [](vf a, vf b) { return a + b; });
}
void scale(float* x, int64_t n, float s) {
    map(x, n, x, [=](vf a) { return a * splat(s); });
}
void multiply(const float* x, const float* y, int64_t n, float* z) {
    map2(x, y, n, z, [](vf a, vf b) { return a * b; });
}
void add_scaled(float* x, const float* y, int64_t n, float s) {
    map2(x, y, n, x, [=](vf a, vf b) { return a + splat(s) * b; });
}
void sum_scaled(const float* x, const float* y, int64_t n, float s, float* z) {
    map2(x, y, n, z, [=](vf a, vf b) { return (a + b) * splat(s); });
}

void mix(const float* base, int64_t x_stride, int n_streams, int own, const float* c, int64_t n, float* z) {
    int64_t j = 0;
    for (; j + W <= n; j += W) {
        vf sum = load(base + own * x_stride + j);
        for (int i = 0; i < n_streams; i++) sum += splat(c[i]) * load(base + i * x_stride + j);
        store(z + j, sum);
    }
    if (j < n) {
        vf sum = load_part(base + own * x_stride + j, n - j);
        for (int i = 0; i < n_streams; i++) sum += splat(c[i]) * load_part(base + i * x_stride + j, n - j);
        store_part(z + j, sum, n - j);
    }
}

void rope(float* x, const float* cosines, const float* sines, int64_t half) {
    int64_t i = 0;
    for (; i + W <= half; i += W) {
        const vf a = load(x + i), b = load(x + i + half), c = load(cosines + i), s = load(sines + i);
        store(x + i, a * c - b * s);
        store(x + i + half, b * c + a * s);
    }
    if (i < half) {
        const int64_t m = half - i;
        const vf a = load_part(x + i, m), b = load_part(x + i + half, m), c = load_part(cosines + i, m), s = load_part(sines + i, m);
        store_part(x + i, a * c - b * s, m);
        store_part(x + i + half, b * c + a * s, m);
    }
}

void softmax(float* s, int64_t n) {
    vf largest = splat(-__builtin_inff());
    int64_t i = 0;
    for (; i + W <= n; i += W) largest = vmax(largest, load(s + i));
    float m = hmax(largest);
    for (; i < n; i++) m = s[i] > m ? s[i] : m;
    const vf shift = splat(m);
    vf sum{};
    for (i = 0; i + W <= n; i += W) {
        const vf e = vexp(load(s + i) - shift);
        sum += e;
        store(s + i, e);
    }
    if (i < n) {
        const vf e = vexp(load_part(s + i, n - i) - shift);
        store_part(s + i, e, n - i);
        sum += load_part(s + i, n - i);
    }
    const vf inverse = splat(1.0f / hsum(sum));
    map(s, n, s, [=](vf v) { return v * inverse; });
}
