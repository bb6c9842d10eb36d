// The keys and values of one sequence, in counted pages per KV-owning layer.
//
// Sliding layers give back pages that no later query can see, keeping `slack` tokens more so that a rollback of up to that many
// tokens always works. A fork shares pages; a shared page is copied when one side writes to it. A rollback drops the tail.
// After any of these the pages hold the same bits as a plain run's.
#pragma once

#include "base/result.h"
#include "model/config.h"
#include "ops/kv_page.h"

#include <deque>
#include <memory>
#include <vector>

namespace gemma3n::model {

struct CacheLayout {
    DType type = DType::f16;        // of new pages
    int64_t page_tokens = 64;
    int64_t slack = 64;             // tokens that can always be rolled back
};

class Cache {
public:
    // Of the layers that `slice` keeps (null: all); any slice of the same KV-owning layers may read and continue it.
    Cache(const Config& config, CacheLayout layout, const Slice* slice = nullptr);

    int64_t length() const { return length_; }

    // Makes pages for positions [length, length + n) that are this sequence's alone. Throws std::bad_alloc. length() stays.
    void prepare(int64_t n);
    // The step is done: the sequence is n tokens longer, pages out of every window are given back.
    void commit(int64_t n);

    // Pages of `layer`, which must own its cache. Valid until the next prepare, commit, rollback or clear.
    ops::KvPages pages(int layer) const;

    Cache fork() const { return *this; }
    // Refused, and nothing changes, when a window's page that the next token would see is gone.
    Status rollback(int64_t n);
    void clear();

    uint64_t bytes() const;  // of pages this sequence refers to, shared or not

    // The most that a sequence of up to `tokens` holds while it grows by steps of up to `chunk`, on paper: whole pages, as the system gives
    // them. `kept_before` counts the pages that a prompt of several chunks keeps to be undone.
    static uint64_t most_bytes(const Config& config, CacheLayout layout, int64_t tokens, int64_t chunk, bool kept_before);
    static uint64_t most_layer_bytes(const Config& config, CacheLayout layout, int layer, int64_t tokens, int64_t chunk, bool kept_before);  // of one that owns its cache

private:
    struct Layer {
        int64_t window = 0;  // 0 = global
        int64_t first = 0;   // index of pages.front()
        std::deque<std::shared_ptr<ops::KvPage>> pages;
        std::vector<const ops::KvPage*> view;  // the same, as attention wants it
        void refresh();
    };
    int64_t first_needed(const Layer& layer, int64_t length) const;

    CacheLayout layout_;
    ops::KvShape shape_;
    std::vector<Layer> layers_;       // kept owners only
    std::vector<int> index_;          // layer -> position in layers_, -1 = reads a donor, or is skipped
    int64_t length_ = 0;
    int64_t written_ = 0;             // slots of the tail page up to here may hold what a failed step or a dropped tail left
};

}  // namespace gemma3n::model
