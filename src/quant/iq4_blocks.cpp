// Blocks whose nibbles stand for the sixteen numbers of iq4_values, close together near zero (layouts: tensor/blocks.h). A scale is
// searched as in scale_search.h, among roundings to those numbers; they reach further down than up, so the value of largest magnitude
// is tried at either end, with a negative scale at one of them.
#include "quant/quantiser.h"
#include "quant/scale_search.h"

#include "base/f16.h"
#include "tensor/blocks.h"

#include <array>

namespace gemma3n::quant::rows {

namespace {

constexpr int block = 32, super = 256, count = super / block;
constexpr float lowest = iq4_values[0], highest = iq4_values[15];

// Place of the nearest number for every half step from -128 to 127.5. The middles between numbers are whole or half, so that all of a
// half step has the same nearest.
constexpr auto nearest_place = [] {
    std::array<uint8_t, 512> places{};
    int place = 0;
    for (int i = 0; i < 512; i++) {
        const int half_steps = i - 256;
        while (place < 15 && half_steps >= iq4_values[place] + iq4_values[place + 1]) place++;
        places[static_cast<size_t>(i)] = static_cast<uint8_t>(place);
    }
    return places;
}();

int place_of(float v) { return nearest_place[static_cast<size_t>(static_cast<int>(2 * (std::min(std::max(v, lowest), highest) + 128)))]; }

// d of x = d * number. 0 for a block of zeros.
float search(const float* x, const float* w) {
    const float e = extreme(x, block);
    if (std::fabs(e) < smallest_range) return 0;
    float best = 0, best_gain = -1;
    for (const float end : {lowest, highest}) {
        for (int s = -12; s <= 12; s++) {
            const float inverse = end * (1 + 0.02f * static_cast<float>(s)) / e;
            float sxq[8] = {}, sqq[8] = {};
            for (int i = 0; i < block; i += 8) {
                for (int j = 0; j < 8; j++) {
                    const float q = iq4_values[place_of(inverse * x[i + j])], wq = w[i + j] * q;
                    sxq[j] += wq * x[i + j];
                    sqq[j] += wq * q;
                }
            }
            const float xq = lanes_sum(sxq), qq = lanes_sum(sqq);
            if (qq > 0 && xq * xq > best_gain * qq) {
                best_gain = xq * xq / qq;
                best = xq / qq;
            }
        }
    }
    return best;
}

// Rounds a block with the scale that is stored; returns the weighted squared error.
float round_to(const float* x, const float* w, float d, uint8_t* places) {
    const float inverse = std::fabs(d) > 0 ? 1 / d : 0;
    float error[8] = {};
    for (int i = 0; i < block; i += 8) {
        for (int j = 0; j < 8; j++) {
            const int place = place_of(inverse * x[i + j]);
            const float miss = x[i + j] - d * iq4_values[place];
            places[i + j] = static_cast<uint8_t>(place);
            error[j] += w[i + j] * miss * miss;
        }
    }
    return lanes_sum(error);
}

void put_nibbles(const uint8_t* places, uint8_t* qs) {
    for (int j = 0; j < 16; j++) qs[j] = static_cast<uint8_t>(places[j] | places[j + 16] << 4);
}

}  // namespace

void iq4_nl(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockIQ4_NL*>(out);
    for (int64_t i = 0; i < n; i += block, b++) {
        const float* w = block_weights(importance, i, block);
        uint8_t places[block];
        b->d = f32_to_f16(search(x + i, w));
        round_to(x + i, w, f16_to_f32(b->d), places);
        put_nibbles(places, b->qs);
    }
}

// Eight scales of six bits, whole multiples of the shared one, -32..31; the rounded one or a neighbour, whichever leaves less.
void iq4_xs(const float* x, int64_t n, const float* importance, std::byte* out) {
    auto* b = reinterpret_cast<BlockIQ4_XS*>(out);
    for (int64_t i = 0; i < n; i += super, b++) {
        float alone[count];
        for (int s = 0; s < count; s++) alone[s] = search(x + i + block * s, block_weights(importance, i + block * s, block));
        b->d = f32_to_f16(extreme(alone, count) / -32);
        b->scales_h = 0;
        memset(b->scales_l, 0, sizeof(b->scales_l));
        const float d = f16_to_f32(b->d);
        for (int s = 0; s < count; s++) {
            const float *xs = x + i + block * s, *w = block_weights(importance, i + block * s, block);
            const int near = std::fabs(d) > 0 ? whole(alone[s] / d, -32, 31) : 0;
            int scale = 0;
            float best_error = INFINITY;
            uint8_t places[block];
            for (int a = std::max(near - 1, -32); a <= std::min(near + 1, 31); a++) {
                const float error = round_to(xs, w, d * static_cast<float>(a), places);
                if (error >= best_error) continue;
                best_error = error;
                scale = a;
                put_nibbles(places, b->qs + 16 * s);
            }
            const int six = scale + 32;
            b->scales_l[s / 2] |= static_cast<uint8_t>((six & 15) << s % 2 * 4);
            b->scales_h = static_cast<uint16_t>(b->scales_h | six >> 4 << 2 * s);
        }
    }
}

}  // namespace gemma3n::quant::rows
