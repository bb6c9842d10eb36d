// A slice: a smaller network that lies inside a model's weights (MatFormer). It keeps some of the layers and, of each one's feed-forward,
// the first so many neurons. It is a view: no copy, no memory of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n {

struct Slice {
    std::string name;
    std::vector<int> layers;  // kept, ascending, numbered as in the whole model
    std::vector<int64_t> ff;  // feed-forward width of each kept layer: the first rows of gate and up, the first columns of down
};

// A slice that a model offers by name.
struct SizeInfo {
    Slice slice;
    double billions = 0;          // effective parameters as published; 0: not a published one
    double mmlu = 0;              // accuracy of the pre-trained model in per cent, as published; 0: not published
    uint64_t n_parameters = 0;    // of the core, without the embedding tables and what no layer reads
    uint64_t bytes_per_token = 0; // of weights that one token reads, core and head: of a sparse layer's up_proj what its gate leaves open on average
    uint64_t prompt_products = 0; // multiplications with weights for a prompt token whose logits nobody wants; attention comes on top
    uint64_t resident_bytes = 0;  // the whole pages of the file in which these lie: what it keeps in memory
};

}  // namespace gemma3n
