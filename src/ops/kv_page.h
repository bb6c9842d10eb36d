// A page of keys and values: the tokens [index * page_tokens, (index + 1) * page_tokens) of one layer of one sequence, laid out
// [2 (K, V)][n_kv_heads][page_tokens][head_dim]. The element type is the page's own. Who owns pages, and when they are shared or
// freed, is model/cache's business.
#pragma once

#include "tensor/view.h"

#include <span>

namespace gemma3n::ops {

struct KvShape {
    int64_t page_tokens = 0, n_kv_heads = 0, head_dim = 0;
    int64_t values() const { return 2 * n_kv_heads * page_tokens * head_dim; }
};

struct KvPage {
    KvShape shape;
    DType type = DType::f16;  // f16 or f32
    Buffer buffer;

    std::byte* at(int which, int64_t head, int64_t token) const {
        const int64_t i = ((which * shape.n_kv_heads + head) * shape.page_tokens + token) * shape.head_dim;
        return buffer.data + i * info(type).bytes;
    }
    std::byte* key(int64_t head, int64_t token) const { return at(0, head, token); }
    std::byte* value(int64_t head, int64_t token) const { return at(1, head, token); }
};

// The pages of one layer of one sequence that are still held: pages[i] has index first + i.
struct KvPages {
    std::span<const KvPage* const> pages;
    int64_t first = 0;
    const KvPage& page(int64_t index) const { return *pages[index - first]; }
};

}  // namespace gemma3n::ops
