// How a projector file stores each tensor, by the name people give the mix.
#pragma once

#include "format/mix.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace gemma3n::format {

struct ProjectorTensor {
    DType type;
    std::vector<int64_t> shape;  // outermost first, as it is declared
    int64_t row_values;          // what is converted together: a row of a matrix
    bool is_matrix;              // a linear layer, or a convolution of 1 x 1
};

// `name` is canonical, `shape` the one of any source. As llama.cpp's converter has it: vectors, the stem and audio's convolutions are f32,
// all else has the mix's type; scales and the stem's bias have four dimensions, [1, C, 1, 1]. In a quantised mix matrices are quantised, with
// two dimensions [rows, columns] (blocks lie in rows of columns); where a row is no multiple of 32, and for other convolutions and the tables
// of marks, the type is f16.
ProjectorTensor in_projector(Mix mix, std::string_view name, const std::vector<int64_t>& shape);

// The same with a type that somebody chose for this matrix.
ProjectorTensor in_projector(DType type, std::string_view name, const std::vector<int64_t>& shape);

}  // namespace gemma3n::format
