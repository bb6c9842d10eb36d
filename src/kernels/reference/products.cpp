// Quantised and exact products, block by block.
#include "kernels/reference/blocks.h"
#include "kernels/reference/reference.h"

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

template <class T>
constexpr int block = info(T::type).block;

template <class T>
const typename T::Block* blocks_of(const std::byte* row) {
    return reinterpret_cast<const typename T::Block*>(row);
}

template <class T>
void blocks_to_f32(const std::byte* src, int64_t n, float* dst) {
    const auto* b = blocks_of<T>(src);
    for (int64_t i = 0; i < n / block<T>; i++, b++, dst += block<T>) {
        const float d = f16_to_f32(b->d);
        for (int j = 0; j < block<T>; j++) {
            const int s = j / T::per_scale;
            dst[j] = d * static_cast<float>(T::scale(*b, s)) * static_cast<float>(T::q(*b, j));
            if constexpr (T::has_minimum) dst[j] -= T::dmin(*b) * static_cast<float>(T::minimum(*b, s));
        }
    }
}

// Each block is read once, for all activation rows: y gathers the sums.
template <class T>
void matvec_q8(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    constexpr int parts = block<T> / T::per_scale, parts_of_scale = q8_block / T::per_scale;  // an activation's scale covers 1 or 2
    for (int64_t r = 0; r < w.rows; r++) {
        for (int64_t i = 0; i < a.n; i++) y[i * ldy + r] = 0;
        for (int64_t n = 0; n < w.k / block<T>; n++) {
            const auto& b = blocks_of<T>(w.data + static_cast<uint64_t>(r) * w.stride)[n];
            int q[block<T>];
            for (int j = 0; j < block<T>; j++) q[j] = T::scale(b, j / T::per_scale) * T::q(b, j);
            for (int64_t i = 0; i < a.n; i++) {
                const int8_t* x = a.q + i * a.q_stride + n * block<T>;
                const float* scale = a.scale + i * a.scale_stride + n * block<T> / q8_block;
                for (int s = 0; s < parts; s += parts_of_scale) {
                    int sum = 0, low = 0;  // exact
                    for (int j = s * T::per_scale; j < s * T::per_scale + q8_block; j++) {
                        sum += q[j] * x[j];
                        if constexpr (T::has_minimum) low += T::minimum(b, j / T::per_scale) * x[j];
                    }
                    float value = f16_to_f32(b.d) * static_cast<float>(sum);
                    if constexpr (T::has_minimum) value -= T::dmin(b) * static_cast<float>(low);
                    y[i * ldy + r] += value * scale[s / parts_of_scale];
                }
            }
        }
    }
}

template <class T>
void matmul_q8(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte*) {
    matvec_q8<T>(w, a, y, ldy);
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

template <class... T>
void fill(Table& t) {
    ((t.matvec_q8[static_cast<int>(T::type)] = matvec_q8<T>), ...);
    ((t.matmul_q8[static_cast<int>(T::type)] = matmul_q8<T>), ...);
    ((t.to_f32[static_cast<int>(T::type)] = blocks_to_f32<T>), ...);
}

}  // namespace

void fill_products(Table& t) {
    fill<Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS>(t);
    t.to_f32[static_cast<int>(DType::f32)] = f32_to_f32;
    t.to_f32[static_cast<int>(DType::f16)] = f16_to_f32_row;
    t.to_f32[static_cast<int>(DType::bf16)] = bf16_to_f32_row;
    t.quantize_q8 = quantize_q8;
    t.f32_to_f16 = f32_to_f16_row;
    t.matvec_f32 = matmul_f32;
    t.matmul_f32 = matmul_f32;
}

}  // namespace gemma3n::kernels::plain
