// How fast this machine reads weights as a decode step does: the head's product with one row, timed.
#pragma once

#include "base/result.h"
#include "gemma3n/options.h"
#include "kernels/table.h"
#include "model/weights.h"

namespace gemma3n::runtime {

// Bytes of weights a second, the best of three runs after one that brings the head into memory.
Result<double> read_speed(const EngineOptions& options, const model::Weights& weights, int n_threads);

// The kernels that the options name, or the best that this CPU runs.
Result<const kernels::Table*> choose_kernels(const std::string& name);

}  // namespace gemma3n::runtime
