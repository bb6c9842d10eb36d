// --stats: what an answer took, on standard error.
#pragma once

#include "gemma3n/engine.h"

#include <cstdint>

namespace gemma3n::cli {

void print_stats(const Answer& a, const ModelInfo& m, uint64_t seed);
// The same in a line. `encode_s`: what pictures and sound took before the prompt was read; they count to the first token.
void print_short_stats(const Answer& a, double encode_s);

}  // namespace gemma3n::cli
