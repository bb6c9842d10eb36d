// The weights of both families: views into the mapped files, const after load. Vectors and coefficient matrices (a few
// thousand values a layer) are held as f32 of our own; matrices are used as they lie.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "model/config.h"
#include "model/tensors.h"

#include <memory>
#include <string>
#include <vector>

namespace gemma3n::model {

struct AttentionWeights {
    View q_proj;          // [n_heads * head_dim, hidden]
    View k_proj, v_proj;  // [n_kv_heads * head_dim, hidden]; empty in layers that read a donor's cache
    View o_proj;          // [hidden, n_heads * head_dim]
    View q_norm, k_norm;  // [head_dim]; k_norm empty in layers that read a donor's cache
};

struct FfnWeights {
    View gate_proj, up_proj;  // [ff, hidden]
    View down_proj;           // [hidden, ff]
    // The first `width` neurons: rows of gate and up, columns of down. The same memory.
    FfnWeights first(int64_t width) const { return {gate_proj.rows(0, width), up_proj.rows(0, width), down_proj.first_cols(width)}; }
};

struct Gemma3nLayerWeights {
    View input_layernorm, post_attention_layernorm, pre_feedforward_layernorm, post_feedforward_layernorm;  // [hidden]
    View post_per_layer_input_norm;                                                                         // [hidden]
    AttentionWeights self_attn;
    FfnWeights mlp;
    View per_layer_input_gate;  // [P, hidden]
    View per_layer_projection;  // [hidden, P]
    View correct_output_scale;  // [hidden]; empty when altup_correct_scale is false
    View correction_coefs;      // [A, A], f32, clipped
    View prediction_coefs;      // [A * A, A], f32, clipped
    View modality_router;       // [A, hidden]
    View router_norm;           // [hidden]
    View laurel_left;           // [rank, hidden]
    View laurel_right;          // [hidden, rank]
    View post_laurel_norm;      // [hidden]
};

struct Gemma3LayerWeights {
    View input_layernorm, post_attention_layernorm, pre_feedforward_layernorm, post_feedforward_layernorm;  // [hidden], 1 + w
    AttentionWeights self_attn;
    FfnWeights mlp;
};

// Rows of a table that is never resident: read by token with pread.
struct RowTable {
    std::shared_ptr<File> file;
    uint64_t offset = 0;  // of row 0
    DType type = DType::f32;
    int64_t n_rows = 0, n_cols = 0;
    uint64_t stride = 0;
    std::string name;
};

struct Weights {
    View embed_tokens;  // [vocab, hidden]
    View lm_head;       // [vocab, hidden]; the same view as embed_tokens when tied
    View norm;          // [hidden]

    // gemma3n
    RowTable embed_tokens_per_layer;    // [per_layer_vocab.., n_layers * P]
    View per_layer_model_projection;    // [n_layers * P, hidden]
    View per_layer_projection_norm;     // [P]
    std::vector<View> altup_projections, altup_unembed_projections;  // A - 1 of [hidden, hidden]
    std::vector<Gemma3nLayerWeights> layers;

    // gemma3
    std::vector<Gemma3LayerWeights> gemma3_layers;

    OwnedVectors owned;
    int64_t n_clipped = 0;  // AltUp coefficients beyond the clip, changed at load
};

// Binds every tensor the config asks for; a missing tensor, a wrong shape or type names the tensor, what was found and what was
// expected. May complete the config from shapes (laurel rank, vocabulary, per-layer vocabulary).
Result<std::shared_ptr<Weights>> bind_weights(const format::Checkpoint& checkpoint, Config& config);

}  // namespace gemma3n::model
