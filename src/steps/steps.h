// The layer's named steps: the seam between the forward pass, which is written once, and whoever computes it. Each step takes
// views and may be replaced whole, by a fused CPU version or by another device. cpu_steps() is the default, made of primitives.
//
// Shapes: n rows (tokens), D hidden, A AltUp streams, P per-layer width, L layers. Streams are [A * n, D]: stream i owns rows
// [i * n, (i + 1) * n). Views named in a step do not alias unless it says so.
#pragma once

#include "ops/attention.h"
#include "ops/context.h"
#include "ops/rope.h"

#include <memory>
#include <span>
#include <vector>

namespace gemma3n::steps {

// AltUp's router, shared by predict and correct: m = tanh(W (RMSNorm(v; norm) / D)).
struct Router {
    View modality_router;  // [A, D]
    View router_norm;      // [D]
    float eps;
};

struct AltupExpand {                      // x_i = W_i e, rescaled to the magnitude of e
    View embeds;                          // [n, D]
    std::span<const View> projections;    // A - 1 of [D, D]
    View streams;                         // out [A * n, D]; stream 0 is e
};

struct PerLayerInputs {                   // (RMSNorm(W e / sqrt(D)) + table row * sqrt(P)) / sqrt(2)
    View embeds;                          // [n, D]
    View table;                           // [n, m * P], the tokens' rows for m consecutive layers, f32, not scaled
    View model_projection;                // [m * P, D]
    View projection_norm;                 // [P]
    float eps;
    View out;                             // [n, m * P]
};

struct AltupPredict {                     // p_i = x_i + sum_j c[A i + j] x_j, c = coefs m
    Router router;
    View coefs;                           // prediction_coefs [A * A, A]
    int64_t active;
    View streams;                         // [A * n, D]
    View predictions;                     // out [A * n, D]
};

struct Laurel {                           // out = h + RMSNorm(right (left h))
    View h;                               // [n, D]
    View left, right, norm;               // [rank, D], [D, rank], [D]
    float eps;
    View out;                             // [n, D]
};

struct Qkv {                              // projections, per-head norms, rotation; keys and values go to the cache
    View h;                               // [n, D]
    View q_proj, k_proj, v_proj;          // q_proj empty: only keys and values; k_proj empty: a donor's cache is read
    View q_norm, k_norm;                  // [head_dim]
    bool norm_v;                          // RMSNorm without weight on v
    int64_t n_heads, n_kv_heads, head_dim;
    float eps;
    ops::RopeTable rope;                  // of these rows, the layer's own theta
    ops::StepRows rows;
    std::span<const ops::KvPages> kv;     // by sequence; written when k_proj is there
    View q, k, v;                         // out [n, heads * head_dim]; k, v as cached but in f32
};

struct Attention {                        // out = o_proj attention(q)
    ops::AttentionShape shape;
    ops::StepRows rows;
    std::span<const ops::KvPages> kv;
    View q;                               // [n, n_heads * head_dim]
    View o_proj;                          // [D, n_heads * head_dim]
    View out;                             // [n, D]
};

struct GatedFfn {                         // out = down (gelu(sparsify(gate h)) * up h)
    View h;                               // [n, D]
    View gate_proj, up_proj, down_proj;   // [ff, D], [ff, D], [D, ff]
    float sparsity_multiplier;            // gate = max(gate - (mean + multiplier * deviation), 0); -infinity: left out (dense)
    View out;                             // [n, D]
};

struct AltupCorrect {                     // z_i = p_i + (coefs m' + 1)_i * (y - p_active), in place
    Router router;
    View coefs;                           // correction_coefs [A, A]
    int64_t active;
    View activated;                       // y [n, D]
    View predictions;                     // in p, out z [A * n, D]
};

struct PerLayerInject {                   // z_i += RMSNorm(proj (gelu(gate (z_active * scale)) * input)), i >= 1
    View correct_output_scale;            // [D], empty = none
    View gate, projection, norm;          // [P, D], [D, P], [D]
    float eps;
    int64_t active;
    View input;                           // [n, P]
    View streams;                         // in and out [A * n, D]
};

struct AltupMerge {                       // mean over streams, each rescaled to the magnitude of stream 0
    View streams;                         // [A * n, D]
    std::span<const View> projections;    // A - 1 of [D, D]
    View out;                             // [n, D]
};

struct Head {                             // logits = W RMSNorm(hidden), capped if asked for
    View hidden;                          // [n, D], normed in place
    View norm;                            // [D]
    float eps;
    View lm_head;                         // [V, D]
    float softcap;                        // 0 = leave the logits raw: the cap is monotone, the sampler needs it for few of them
    View logits;                          // out [n, V]
};

struct Norm {                             // out = RMSNorm(x; weight); out may be x
    View x, weight;
    float eps;
    View out;
};

struct ResidualJoin {                     // gemma3n: out = (a + RMSNorm(at; norm) + laurel) / sqrt(2)
    View active, attention, norm, laurel;
    float eps;
    View out;                             // [n, D]
};

struct ResidualAdd {                      // out = x + RMSNorm(branch; norm); out may be x
    View x, branch, norm;
    float eps;
    View out;
};

class Steps {
public:
    virtual ~Steps() = default;
    virtual void altup_expand(Context&, const AltupExpand&) = 0;
    virtual void per_layer_inputs(Context&, const PerLayerInputs&) = 0;
    virtual void altup_predict(Context&, const AltupPredict&) = 0;
    virtual void laurel(Context&, const Laurel&) = 0;
    virtual void qkv(Context&, const Qkv&) = 0;
    virtual void attention(Context&, const Attention&) = 0;
    virtual void gated_ffn(Context&, const GatedFfn&) = 0;
    virtual void altup_correct(Context&, const AltupCorrect&) = 0;
    virtual void per_layer_inject(Context&, const PerLayerInject&) = 0;
    virtual void altup_merge(Context&, const AltupMerge&) = 0;
    virtual void head(Context&, const Head&) = 0;
    virtual void norm(Context&, const Norm&) = 0;
    virtual void residual_join(Context&, const ResidualJoin&) = 0;
    virtual void residual_add(Context&, const ResidualAdd&) = 0;
};

std::unique_ptr<Steps> cpu_steps();

}  // namespace gemma3n::steps
