// The search for the scale (and minimum) of a block: which numbers d, m make d * q + m closest to its values, in the sense of least
// weighted squares, when q is whole and bounded. For a given rounding of the values to whole numbers the best d and m have a closed
// form; the search tries some twenty roundings around the one that stretches the block over the whole range of q.
//
// Sums run in eight lanes whose order is fixed, so the result depends on the block alone.
#pragma once

#include <algorithm>
#include <cmath>

namespace gemma3n::quant {

// To the nearest whole number, halves to even: what lies beyond the point falls off the end of the mantissa. For |x| < 2^22.
inline float nearest(float x) { return (x + 12582912.0f) - 12582912.0f; }

inline int whole(float x, int low, int high) { return static_cast<int>(std::min(std::max(nearest(x), static_cast<float>(low)), static_cast<float>(high))); }

inline float lanes_sum(const float (&s)[8]) { return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])); }

// The value of largest magnitude.
inline float extreme(const float* x, int n) {
    float e = 0;
    for (int i = 0; i < n; i++)
        if (std::fabs(x[i]) > std::fabs(e)) e = x[i];
    return e;
}

constexpr float smallest_range = 1e-30f;  // blocks no larger are zeros: their inverse would leave the range of f32

// d of x = d * q, q in low..high (low = -high - 1). `steps` roundings on either side, a tenth apart. 0 for a block of zeros.
template <int n>
float symmetric_scale(const float* x, const float* w, int low, int high, int steps = 9) {
    const float e = extreme(x, n);
    if (std::fabs(e) < smallest_range) return 0;
    const float lo = static_cast<float>(low), hi = static_cast<float>(high);
    float best = 0, best_gain = -1;
    for (int s = -steps; s <= steps; s++) {
        const float inverse = (lo + 0.1f * static_cast<float>(s)) / e;
        float sxq[8] = {}, sqq[8] = {};
        for (int i = 0; i < n; i += 8) {
            for (int j = 0; j < 8; j++) {
                const float q = std::min(std::max(nearest(inverse * x[i + j]), lo), hi), wq = w[i + j] * q;
                sxq[j] += wq * x[i + j];
                sqq[j] += wq * q;
            }
        }
        const float xq = lanes_sum(sxq), qq = lanes_sum(sqq);
        if (qq > 0 && xq * xq > best_gain * qq) {  // the error is sum w x^2 - xq^2 / qq
            best_gain = xq * xq / qq;
            best = xq / qq;
        }
    }
    return best;
}

struct Line {
    float scale = 0, minimum = 0;  // x = scale * q + minimum
};

// Scale and minimum for q in 0..high. `never_above_zero`: types that store the minimum as something to subtract.
template <int n>
Line line_fit(const float* x, const float* w, int high, bool never_above_zero) {
    float low = x[0], top = x[0], sw8[8] = {}, sx8[8] = {};
    for (int i = 0; i < n; i++) low = std::min(low, x[i]), top = std::max(top, x[i]);
    if (never_above_zero) low = std::min(low, 0.0f);
    if (top - low < smallest_range) return {0, low};
    for (int i = 0; i < n; i += 8)
        for (int j = 0; j < 8; j++) sw8[j] += w[i + j], sx8[j] += w[i + j] * x[i + j];
    const float sw = lanes_sum(sw8), sx = lanes_sum(sx8), hi = static_cast<float>(high);
    Line best{(top - low) / hi, low};
    float best_error = INFINITY;  // less sum w x^2, which is the same for all
    for (int s = -10; s <= 10; s++) {
        const float inverse = (hi + 0.1f * static_cast<float>(s)) / (top - low);
        float sq8[8] = {}, sqq8[8] = {}, sxq8[8] = {};
        for (int i = 0; i < n; i += 8) {
            for (int j = 0; j < 8; j++) {
                const float q = std::min(nearest(inverse * (x[i + j] - low)), hi), wq = w[i + j] * q;
                sq8[j] += wq;
                sqq8[j] += wq * q;
                sxq8[j] += wq * x[i + j];
            }
        }
        const float sq = lanes_sum(sq8), sqq = lanes_sum(sqq8), sxq = lanes_sum(sxq8), determinant = sw * sqq - sq * sq;
        Line l{(sw * sxq - sx * sq) / determinant, (sqq * sx - sq * sxq) / determinant};
        if (!(determinant > 0)) l = {1 / inverse, (sx - sq / inverse) / sw};  // all the weight is on one q: any line through it is best
        if (never_above_zero && l.minimum > 0) l = {sxq / sqq, 0};
        const float error = l.scale * (l.scale * sqq - 2 * sxq) + l.minimum * (l.minimum * sw - 2 * sx + 2 * l.scale * sq);
        if (l.scale > 0 && error < best_error) best = l, best_error = error;
    }
    return best;
}

}  // namespace gemma3n::quant
