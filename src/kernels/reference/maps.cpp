// Maps of features in plain arithmetic; sums in double.
#include "kernels/reference/reference.h"

namespace gemma3n::kernels::plain {

namespace {

void depthwise(const DepthwiseRow& s, const float* const* rows, const float* w, float* y) {
    for (int64_t x = 0; x < s.outputs; x++) {
        for (int64_t c = 0; c < s.channels; c++) {
            double sum = 0;
            for (int ky = 0; ky < s.kernel; ky++) {
                for (int kx = 0; kx < s.kernel; kx++) {
                    const int64_t from = x * s.stride - s.before + kx;
                    if (!rows[ky] || from < 0 || from >= s.inputs) continue;
                    sum += static_cast<double>(w[(ky * s.kernel + kx) * s.channels + c]) * rows[ky][from * s.channels + c];
                }
            }
            y[x * s.channels + c] = static_cast<float>(sum);
        }
    }
}

}  // namespace

void fill_maps(Table& t) { t.depthwise = depthwise; }

}  // namespace gemma3n::kernels::plain
