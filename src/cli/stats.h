// --stats: what an answer took, on standard error.
#pragma once

#include "gemma3n/engine.h"

#include <cstdint>

namespace gemma3n::cli {

void print_stats(const Answer& a, const ModelInfo& m, uint64_t seed);

}  // namespace gemma3n::cli
