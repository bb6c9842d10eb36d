// Vector functions in plain arithmetic; sums in double.
#include "kernels/reference/reference.h"

#include <cmath>

namespace gemma3n::kernels::plain {

namespace {

float sum_squares(const float* x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += static_cast<double>(x[i]) * x[i];
    return static_cast<float>(sum);
}

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* y) {
    const float inverse = 1.0f / std::sqrt(sum_squares(x, n) / static_cast<float>(n) + eps);
    for (int64_t i = 0; i < n; i++) y[i] = x[i] * inverse * (w ? w[i] : 1.0f);
}

void mean_deviation(const float* x, int64_t n, float* mean, float* deviation) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    const double m = sum / static_cast<double>(n);
    for (int64_t i = 0; i < n; i++) squares += (x[i] - m) * (x[i] - m);
    *mean = static_cast<float>(m);
    *deviation = static_cast<float>(std::sqrt(squares / static_cast<double>(n)));
}

void relu_shift(float* x, int64_t n, float cutoff) {
    for (int64_t i = 0; i < n; i++) x[i] = x[i] <= cutoff ? 0 : x[i] - cutoff;  // what is no number stays
}

void gelu_mul(const float* gate, const float* up, int64_t n, float* y) {
    constexpr float sqrt_2_over_pi = 0.7978845608028654f;
    for (int64_t i = 0; i < n; i++) {
        const float g = gate[i];
        y[i] = 0.5f * g * (1.0f + std::tanh(sqrt_2_over_pi * (g + 0.044715f * g * g * g))) * up[i];
    }
}

void gelu(float* x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const float one = 1;
        gelu_mul(x + i, &one, 1, x + i);
    }
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

void silu(float* x, int64_t n) {
    for (int64_t i = 0; i < n; i++) x[i] = x[i] * sigmoid(x[i]);
}

void glu(const float* x, const float* gate, int64_t n, float* y) {
    for (int64_t i = 0; i < n; i++) y[i] = x[i] * sigmoid(gate[i]);
}

void softcap(float* x, int64_t n, float cap) {
    for (int64_t i = 0; i < n; i++) x[i] = cap * std::tanh(x[i] / cap);
}

void add(float* x, const float* y, int64_t n) {
    for (int64_t i = 0; i < n; i++) x[i] += y[i];
}

void scale(float* x, int64_t n, float s) {
    for (int64_t i = 0; i < n; i++) x[i] *= s;
}

void multiply(const float* x, const float* y, int64_t n, float* z) {
    for (int64_t i = 0; i < n; i++) z[i] = x[i] * y[i];
}

void add_scaled(float* x, const float* y, int64_t n, float s) {
    for (int64_t i = 0; i < n; i++) x[i] += s * y[i];
}

void sum_scaled(const float* x, const float* y, int64_t n, float s, float* z) {
    for (int64_t i = 0; i < n; i++) z[i] = (x[i] + y[i]) * s;
}

void mix(const float* base, int64_t x_stride, int n_streams, int own, const float* c, int64_t n, float* z) {
    for (int64_t j = 0; j < n; j++) {
        float sum = base[own * x_stride + j];
        for (int i = 0; i < n_streams; i++) sum += c[i] * base[i * x_stride + j];
        z[j] = sum;
    }
}

void rope(float* x, const float* cosines, const float* sines, int64_t half) {
    for (int64_t i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half];
        x[i] = a * cosines[i] - b * sines[i];
        x[i + half] = b * cosines[i] + a * sines[i];
    }
}

void softmax(float* s, int64_t n) {
    float largest = -INFINITY;
    for (int64_t i = 0; i < n; i++) largest = std::fmax(largest, s[i]);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += s[i] = std::exp(s[i] - largest);
    for (int64_t i = 0; i < n; i++) s[i] = static_cast<float>(s[i] / sum);
}

}  // namespace

void fill_vectors(Table& t) {
    t.rms_norm = rms_norm;
    t.sum_squares = sum_squares;
    t.mean_deviation = mean_deviation;
    t.relu_shift = relu_shift;
    t.gelu_mul = gelu_mul;
    t.gelu = gelu;
    t.silu = silu;
    t.glu = glu;
    t.softcap = softcap;
    t.add = add;
    t.scale = scale;
    t.multiply = multiply;
    t.add_scaled = add_scaled;
    t.sum_scaled = sum_scaled;
    t.mix = mix;
    t.rope = rope;
    t.softmax = softmax;
}

}  // namespace gemma3n::kernels::plain
