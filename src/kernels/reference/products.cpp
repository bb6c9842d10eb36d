// Quantised and exact products, block by block.
#include "kernels/reference/reference.h"

#include "base/f16.h"

#include <cmath>

namespace gemma3n::kernels::plain {

namespace {

void quantize_q8(const float* x, int64_t k, int8_t* q, float* scale, int16_t* sum) {
    const int64_t blocks = k / q8_block;
    for (int64_t b = 0; b < blocks; b++) {
        float largest = 0;
        for (int i = 0; i < q8_block; i++) {
            const float magnitude = std::fabs(x[b * q8_block + i]);
            if (!(magnitude <= largest) && !std::isnan(largest)) largest = magnitude;
        }
        const bool usable = largest > q8_dust && std::isfinite(largest);
        const float inverse = usable ? 127.0f / largest : 0;
        scale[b] = largest / 127.0f;
        for (int half = 0; half < 2; half++) {
            int total = 0;
            for (int i = 0; i < 16; i++) {
                const int64_t at = b * q8_block + half * 16 + i;
                q[at] = usable ? static_cast<int8_t>(std::nearbyint(x[at] * inverse)) : int8_t{0};  // to even on ties
                total += q[at];
            }
            sum[2 * b + half] = static_cast<int16_t>(total);
        }
    }
    for (int64_t i = k; i < (k + 63) / 64 * 64; i++) q[i] = 0;
    for (int64_t b = blocks; b < (blocks + 15) / 16 * 16; b++) scale[b] = 0;
    for (int64_t b = 2 * blocks; b < (2 * blocks + 31) / 32 * 32; b++) sum[b] = 0;
}

// One block's share of a dot product: weights block `w`, activations from value `at` on.
struct Activations {
    const int8_t* q;
    const float* scale;
};

float dot_block(const BlockQ4_0& w, Activations a) {
    int sum = 0;
    for (int j = 0; j < 16; j++) sum += ((w.qs[j] & 15) - 8) * a.q[j] + ((w.qs[j] >> 4) - 8) * a.q[j + 16];
    return f16_to_f32(w.d) * a.scale[0] * static_cast<float>(sum);
}

float dot_block(const BlockQ5_0& w, Activations a) {
    int sum = 0;
    uint32_t high;
    memcpy(&high, w.qh, 4);
    for (int j = 0; j < 16; j++) {
        sum += (static_cast<int>((w.qs[j] & 15) | ((high >> j & 1) << 4)) - 16) * a.q[j];
        sum += (static_cast<int>((w.qs[j] >> 4) | ((high >> (j + 16) & 1) << 4)) - 16) * a.q[j + 16];
    }
    return f16_to_f32(w.d) * a.scale[0] * static_cast<float>(sum);
}

float dot_block(const BlockQ8_0& w, Activations a) {
    int sum = 0;
    for (int j = 0; j < 32; j++) sum += w.qs[j] * a.q[j];
    return f16_to_f32(w.d) * a.scale[0] * static_cast<float>(sum);
}

float dot_block(const BlockQ4_K& w, Activations a) {
    const float d = f16_to_f32(w.d), dmin = f16_to_f32(w.dmin);
    float total = 0;
    for (int j = 0; j < 8; j++) {
        int scale, minimum, sum = 0, plain_sum = 0;
        q4_k_scale(w, j, &scale, &minimum);
        for (int k = 0; k < 32; k++) {
            const uint8_t q = w.qs[32 * (j / 2) + k];
            sum += (j % 2 ? q >> 4 : q & 15) * a.q[32 * j + k];
            plain_sum += a.q[32 * j + k];
        }
        total += a.scale[j] * (d * static_cast<float>(scale * sum) - dmin * static_cast<float>(minimum * plain_sum));
    }
    return total;
}

float dot_block(const BlockQ6_K& w, Activations a) {
    float total = 0;
    for (int b = 0; b < 8; b++) {
        int sum = 0;
        for (int k = 0; k < 32; k++) sum += w.scales[2 * b + k / 16] * q6_k_value(w, 32 * b + k) * a.q[32 * b + k];
        total += a.scale[b] * static_cast<float>(sum);
    }
    return f16_to_f32(w.d) * total;
}

template <class Block, int block>
void matvec_q8(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    for (int64_t i = 0; i < a.n; i++) {
        for (int64_t r = 0; r < w.rows; r++) {
            const auto* row = reinterpret_cast<const Block*>(w.data + static_cast<uint64_t>(r) * w.stride);
            float sum = 0;
            for (int64_t b = 0; b < w.k / block; b++) {
                sum += dot_block(row[b], {a.q + i * a.q_stride + b * block, a.scale + i * a.scale_stride + b * block / q8_block});
            }
            y[i * ldy + r] = sum;
        }
    }
}

template <class Block, int block>
void matmul_q8(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte*) {
    matvec_q8<Block, block>(w, a, y, ldy);
}

void matmul_f32(const Weights& w, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy, std::byte* scratch) {
    auto* row = reinterpret_cast<float*>(scratch);
    for (int64_t r = 0; r < w.rows; r++) {
        reference().to_f32[static_cast<int>(w.type)](w.data + static_cast<uint64_t>(r) * w.stride, w.k, row);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < w.k; j++) sum += static_cast<double>(row[j]) * x[i * ldx + j];
            y[i * ldy + r] = static_cast<float>(sum);
        }
    }
}

template <class Block, int block>
void fill(Table& t, DType type, void (*to_f32)(const std::byte*, int64_t, float*)) {
    t.matvec_q8[static_cast<int>(type)] = matvec_q8<Block, block>;
    t.matmul_q8[static_cast<int>(type)] = matmul_q8<Block, block>;
    t.to_f32[static_cast<int>(type)] = to_f32;
}

}  // namespace

void fill_products(Table& t) {
    fill<BlockQ4_0, 32>(t, DType::q4_0, q4_0_to_f32);
    fill<BlockQ5_0, 32>(t, DType::q5_0, q5_0_to_f32);
    fill<BlockQ8_0, 32>(t, DType::q8_0, q8_0_to_f32);
    fill<BlockQ4_K, 256>(t, DType::q4_k, q4_k_to_f32);
    fill<BlockQ6_K, 256>(t, DType::q6_k, q6_k_to_f32);
    t.to_f32[static_cast<int>(DType::f32)] = f32_to_f32;
    t.to_f32[static_cast<int>(DType::f16)] = f16_to_f32_row;
    t.to_f32[static_cast<int>(DType::bf16)] = bf16_to_f32_row;
    t.quantize_q8 = quantize_q8;
    t.f32_to_f16 = f32_to_f16_row;
    t.matvec_f32 = matmul_f32;
    t.matmul_f32 = matmul_f32;
}

}  // namespace gemma3n::kernels::plain
