#include "ops/convolution.h"

#include <algorithm>
#include <cstring>

namespace gemma3n::ops {

namespace {

constexpr int64_t max_kernel = 16;

}  // namespace

void patches(Context& c, const Map& in, Window window, int64_t first, int64_t n, View out) {
    const int64_t width = window.outputs(in.width), channels = in.channels(), k = window.kernel;
    assert(out.n_rows == n * width && out.n_cols == k * k * channels);
    const int64_t top = window.before(in.height), left = window.before(in.width);
    c.each_row(n, [&](int64_t r) {
        for (int64_t ky = 0; ky < k; ky++) {
            const int64_t y = (first + r) * window.stride - top + ky;
            const bool inside = y >= 0 && y < in.height;
            for (int64_t x = 0; x < width; x++) {
                float* to = out.f32(r * width + x) + ky * k * channels;
                const int64_t x0 = x * window.stride - left;
                const int64_t lo = std::clamp<int64_t>(-x0, 0, k), hi = inside ? std::clamp<int64_t>(in.width - x0, lo, k) : lo;
                std::fill(to, to + lo * channels, 0.0f);
                if (hi > lo) memcpy(to + lo * channels, in.row(y) + (x0 + lo) * channels, static_cast<size_t>((hi - lo) * channels) * sizeof(float));
                std::fill(to + hi * channels, to + k * channels, 0.0f);
            }
        }
    });
}

void depthwise(Context& c, const Map& in, View weights, Window window, int64_t first, int64_t n, View out) {
    const int64_t width = window.outputs(in.width), k = window.kernel;
    assert(k <= max_kernel && out.n_rows == n * width && out.n_cols == in.channels() && weights.n_rows == k * k && weights.n_cols == in.channels());
    const kernels::DepthwiseRow shape{in.channels(), in.width, width, static_cast<int>(k), static_cast<int>(window.stride), window.before(in.width)};
    const int64_t top = window.before(in.height);
    c.each_row(n, [&](int64_t r) {
        const float* rows[max_kernel];
        for (int64_t ky = 0; ky < k; ky++) {
            const int64_t y = (first + r) * window.stride - top + ky;
            rows[ky] = y >= 0 && y < in.height ? in.row(y) : nullptr;
        }
        c.k.depthwise(shape, rows, weights.f32(), out.f32(r * width));
    });
}

}  // namespace gemma3n::ops
