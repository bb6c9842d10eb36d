// Types without blocks: rounding, nothing to search for.
#include "quant/quantiser.h"

#include "base/f16.h"

namespace gemma3n::quant::rows {

void f32(const float* x, int64_t n, const float*, std::byte* out) { memcpy(out, x, static_cast<size_t>(n) * sizeof(float)); }

void f16(const float* x, int64_t n, const float*, std::byte* out) {
    for (int64_t i = 0; i < n; i++) {
        const uint16_t h = f32_to_f16(x[i]);
        memcpy(out + 2 * i, &h, 2);
    }
}

void bf16(const float* x, int64_t n, const float*, std::byte* out) {
    for (int64_t i = 0; i < n; i++) {
        const uint16_t h = f32_to_bf16(x[i]);
        memcpy(out + 2 * i, &h, 2);
    }
}

}  // namespace gemma3n::quant::rows
