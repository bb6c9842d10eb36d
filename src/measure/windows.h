// How a text's ids are cut for a perplexity: windows of n_ctx ids, each with an empty past and <bos> as its first id, of which only
// the later ones, which have a past, are scored.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::measure {

struct WindowPlan {
    int64_t n_ctx = 512;
    int64_t stride = 0;        // 0: windows do not overlap and their second half is scored; else they begin every `stride` ids
                               // and their last `stride` ids are scored
    int64_t max_windows = -1;  // -1 = all
};

struct Window {
    int64_t begin = 0;         // of its n_ctx ids among the text's
    int64_t first = 0;         // the logits of positions [first, n_ctx - 1) are scored, each against the id that follows
};

// Ids left over at the end belong to no window. `name` is the text's, for sentences.
Result<std::vector<Window>> cut_windows(int64_t n_tokens, const WindowPlan& plan, const std::string& name);

}  // namespace gemma3n::measure
