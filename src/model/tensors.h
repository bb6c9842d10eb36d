// Binding a network to a checkpoint: matrices as views into the mapped file, small vectors as f32 of our own. A missing tensor, a wrong
// shape or type is one sentence that names the tensor, what was found and what was expected.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "tensor/view.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace gemma3n::model {

// f32 memory that a network owns: norm vectors, coefficients.
struct OwnedVectors {
    std::deque<std::pair<Buffer, std::vector<float>>> pieces;  // stable addresses
    View add(std::vector<float> values, int64_t rows = 1);
    uint64_t bytes() const;
};

class Tensors {
public:
    // Both must outlive it; the checkpoint and `owned` must outlive the views.
    Tensors(const format::Checkpoint& checkpoint, OwnedVectors& owned) : checkpoint_(checkpoint), owned_(owned) {}

    const std::string& path() const { return checkpoint_.path(); }
    const format::TensorInfo* find(const std::string& name) const { return checkpoint_.find(name); }
    Result<const format::TensorInfo*> need(const std::string& name) const;
    // [rows, cols] as it lies in the file. A convolution of 1 x 1 may have its four dimensions [rows, cols, 1, 1].
    Result<View> matrix(const std::string& name, int64_t rows, int64_t cols) const;
    // n values as f32, owned; the tensor may have dimensions of 1 around them.
    Result<View> vector(const std::string& name, int64_t n);
    // All values of a small tensor of rows * cols values as f32.
    Result<std::vector<float>> values(const format::TensorInfo& t, int64_t rows, int64_t cols) const;

    // Values of a convolution [outer, inner, taps] as [outer, taps, inner]: channels last.
    static std::vector<float> channels_last(const std::vector<float>& file, int64_t outer, int64_t inner, int64_t taps);

    // f32 values that a network made of a tensor's, or in another order than the file's, kept with its vectors.
    View own(std::vector<float> values, int64_t rows = 1) { return owned_.add(std::move(values), rows); }

    Error wrong_shape(const format::TensorInfo& t, int64_t rows, int64_t cols) const;

private:
    const format::Checkpoint& checkpoint_;
    OwnedVectors& owned_;
};

}  // namespace gemma3n::model
