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
        d = f32_to_f16(largest / static_cast<float>(most));
        dmin = f32_to_f16(deepest / static_cast<float>(most));
        const float of_d = f16_to_f32(d), of_dmin = f16_to_f32(dmin);
        for (int s = 0; s < count; s++) {
            scale[s] = of_d > 0 ? whole(line[s].scale / of_d, 0, most) : 0;
            minimum[s] = of_dmin > 0 ? whole(-line[s].minimum / of_dmin, 0, most) : 0;
            const float step = of_d * static_cast<float>(scale[s]), low = of_dmin * static_cast<float>(minimum[s]), inverse = step > 0 ? 1 / step : 0;
            for (int i = n * s; i < n * (s + 1); i++) q[i] = whole(inverse * (x[i] + low), 0, high);
        }
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
            scale[s] = std::fabs(of_d) > 0 ? whole(alone[s] / of_d, -most - 1, most) : 0;
            const float step = of_d * static_cast<float>(scale[s]), inverse = std::fabs(step) > 0 ? 1 / step : 0;
            for (int i = n * s; i < n * (s + 1); i++) q[i] = whole(inverse * x[i], low, high);
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

}  // namespace

void q4_k(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockQ4_K*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        Minimums<32> m;
        m.fit(x + i, importance ? importance + i : nullptr, 15, 63);
        b->d = m.d;
        b->dmin = m.dmin;
        put_scales(m.scale, m.minimum, b->scales);
        for (int j = 0; j < 128; j++) {
            const int* q = m.q + j / 32 * 64 + j % 32;
            b->qs[j] = static_cast<uint8_t>(q[0] | q[32] << 4);
        }
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
