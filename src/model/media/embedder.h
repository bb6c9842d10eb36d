// embed_vision and embed_audio: from a tower's rows to input vectors of the text network. Both are the same four tensors.
//
//   soft(x) = RMS(W RMS(x; soft_embedding_norm)),  hard(i) = RMS(W RMS(embedding[i]; hard_embedding_norm)); the outer norm has no weight.
// The result stands in a prompt as it is: it is not multiplied by sqrt(hidden).
#pragma once

#include "model/tensors.h"
#include "ops/context.h"

#include <span>
#include <string>

namespace gemma3n::model {

class Embedder {
public:
    // `prefix` is "embed_vision." or "embed_audio."; `width` the tower's, `hidden` the text network's.
    static Result<Embedder> bind(Tensors& tensors, const std::string& prefix, int64_t width, int64_t hidden, float eps);

    int64_t vocab() const { return embedding_.n_rows; }
    int64_t width() const { return embedding_.n_cols; }
    double multiplications() const { return static_cast<double>(projection_.n_rows) * static_cast<double>(projection_.n_cols); }  // of a row

    // x [n, width] f32, overwritten; out [n, hidden] f32.
    void soft(Context& c, View x, View out) const;
    // Rows of the table of marks, [rows.size(), hidden]. Rows lie in [0, vocab()).
    void hard(Context& c, std::span<const int64_t> rows, View out) const;

private:
    void project(Context& c, View x, View norm, View out) const;
    View embedding_;             // [vocab, width], any plain type
    View hard_norm_, soft_norm_; // [width]
    View projection_;            // [hidden, width]
    float eps_ = 0;
};

}  // namespace gemma3n::model
