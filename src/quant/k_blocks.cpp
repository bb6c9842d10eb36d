// Super-blocks of 256 values (layouts: tensor/blocks.h): every sub-block has a small whole scale, some a small whole minimum, of a
// scale that the super-block shares. Sub-blocks are fitted alone; then their scales are rounded to whole multiples of the shared one;
// then the values are rounded against what was stored.
#include "quant/quantiser.h"
#include "quant/scale_search.h"

#include "base/f16.h"
#include "tensor/blocks.h"

namespace gemma3n::quant::rows {

namespace {

constexpr int super = 256;

// Rounds a sub-block with the steps that are stored, x = step * q - low; returns the weighted squared error.
template <int n>
float round_to(const float* x, const float* w, float step, float low, int smallest, int largest, float* q) {
    const float inverse = std::fabs(step) > 0 ? 1 / step : 0, lo = static_cast<float>(smallest), hi = static_cast<float>(largest);
    float error[8] = {};
    for (int i = 0; i < n; i += 8) {
        for (int j = 0; j < 8; j++) {
            q[i + j] = std::min(std::max(nearest(inverse * (x[i + j] + low)), lo), hi);
            const float miss = x[i + j] - (step * q[i + j] - low);
            error[j] += w[i + j] * miss * miss;
        }
    }
    return lanes_sum(error);
}

// Sub-blocks of n values, x = d * scale * q - dmin * minimum, q in 0..high, scale and minimum in 0..most.
template <int n>
struct Minimums {
    static constexpr int count = super / n;
    uint16_t d, dmin;  // half bits
    int scale[count], minimum[count];
    int q[super];

    void fit(const float* x, const float* importance, int high, int most) {
        Line line[count];
        float largest = 0, deepest = 0;
        for (int s = 0; s < count; s++) {
            line[s] = line_fit<n>(x + n * s, block_weights(importance, n * s, n), high, true);
            largest = std::max(largest, line[s].scale);
            deepest = std::max(deepest, -line[s].minimum);
        }
        round(line, largest / static_cast<float>(most), deepest / static_cast<float>(most), x, importance, high, most);
        const Minimums first = *this;
        const Line better = refit(x, importance);
        if (!(better.scale > 0)) return;
        round(line, better.scale, better.minimum, x, importance, high, most);
        if (!(error < first.error)) *this = first;
    }

private:
    float error;

    void round(const Line* line, float shared, float shared_minimum, const float* x, const float* importance, int high, int most) {
        d = f32_to_f16(shared);
        dmin = f32_to_f16(shared_minimum);
        error = 0;
        const float of_d = f16_to_f32(d), of_dmin = f16_to_f32(dmin);
        for (int s = 0; s < count; s++) {
            const int near_scale = of_d > 0 ? whole(line[s].scale / of_d, 0, most) : 0, near_minimum = of_dmin > 0 ? whole(-line[s].minimum / of_dmin, 0, most) : 0;
            error += neighbours(s, near_scale, near_minimum, x + n * s, block_weights(importance, n * s, n), high, most);
        }
    }

    // The shared scales that fit best what all values were rounded to: d and dmin, both above zero, or zeros.
    Line refit(const float* x, const float* importance) const {
        double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
        for (int s = 0; s < count; s++) {
            const float* w = block_weights(importance, n * s, n);
            for (int i = 0; i < n; i++) {
                const double a = scale[s] * q[n * s + i], b = -minimum[s], wi = w[i], v = x[n * s + i];
                aa += wi * a * a, ab += wi * a * b, bb += wi * b * b, ax += wi * a * v, bx += wi * b * v;
            }
        }
        const double determinant = aa * bb - ab * ab;
        const Line l{static_cast<float>((bb * ax - ab * bx) / determinant), static_cast<float>((aa * bx - ab * ax) / determinant)};
        return determinant > 0 && l.scale > 0 && l.minimum > 0 ? l : Line{};
    }

    // The rounded scale and minimum are each best alone; together, one beside them may be better.
    float neighbours(int s, int near_scale, int near_minimum, const float* x, const float* w, int high, int most) {
        float best_error = INFINITY, rounded[n];
        for (int a = std::max(near_scale - 1, 0); a <= std::min(near_scale + 1, most); a++) {
            for (int b = std::max(near_minimum - 1, 0); b <= std::min(near_minimum + 1, most); b++) {
                const float error = round_to<n>(x, w, f16_to_f32(d) * static_cast<float>(a), f16_to_f32(dmin) * static_cast<float>(b), 0, high, rounded);
                if (error >= best_error) continue;
                best_error = error;
                scale[s] = a, minimum[s] = b;
                for (int i = 0; i < n; i++) q[n * s + i] = static_cast<int>(rounded[i]);
            }
        }
        return best_error;
    }
};

// Sub-blocks of n values, x = d * scale * q, q in low..high and scale in -most - 1..most.
template <int n>
struct Symmetric {
    static constexpr int count = super / n;
    uint16_t d;  // half bits
    int scale[count];
    int q[super];

    void fit(const float* x, const float* importance, int low, int high, int most) {
        float alone[count];
        for (int s = 0; s < count; s++) alone[s] = symmetric_scale<n>(x + n * s, block_weights(importance, n * s, n), low, high);
        d = f32_to_f16(extreme(alone, count) / static_cast<float>(-most - 1));
        const float of_d = f16_to_f32(d);
        for (int s = 0; s < count; s++) {
            const int near = std::fabs(of_d) > 0 ? whole(alone[s] / of_d, -most - 1, most) : 0;
            float best_error = INFINITY, rounded[n];
            for (int a = std::max(near - 1, -most - 1); a <= std::min(near + 1, most); a++) {
                const float error = round_to<n>(x + n * s, block_weights(importance, n * s, n), of_d * static_cast<float>(a), 0, low, high, rounded);
                if (error >= best_error) continue;
                best_error = error;
                scale[s] = a;
                for (int i = 0; i < n; i++) q[n * s + i] = static_cast<int>(rounded[i]);
            }
        }
    }
};

// Eight six-bit scales and minimums, as Q4_K packs them.
void put_scales(const int* scale, const int* minimum, uint8_t* b) {
    for (int s = 0; s < 4; s++) {
        b[s] = static_cast<uint8_t>(scale[s] | (scale[s + 4] >> 4) << 6);
        b[s + 4] = static_cast<uint8_t>(minimum[s] | (minimum[s + 4] >> 4) << 6);
        b[s + 8] = static_cast<uint8_t>((scale[s + 4] & 15) | (minimum[s + 4] & 15) << 4);
    }
}

// The low nibbles of sub-blocks of 32, two by two, as Q4_K and Q5_K have them.
void put_nibbles(const int* q, uint8_t* qs) {
    for (int j = 0; j < 128; j++) {
        const int* low = q + j / 32 * 64 + j % 32;
        qs[j] = static_cast<uint8_t>((low[0] & 15) | (low[32] & 15) << 4);
    }
}

// The low two bits, as Q2_K and Q3_K have them.
void put_pairs_of_bits(const int* q, uint8_t* qs) {
    for (int h = 0; h < 2; h++) {
        for (int l = 0; l < 32; l++) {
            int byte = 0;
            for (int part = 0; part < 4; part++) byte |= (q[128 * h + 32 * part + l] & 3) << 2 * part;
            qs[32 * h + l] = static_cast<uint8_t>(byte);
        }
    }
}

// Bit `place` of all values, value j in bit j / 32 of byte j % 32.
void put_bit(const int* q, int place, uint8_t* bits) {
    for (int l = 0; l < 32; l++) {
        int byte = 0;
        for (int part = 0; part < 8; part++) byte |= (q[32 * part + l] >> place & 1) << part;
        bits[l] = static_cast<uint8_t>(byte);
    }
}

}  // namespace

void q2_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ2_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Minimums<16> m;
        m.fit(x + i, importance ? importance + i : nullptr, 3, 15);
        b->d = m.d;
        b->dmin = m.dmin;
        for (int s = 0; s < 16; s++) b->scales[s] = static_cast<uint8_t>(m.scale[s] | m.minimum[s] << 4);
        put_pairs_of_bits(m.q, b->qs);
    }
}

void q3_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ3_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Symmetric<16> m;
        m.fit(x + i, importance ? importance + i : nullptr, -4, 3, 31);
        b->d = m.d;
        memset(b->scales, 0, sizeof(b->scales));
        for (int s = 0; s < 16; s++) {
            const int six = m.scale[s] + 32;
            b->scales[s % 8] |= static_cast<uint8_t>((six & 15) << s / 8 * 4);
            b->scales[8 + s % 4] |= static_cast<uint8_t>(six >> 4 << s / 4 * 2);
        }
        for (int& q : m.q) q += 4;
        put_pairs_of_bits(m.q, b->qs);
        put_bit(m.q, 2, b->hmask);
    }
}

void q4_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ4_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Minimums<32> m;
        m.fit(x + i, importance ? importance + i : nullptr, 15, 63);
        b->d = m.d;
        b->dmin = m.dmin;
        put_scales(m.scale, m.minimum, b->scales);
        put_nibbles(m.q, b->qs);
    }
}

void q5_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ5_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Minimums<32> m;
        m.fit(x + i, importance ? importance + i : nullptr, 31, 63);
        b->d = m.d;
        b->dmin = m.dmin;
        put_scales(m.scale, m.minimum, b->scales);
        put_bit(m.q, 4, b->qh);
        put_nibbles(m.q, b->qs);
    }
}

void q6_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ6_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Symmetric<16> m;
        m.fit(x + i, importance ? importance + i : nullptr, -32, 31, 127);
        b->d = m.d;
        for (int s = 0; s < 16; s++) b->scales[s] = static_cast<int8_t>(m.scale[s]);
        for (int h = 0; h < 2; h++) {
            const int* q = m.q + 128 * h;
            for (int l = 0; l < 64; l++) b->ql[64 * h + l] = static_cast<uint8_t>(((q[l] + 32) & 15) | ((q[l + 64] + 32) & 15) << 4);
            for (int l = 0; l < 32; l++) {
                int high = 0;
                for (int part = 0; part < 4; part++) high |= (q[l + 32 * part] + 32) >> 4 << 2 * part;
                b->qh[32 * h + l] = static_cast<uint8_t>(high);
            }
        }
    }
}

}  // namespace gemma3n::quant::rows
