#include "synth/fill.h"

#include "base/f16.h"
#include "tensor/blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

namespace gemma3n::synth {

namespace {

uint64_t scramble(uint64_t z) {  // the output function of SplitMix64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

class Random {
public:
    Random(uint64_t seed, std::string_view name, int64_t chunk) {
        uint64_t h = 0xcbf29ce484222325ull;  // FNV-1a
        for (const char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
        state_ = scramble(scramble(scramble(seed) + h) + static_cast<uint64_t>(chunk));
    }
    uint64_t bits() { return scramble(state_ += 0x9E3779B97F4A7C15ull); }

private:
    uint64_t state_;
};

// ---- normal values: the quantiles of the middles of n equal parts, scaled to a deviation of exactly 1 ----

template <size_t n>
std::array<float, n> normal_quantiles() {
    std::array<double, n> z;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double part = (static_cast<double>(i) + 0.5) / n;
        double low = -8, high = 8;
        for (int k = 0; k < 60; k++) {
            const double m = (low + high) / 2;
            (0.5 * std::erfc(-m / M_SQRT2) < part ? low : high) = m;
        }
        z[i] = low;
        sum += z[i] * z[i];
    }
    std::array<float, n> out;
    for (size_t i = 0; i < n; i++) out[i] = static_cast<float>(z[i] / std::sqrt(sum / n));
    return out;
}

const std::array<float, 4096>& normal4096() {
    static const auto table = normal_quantiles<4096>();
    return table;
}

// Normal codes for one random byte each, in -limit..limit, and their root mean square.
struct Codes {
    std::array<int8_t, 256> q;
    double rms;
    Codes(double per_deviation, int limit) {
        const auto z = normal_quantiles<256>();
        double sum = 0;
        for (size_t i = 0; i < 256; i++) {
            q[i] = static_cast<int8_t>(std::clamp(static_cast<int>(std::lround(z[i] * per_deviation)), -limit, limit));
            sum += q[i] * q[i];
        }
        rms = std::sqrt(sum / 256);
    }
};

// A block's scale: d, somewhat different in each block, of root mean square d over all blocks; half of them negative if `either_sign`.
float varied(float d, uint64_t bits, bool either_sign) {
    const float u = static_cast<float>(bits >> 40) * 0x1p-24f;
    const float v = d * (0.8f + 0.4f * u) * 0.99339927f;  // 1 / sqrt(1 + 0.16 / 12)
    return either_sign && (bits & 1) ? -v : v;
}

// The same for blocks of 256 values, few to a row, whose inner scales vary besides.
float slightly_varied(float d, uint64_t bits, bool either_sign) {
    const float u = static_cast<float>(bits >> 40) * 0x1p-24f;
    const float v = d * (0.9f + 0.2f * u) * 0.99833749f;  // 1 / sqrt(1 + 0.04 / 12)
    return either_sign && (bits & 1) ? -v : v;
}

// ---- plain types ----

template <class T, class Round>
void fill_plain(Random& r, double deviation, int64_t n, T* out, Round round) {
    std::array<T, 4096> table;  // 12 random bits a value
    for (size_t i = 0; i < 4096; i++) table[i] = round(static_cast<float>(deviation * normal4096()[i]));
    for (int64_t i = 0; i < n;) {
        uint64_t bits = r.bits();
        for (int k = 0; k < 5 && i < n; k++, bits >>= 12) out[i++] = table[bits & 4095];
    }
}

template <class T, class Round>
void fill_vector(Random& r, const Tensor& t, int64_t n, T* out, Round round) {
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bits = r.bits();
        const double u = static_cast<double>(bits >> 11) * 0x1p-52 - 1;  // [-1, 1)
        const float v = static_cast<float>((t.either_sign && bits & 1 ? -t.scale : t.scale) * (1 + 0.25 * u));
        out[i] = round(v + static_cast<float>(t.offset));
    }
}

template <class T, class Round>
void fill_values(Random& r, const Tensor& t, int64_t n, std::byte* out, Round round) {
    if (t.is_vector()) fill_vector(r, t, n, reinterpret_cast<T*>(out), round);
    else fill_plain(r, t.scale, n, reinterpret_cast<T*>(out), round);
}

// ---- blocks ----

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ4_0* out) {
    static const Codes codes(2.8, 7);
    const float d = static_cast<float>(deviation / codes.rms);
    for (BlockQ4_0* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(varied(d, r.bits(), true));
        for (int i = 0; i < 16;) {
            uint64_t bits = r.bits();
            for (int k = 0; k < 4; k++, bits >>= 16) {
                const int low = codes.q[bits & 255] + 8, high = codes.q[bits >> 8 & 255] + 8;
                b->qs[i++] = static_cast<uint8_t>(low | high << 4);
            }
        }
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ8_0* out) {
    static const Codes codes(42, 127);
    const float d = static_cast<float>(deviation / codes.rms);
    for (BlockQ8_0* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(varied(d, r.bits(), false));
        for (int i = 0; i < 32;) {
            uint64_t bits = r.bits();
            for (int k = 0; k < 8; k++, bits >>= 8) b->qs[i++] = codes.q[bits & 255];
        }
    }
}

// Evenly distributed codes of n levels have this deviation; those around -n/2 .. n/2 - 1 a mean of -1/2, which scales of either sign cancel.
double even_rms(int levels, double mean) { return std::sqrt((static_cast<double>(levels) * levels - 1) / 12 + mean * mean); }

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ5_0* out) {
    const float d = static_cast<float>(deviation / even_rms(32, 0.5));
    for (BlockQ5_0* b = out; b < out + n_blocks; b++) {
        const uint64_t bits = r.bits(), codes[2] = {r.bits(), r.bits()}, fifth = r.bits();
        b->d = f32_to_f16(varied(d, bits, true));
        memcpy(b->qh, &fifth, 4);
        memcpy(b->qs, codes, 16);
    }
}

// Sub-scales 32..63, each minimum equal to its sub-scale.
void fill_k_scales(uint64_t bits, uint8_t (&scales)[12]) {
    uint8_t sc[8];
    for (int j = 0; j < 8; j++, bits >>= 5) sc[j] = static_cast<uint8_t>(32 + (bits & 31));
    for (int j = 0; j < 4; j++) {
        scales[j] = scales[j + 4] = static_cast<uint8_t>(sc[j] | (sc[j + 4] >> 4) << 6);
        scales[j + 8] = static_cast<uint8_t>((sc[j + 4] & 15) | (sc[j + 4] & 15) << 4);
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ4_K* out) {
    // dmin = 7.5 d: every sub-block is centred
    const float d = static_cast<float>(deviation / (even_rms(32, 47.5) * even_rms(16, 0)));
    for (BlockQ4_K* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(varied(d, r.bits(), false));
        b->dmin = f32_to_f16(7.5f * f16_to_f32(b->d));
        fill_k_scales(r.bits(), b->scales);
        for (int i = 0; i < 128; i += 8) {
            const uint64_t codes = r.bits();
            memcpy(b->qs + i, &codes, 8);
        }
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ6_K* out) {
    const float d = static_cast<float>(deviation / (even_rms(64, 95.5) * even_rms(64, 0.5)));  // sub-scales +-(64..127)
    for (BlockQ6_K* b = out; b < out + n_blocks; b++) {
        for (int i = 0; i < 192; i += 8) {  // ql, then qh
            const uint64_t codes = r.bits();
            memcpy(i < 128 ? b->ql + i : b->qh + (i - 128), &codes, 8);
        }
        for (int i = 0; i < 16;) {
            uint64_t bits = r.bits();
            for (int k = 0; k < 8; k++, bits >>= 8) {
                const int scale = 64 + static_cast<int>(bits & 63);
                b->scales[i++] = static_cast<int8_t>(bits & 128 ? -scale : scale);
            }
        }
        b->d = f32_to_f16(varied(d, r.bits(), false));
    }
}

// Types with a minimum of their own: m = -n/2 d, each block is centred.
void fill(Random& r, double deviation, int64_t n_blocks, BlockQ4_1* out) {
    const float d = static_cast<float>(deviation / even_rms(16, 0));
    for (BlockQ4_1* b = out; b < out + n_blocks; b++) {
        const uint64_t bits = r.bits(), codes[2] = {r.bits(), r.bits()};
        b->d = f32_to_f16(varied(d, bits, true));
        b->m = f32_to_f16(-7.5f * f16_to_f32(b->d));
        memcpy(b->qs, codes, 16);
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ5_1* out) {
    const float d = static_cast<float>(deviation / even_rms(32, 0));
    for (BlockQ5_1* b = out; b < out + n_blocks; b++) {
        const uint64_t bits = r.bits(), codes[2] = {r.bits(), r.bits()}, fifth = r.bits();
        b->d = f32_to_f16(varied(d, bits, true));
        b->m = f32_to_f16(-15.5f * f16_to_f32(b->d));
        memcpy(b->qh, &fifth, 4);
        memcpy(b->qs, codes, 16);
    }
}

void random_bytes(Random& r, uint8_t* to, int n) {
    for (int i = 0; i < n; i += 8) {
        const uint64_t bits = r.bits();
        memcpy(to + i, &bits, static_cast<size_t>(std::min(n - i, 8)));
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ2_K* out) {
    const float d = static_cast<float>(deviation / (even_rms(8, 11.5) * even_rms(4, 0)));  // sub-scales 8..15, minimum = sub-scale, dmin = 1.5 d
    for (BlockQ2_K* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(slightly_varied(d, r.bits(), false));
        b->dmin = f32_to_f16(1.5f * f16_to_f32(b->d));
        uint64_t bits = r.bits();
        for (int s = 0; s < 16; s++, bits >>= 3) b->scales[s] = static_cast<uint8_t>((8 + (bits & 7)) * 17);
        random_bytes(r, b->qs, 64);
    }
}

// Six-bit scales of either sign, -32..-17 or 16..31: the four low bits are free, the two high ones equal. The signs cancel what mean the
// codes have.
uint32_t signed_scales_high(uint32_t bits) { return (bits & 0x55555555) * 3; }
double signed_scales_rms() { return even_rms(16, 24); }

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ3_K* out) {
    const float d = static_cast<float>(deviation / (signed_scales_rms() * even_rms(8, 0.5)));
    for (BlockQ3_K* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(slightly_varied(d, r.bits(), true));
        random_bytes(r, b->hmask, 32);
        random_bytes(r, b->qs, 64);
        random_bytes(r, b->scales, 8);
        const uint32_t high = signed_scales_high(static_cast<uint32_t>(r.bits()));
        memcpy(b->scales + 8, &high, 4);
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockQ5_K* out) {
    const float d = static_cast<float>(deviation / (even_rms(32, 47.5) * even_rms(32, 0)));  // scales as in q4_k, dmin = 15.5 d
    for (BlockQ5_K* b = out; b < out + n_blocks; b++) {
        b->d = f32_to_f16(slightly_varied(d, r.bits(), false));
        b->dmin = f32_to_f16(15.5f * f16_to_f32(b->d));
        fill_k_scales(r.bits(), b->scales);
        random_bytes(r, b->qh, 32);
        random_bytes(r, b->qs, 128);
    }
}

// The root mean square of the iq4 codes, evenly drawn.
double iq4_rms() {
    double squares = 0;
    for (const int q : iq4_values) squares += q * q;
    return std::sqrt(squares / 16);
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockIQ4_NL* out) {
    const float d = static_cast<float>(deviation / iq4_rms());
    for (BlockIQ4_NL* b = out; b < out + n_blocks; b++) {
        const uint64_t bits = r.bits();
        b->d = f32_to_f16(varied(d, bits, true));
        random_bytes(r, b->qs, 16);
    }
}

void fill(Random& r, double deviation, int64_t n_blocks, BlockIQ4_XS* out) {
    const float d = static_cast<float>(deviation / (signed_scales_rms() * iq4_rms()));
    for (BlockIQ4_XS* b = out; b < out + n_blocks; b++) {
        const uint64_t bits = r.bits();
        b->d = f32_to_f16(slightly_varied(d, bits, true));
        b->scales_h = static_cast<uint16_t>(signed_scales_high(static_cast<uint32_t>(bits >> 8)));
        random_bytes(r, b->scales_l, 4);
        random_bytes(r, b->qs, 128);
    }
}

template <class Block>
void fill_blocks(Random& r, const Tensor& t, DType type, int64_t n, std::byte* out) {
    fill(r, t.scale, n / info(type).block, reinterpret_cast<Block*>(out));
}

}  // namespace

uint64_t fill_chunk(const Tensor& t, DType type, uint64_t seed, int64_t chunk, std::byte* out) {
    const int64_t n = std::min(chunk_values, t.n_values() - chunk * chunk_values);
    Random r(seed, t.name, chunk);
    switch (type) {
        case DType::f32: fill_values<float>(r, t, n, out, [](float v) { return v; }); break;
        case DType::f16: fill_values<uint16_t>(r, t, n, out, f32_to_f16); break;
        case DType::bf16: fill_values<uint16_t>(r, t, n, out, f32_to_bf16); break;
        case DType::q4_0: fill_blocks<BlockQ4_0>(r, t, type, n, out); break;
        case DType::q5_0: fill_blocks<BlockQ5_0>(r, t, type, n, out); break;
        case DType::q8_0: fill_blocks<BlockQ8_0>(r, t, type, n, out); break;
        case DType::q4_k: fill_blocks<BlockQ4_K>(r, t, type, n, out); break;
        case DType::q6_k: fill_blocks<BlockQ6_K>(r, t, type, n, out); break;
        case DType::q4_1: fill_blocks<BlockQ4_1>(r, t, type, n, out); break;
        case DType::q5_1: fill_blocks<BlockQ5_1>(r, t, type, n, out); break;
        case DType::q2_k: fill_blocks<BlockQ2_K>(r, t, type, n, out); break;
        case DType::q3_k: fill_blocks<BlockQ3_K>(r, t, type, n, out); break;
        case DType::q5_k: fill_blocks<BlockQ5_K>(r, t, type, n, out); break;
        case DType::iq4_nl: fill_blocks<BlockIQ4_NL>(r, t, type, n, out); break;
        case DType::iq4_xs: fill_blocks<BlockIQ4_XS>(r, t, type, n, out); break;
        case DType::i32: case DType::count_: break;  // no weights
    }
    return row_bytes(type, n);
}

}  // namespace gemma3n::synth
