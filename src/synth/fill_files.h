// Fills tensors into open files, with several threads.
#pragma once

#include "base/output_file.h"
#include "synth/synth.h"

#include <vector>

namespace gemma3n::synth {

// Where a tensor's data goes.
struct Place {
    const Tensor* tensor;
    DType type;
    OutputFile* file;
    uint64_t offset;
};

Status fill_files(const std::vector<Place>& places, const std::string& path, const Options& options);

}  // namespace gemma3n::synth
