// Causal attention over pages, global or windowed, with grouped query heads.
#pragma once

#include "ops/context.h"
#include "ops/kv_page.h"

#include <span>

namespace gemma3n::ops {

// The rows of a step as attention sees them. Rows of one sequence stand together in ascending positions.
struct StepRows {
    std::span<const int64_t> position;  // [n]
    std::span<const int32_t> sequence;  // [n], index into the list of KvPages
    int64_t n() const { return static_cast<int64_t>(position.size()); }
};

inline constexpr int64_t max_head_dim = 4096;  // of a cache in q8_0, whose head_dim is a multiple of 32

struct AttentionShape {
    int64_t n_heads = 0, n_kv_heads = 0, head_dim = 0;
    int64_t window = 0;  // keys that a query sees, itself included; 0 = all before it
    float scale = 1;     // of the scores
};

// out[r] = softmax(scale * q[r] . K) V per head, over the pages of row r's sequence up to its own position.
// q, out: [n, n_heads * head_dim]; out may not be q. Each query's result is independent of the rows that ride along.
void attention(Context& c, const AttentionShape& shape, const StepRows& rows, std::span<const KvPages> kv, View q, View out);

// The same on paper: n rows, the last of which sees `keys` keys if no window bounds them. No less than what attention takes.
void plan_attention(ScratchPlan& p, const AttentionShape& shape, int64_t n, int64_t keys, int64_t page_tokens);

// Writes keys and values of the rows into their pages, rounded to the pages' type. k, v: [n, n_kv_heads * head_dim].
void store_kv(Context& c, const StepRows& rows, std::span<const KvPages> kv, View k, View v);

}  // namespace gemma3n::ops
