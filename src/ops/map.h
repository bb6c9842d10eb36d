// A map of features: pixels are rows, channels last, so that a convolution of 1 x 1 is a matrix product.
#pragma once

#include "tensor/view.h"

namespace gemma3n::ops {

struct Map {
    View values;                    // [held rows * width, channels] f32
    int64_t height = 0, width = 0;  // of the whole map
    int64_t first = 0;              // row of the map that values start with: a band holds only some of the rows

    int64_t channels() const { return values.n_cols; }
    int64_t pixels() const { return height * width; }
    float* row(int64_t y) const { return values.f32((y - first) * width); }
    View rows(int64_t y, int64_t n) const { return values.rows((y - first) * width, n * width); }
};

// Padding "same": the output has ceil(n / stride) places, and of the zeros that this takes the smaller half stands before the input.
struct Window {
    int64_t kernel = 1, stride = 1;

    int64_t outputs(int64_t n) const { return (n + stride - 1) / stride; }
    int64_t before(int64_t n) const {
        const int64_t total = (outputs(n) - 1) * stride + kernel - n;
        return total > 0 ? total / 2 : 0;
    }
};

}  // namespace gemma3n::ops
