// Checkpoints of true shapes and random weights, for tests and benchmarks without a download.
//
// The bytes depend on shape, mix and seed alone, not on the number of threads. Memory stays at a few MB a thread, whatever the size.
// A failed or cancelled call leaves nothing behind.
#pragma once

#include "base/result.h"
#include "format/mix.h"
#include "synth/tensors.h"

#include <functional>
#include <string>
#include <vector>

namespace gemma3n::synth {

struct Options {
    uint64_t seed = 1;
    int threads = 2;
    std::function<bool(double fraction)> progress;  // false cancels; may be empty
    bool towers = false;  // with vision and audio: in the directory, or as a projector file beside the GGUF file
};

// A tensor of a GGUF file: one of the network's, or several of one shape, stacked.
struct GgufTensor {
    std::string name;
    DType type;
    std::vector<int64_t> shape;  // outermost first
    std::vector<Tensor> parts;
};
std::vector<GgufTensor> gguf_tensors(const Shape& shape, format::Mix mix);

std::vector<GgufTensor> projector_tensors(const Shape& shape, format::Mix mix);

// With towers also the projector file, mmproj-NAME beside NAME.
Status write_gguf(const Shape& shape, format::Mix mix, const std::string& path, const Options& options);

// config.json, tokenizer.json and safetensors files of 5 GB at most where tensors allow it. `mix` is f32, f16 or bf16; `path` is not there yet, or
// an empty directory.
Status write_hf(const Shape& shape, format::Mix mix, const std::string& path, const Options& options);

}  // namespace gemma3n::synth
