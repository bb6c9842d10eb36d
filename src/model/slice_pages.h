// What a slice keeps in memory: the pages of the files in which the weights lie that it reads for every token. Kept columns of down_proj
// share their pages with the rest of each row, so whole pages are more than the bytes that are read.
#pragma once

#include "format/checkpoint.h"
#include "model/config.h"

#include <utility>
#include <vector>

namespace gemma3n::model {

struct PageRange {
    int file = 0;
    uint64_t begin = 0, end = 0;  // bytes, whole pages
};

struct SlicePages {
    std::vector<PageRange> ranges;  // by file and place, apart from each other
    uint64_t read_bytes = 0;        // of the weights themselves, core and head, that a token reads: of a sparse layer's up_proj what the gate leaves open
    uint64_t parameters = 0;        // of the core
    uint64_t prompt_products = 0;   // multiplications with weights for a prompt token that ends at the last KV-owning layer
    uint64_t bytes() const;         // of all ranges: resident once a step has run
};

SlicePages pages_of(const format::Checkpoint& checkpoint, const Config& config, const Slice& slice);

// Reads ahead what the slice reads.
void read_ahead(const format::Checkpoint& checkpoint, const SlicePages& pages);
// Gives back the pages that `whole` has and `kept` has not.
void release_rest(const format::Checkpoint& checkpoint, const SlicePages& whole, const SlicePages& kept);

}  // namespace gemma3n::model
