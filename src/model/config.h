// The numbers of a text network, all of them from the file. Read from GGUF metadata or config.json; see config.cpp for the keys.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "gemma3n/slice.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::model {

enum class Family { gemma3n, gemma3 };

struct LayerConfig {
    bool sliding = true;       // local (windowed) or global attention
    int64_t ff = 0;            // FFN width of this layer
    float sparsity_multiplier = -INFINITY;  // icdf(sparsity) of the gate's cutoff; -infinity = dense (0 cuts at the mean)
    int kv_donor = -1;         // the layer whose keys and values this one reads; itself when it owns a cache
};

struct Config {
    Family family = Family::gemma3n;
    std::string name;          // general.name or the directory's name
    int64_t hidden = 0, n_layers = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0;
    int64_t vocab = 0;         // rows of embed_tokens = logits
    int64_t window = 0;        // keys a sliding query sees, itself included
    int64_t context_length = 0;
    float norm_eps = 1e-6f;
    float rope_theta_global = 1e6f, rope_theta_local = 1e4f;
    float rope_scale_global = 1;     // linear RoPE scaling factor of global layers (gemma3 4B and up: 8)
    float attention_scale = 1;       // gemma3n: exactly 1; gemma3: query_pre_attn_scalar^-0.5 (head_dim^-0.5)
    float final_softcap = 0;         // 0 = none
    std::vector<LayerConfig> layers; // n_layers

    // gemma3n only; 0 otherwise
    int64_t n_streams = 0;           // AltUp inputs
    int64_t active_stream = 0;       // altup_active_idx
    float altup_coef_clip = 0;       // 0 = none
    bool altup_correct_scale = true;
    int64_t per_layer_width = 0;     // hidden_size_per_layer_input
    int64_t per_layer_vocab = 0;     // vocab_size_per_layer_input: ids at or beyond it use row 0
    int64_t laurel_rank = 0;

    std::vector<int> eos;            // ids that end an answer (published default 1 and 106)
    int bos = 2, pad = 0;

    std::vector<Slice> slices;       // that the file lists; each keeps the rules of model/slice.h

    bool owns_kv(int layer) const { return layers[layer].kv_donor == layer; }
};

// Reads and checks a checkpoint's config: every list as long as the layers, donors exist below and have their consumer's type,
// sizes positive and bounded. Widths and vocabulary are checked against the tensors by the weight loader.
Result<Config> read_config(const format::Checkpoint& checkpoint);

// The share of the gates that a multiplier closes, as far as they are distributed normally: what sparsity_multiplier() was made of.
double sparsity(float multiplier);

}  // namespace gemma3n::model
