// Scratch of one forward pass on paper, for plans of memory: no less than what the pass takes from its arena.
#pragma once

#include "model/config.h"
#include "model/slice.h"
#include "model/weights.h"

namespace gemma3n::model {

struct StepShape {
    int64_t rows = 1;
    int64_t wanted = 1;       // rows whose logits are wanted
    int64_t context = 1;      // keys that the last row sees, itself included
    int64_t page_tokens = 64; // of the cache
    int n_threads = 1;
    bool exact = false;       // as Context's
};
uint64_t step_scratch_bytes(const Config& config, const Weights& weights, const Slice& slice, const StepShape& shape);

}  // namespace gemma3n::model
