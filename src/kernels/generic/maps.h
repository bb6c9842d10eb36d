// Convolutions of each channel with its own kernel: the lanes are channels. N neighbouring pixels of the output share each weight that is
// read, and each chain of sums runs over ky, then kx, whatever N is.

template <int N>
inline void depthwise_pixels(const DepthwiseRow& s, const float* const* rows, const float* w, int64_t x, int64_t c, int64_t lanes, float* y) {
    vf sum[N] = {};
    const int64_t from = x * s.stride - s.before;
    for (int ky = 0; ky < s.kernel; ky++) {
        if (!rows[ky]) continue;
        for (int kx = 0; kx < s.kernel; kx++) {
            const float* at = rows[ky] + (from + kx) * s.channels + c;
            const float* weight = w + (ky * s.kernel + kx) * s.channels + c;
            if (lanes == W) {
                const vf v = load(weight);
                for (int n = 0; n < N; n++) sum[n] += v * load(at + n * s.stride * s.channels);
            } else {
                const vf v = load_part(weight, lanes);
                for (int n = 0; n < N; n++) sum[n] += v * load_part(at + n * s.stride * s.channels, lanes);
            }
        }
    }
    for (int n = 0; n < N; n++) store_part(y + (x + n) * s.channels + c, sum[n], lanes);
}

// A pixel at the edge: some columns of its kernel lie outside.
inline void depthwise_edge(const DepthwiseRow& s, const float* const* rows, const float* w, int64_t x, int64_t c, int64_t lanes, float* y) {
    vf sum{};
    for (int ky = 0; ky < s.kernel; ky++) {
        if (!rows[ky]) continue;
        for (int kx = 0; kx < s.kernel; kx++) {
            const int64_t from = x * s.stride - s.before + kx;
            if (from < 0 || from >= s.inputs) continue;
            sum += load_part(w + (ky * s.kernel + kx) * s.channels + c, lanes) * load_part(rows[ky] + from * s.channels + c, lanes);
        }
    }
    store_part(y + x * s.channels + c, sum, lanes);
}

void depthwise(const DepthwiseRow& s, const float* const* rows, const float* w, float* y) {
    // outputs [inner, end) read no pixel outside the row
    int64_t inner = (s.before + s.stride - 1) / s.stride;
    if (inner > s.outputs) inner = s.outputs;
    const int64_t last = s.inputs - s.kernel + s.before;  // the largest x * stride that may be
    int64_t end = last < 0 ? inner : last / s.stride + 1;
    if (end > s.outputs) end = s.outputs;
    if (end < inner) end = inner;
    for (int64_t c = 0; c < s.channels; c += W) {
        const int64_t lanes = s.channels - c < W ? s.channels - c : W;
        int64_t x = 0;
        for (; x < inner; x++) depthwise_edge(s, rows, w, x, c, lanes, y);
        for (; x + 4 <= end; x += 4) depthwise_pixels<4>(s, rows, w, x, c, lanes, y);
        for (; x < end; x++) depthwise_pixels<1>(s, rows, w, x, c, lanes, y);
        for (; x < s.outputs; x++) depthwise_edge(s, rows, w, x, c, lanes, y);
    }
}
