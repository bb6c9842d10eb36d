// A slice of a model as a model of its own: a GGUF file or a Hugging Face directory from either, tensor by tensor, without re-quantising.
// Memory and threads as in quantise.h; the same slice of the same file gives the same bytes. A failed or cancelled call leaves nothing behind.
#pragma once

#include "base/result.h"
#include "quant/quantise.h"

#include <string>

namespace gemma3n::quant {

struct SliceOptions {
    std::string to;            // the slice, as model::find_slice takes it
    bool dequantise = false;   // what is quantised becomes bf16, for a directory
    int threads = 2;
    std::function<bool(double fraction)> progress;          // false cancels; may be empty
    std::function<void(const std::string& sentence)> note;  // what the person should know; may be empty
};

// `output` ends in .gguf, or is a directory that is not there yet.
Status slice(const std::string& input, const std::string& output, const SliceOptions& options);

}  // namespace gemma3n::quant
