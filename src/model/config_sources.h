// The two places a config comes from, and what they share.
#pragma once

#include "model/config.h"

#include <string>
#include <vector>

namespace gemma3n::model {

Result<Config> config_from_gguf(const format::Checkpoint& checkpoint);
Result<Config> config_from_json(const format::Checkpoint& checkpoint);

// What both say about layers; each list as long as the layers.
struct LayerLists {
    std::vector<bool> sliding;
    std::vector<int64_t> ff;
    std::vector<float> sparsity_multiplier;
    int64_t n_shared = 0;  // upper layers that read a donor's keys and values
};

// Bounds on every number, so that later products cannot overflow.
Status check_sizes(const Config& config, const std::string& path);
// Fills config.layers. The donor of a sharing layer is the last layer of its own type below the first sharing one.
Status assign_layers(Config& config, const LayerLists& lists, const std::string& path);
// Quantile of the normal distribution at `sparsity`; -infinity (dense) for sparsity <= 0.
float sparsity_multiplier(double sparsity);

}  // namespace gemma3n::model
