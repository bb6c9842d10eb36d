// The tensors of a network of some shape, with the scale of their random values.
//
// A random network must not be chaotic, or its f32 results are noise: what a layer adds to the stream is half of what is there, AltUp's
// coefficients and routers are modest, attention scores have a deviation of 1.5, logits one of 6.
#pragma once

#include "format/checkpoint.h"
#include "synth/shape.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::synth {

struct Tensor {
    std::string name;            // canonical
    std::vector<int64_t> shape;  // outermost first
    // A matrix has zero mean and this standard deviation, 1 / sqrt(columns) unless there is a reason. A vector has values from
    // 0.75 to 1.25 times it, of either sign if so said, plus `offset`.
    double scale = 1;
    double offset = 0;
    bool either_sign = false;

    bool is_vector() const { return shape.size() == 1; }
    int64_t cols() const { return shape.back(); }
    int64_t n_values() const {
        int64_t n = 1;
        for (const int64_t d : shape) n *= d;
        return n;
    }
};

// A GGUF file has text_vocab rows in both tables and 1 + w for the norms of gemma3; a Hugging Face directory `vocab` rows, and w.
std::vector<Tensor> tensors(const Shape& shape, format::Container container);

}  // namespace gemma3n::synth
