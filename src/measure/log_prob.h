// Rows of logits as log-probabilities. Plain loops that a compiler turns into vectors: a row of 262,144 takes a fraction of a
// millisecond, little beside the pass that made it.
#pragma once

#include <cstdint>
#include <span>

namespace gemma3n::measure {

struct RowSummary {
    float max = 0, min = 0;
    int64_t best = 0;        // the first place of max
    double log_sum_exp = 0;  // NaN or infinite when a logit is not finite
};
RowSummary summarise(std::span<const float> logits);

}  // namespace gemma3n::measure
