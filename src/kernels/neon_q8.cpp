// 8-bit products of armv8-a: bytes multiply to 16 bits, pairs of them add to 32.
#include "kernels/isa.h"
#include "tensor/blocks.h"

#include <arm_neon.h>

namespace gemma3n::kernels::neon {

namespace {

inline int32x4_t dot16(int32x4_t sums, int8x16_t w, int8x16_t a) {
    sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(w), vget_low_s8(a)));
    return vpadalq_s16(sums, vmull_high_s8(w, a));
}

#include "kernels/generic/neon_q8_types.h"

#include "kernels/generic/neon_q8.h"

template <class Type>
void matmul_q8(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte*) {
    matmul_q8_by_tiles<Type>(w, a, y, ldy);
}

#include "kernels/generic/q8_fill.h"

}  // namespace

void fill_q8(Table& t) { t.quantize_q8 = quantize_q8, fill_types(t); }

}  // namespace gemma3n::kernels::neon
