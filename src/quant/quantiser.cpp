#include "quant/quantiser.h"

#include <algorithm>
#include <array>

namespace gemma3n::quant {

Quantiser quantiser(DType type) {
    switch (type) {
        case DType::f32: return rows::f32;
        case DType::f16: return rows::f16;
        case DType::bf16: return rows::bf16;
        case DType::q4_0: return rows::q4_0;
        case DType::q4_1: return rows::q4_1;
        case DType::q5_0: return rows::q5_0;
        case DType::q5_1: return rows::q5_1;
        case DType::q8_0: return rows::q8_0;
        case DType::q2_k: return rows::q2_k;
        case DType::q3_k: return rows::q3_k;
        case DType::q4_k: return rows::q4_k;
        case DType::q5_k: return rows::q5_k;
        case DType::q6_k: return rows::q6_k;
        case DType::iq4_nl: return rows::iq4_nl;
        case DType::iq4_xs: return rows::iq4_xs;
        case DType::i32:
        case DType::count_: return nullptr;
    }
    return nullptr;
}

const float* block_weights(const float* importance, int64_t first, int n) {
    static constexpr auto ones = [] {
        std::array<float, 256> a{};
        for (float& v : a) v = 1;
        return a;
    }();
    if (!importance) return ones.data();
    const float* w = importance + first;
    return std::any_of(w, w + n, [](float v) { return v > 0; }) ? w : ones.data();
}

}  // namespace gemma3n::quant
