// What a slice means for a network: the rules it must keep, whose caches fit whose, and the config of the model that it would be alone.
#pragma once

#include "base/result.h"
#include "gemma3n/slice.h"
#include "format/checkpoint.h"
#include "model/config.h"

#include <span>

namespace gemma3n::model {

// Kept layers that follow each other in the whole model too: their per-layer inputs lie side by side in its tables.
struct LayerRun {
    int64_t kept = 0;   // index of the first among the kept layers
    int64_t layer = 0;  // its number in the whole model
    int64_t n = 0;
};
std::vector<LayerRun> runs(std::span<const int> layers);

Slice whole(const Config& config, std::string name = "full");
bool keeps(const Slice& slice, int layer);
bool same_network(const Slice& a, const Slice& b);

// The last kept layer that owns keys and values: prefill needs nothing above its K and V.
int last_kv_owner(const Config& config, const Slice& slice);

// True when both keep the same layers that own keys and values, so that a cache which one has filled serves the other.
bool shares_cache(const Config& config, const Slice& a, const Slice& b);

// Layers ascending and there, a width for each within the layer's own, donors kept that a kept layer reads. `subject` begins the sentence.
Status check_layers(const Config& config, const Slice& slice, const std::string& subject);
// That, and widths that are whole blocks of the down_proj in the file.
Status check_slice(const Config& config, const format::Checkpoint& checkpoint, const Slice& slice, const std::string& subject);

// The config of the slice as a model of its own: layers renumbered, donors with them.
Config sliced(const Config& config, const Slice& slice);

}  // namespace gemma3n::model
