// A page of keys and values: the tokens [index * page_tokens, (index + 1) * page_tokens) of one layer of one sequence, laid out
// [2 (K, V)][n_kv_heads][page_tokens][head_dim]. The element type is the page's own; a row of head_dim values of q8_0 is whole blocks of it. Who owns pages, and when they are shared or
// freed, is model/cache's business.
#pragma once

#include "tensor/view.h"

#include <span>

namespace gemma3n::ops {

struct KvShape {
    int64_t page_tokens = 0, n_kv_heads = 0, head_dim = 0;
    uint64_t bytes(DType type) const { return static_cast<uint64_t>(2 * n_kv_heads * page_tokens) * row_bytes(type, head_dim); }
};

struct KvPage {
    KvShape shape;
    DType type = DType::f16;  // f32, f16 or q8_0
    Buffer buffer;

    uint64_t head_bytes() const { return row_bytes(type, shape.head_dim); }  // of one token in one head

    std::byte* at(int which, int64_t head, int64_t token) const {
        return buffer.data + static_cast<uint64_t>((which * shape.n_kv_heads + head) * shape.page_tokens + token) * head_bytes();
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
