#include "model/weights.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::model {

namespace {

using format::TensorInfo;

class Binder : Tensors {
public:
    Binder(const format::Checkpoint& checkpoint, Config& config, Weights& weights) : Tensors(checkpoint, weights.owned), f_(checkpoint), c_(config), w_(weights) {}

    Status all() {
        ASSIGN(const TensorInfo* embed, need("embed_tokens.weight"));
        c_.vocab = embed->rows;
        ASSIGN(w_.embed_tokens, matrix("embed_tokens.weight", c_.vocab, c_.hidden));
        w_.lm_head = w_.embed_tokens;
        if (f_.find("lm_head.weight")) {
            ASSIGN(w_.lm_head, matrix("lm_head.weight", c_.vocab, c_.hidden));
        }
        ASSIGN(w_.norm, vector("norm.weight", c_.hidden, true));
        return c_.family == Family::gemma3n ? gemma3n() : gemma3();
    }

private:
    // A vector; `norm` ones of gemma3 are stored as w by Hugging Face and used as 1 + w (a GGUF holds the sum).
    Result<View> vector(const std::string& name, int64_t n, bool norm) {
        ASSIGN(const TensorInfo* t, need(name));
        ASSIGN(std::vector<float> v, values(*t, 1, n));
        if (norm && c_.family == Family::gemma3 && f_.container() == format::Container::safetensors) {
            for (float& x : v) x += 1;
        }
        return w_.owned.add(std::move(v));
    }

    Result<View> coefficients(const std::string& name, int64_t rows, int64_t cols) {
        ASSIGN(const TensorInfo* t, need(name));
        ASSIGN(std::vector<float> v, values(*t, rows, cols));
        if (c_.altup_coef_clip > 0) {
            for (float& x : v) {
                const float clipped = std::clamp(x, -c_.altup_coef_clip, c_.altup_coef_clip);
                w_.n_clipped += clipped != x;
                x = clipped;
            }
        }
        return w_.owned.add(std::move(v), rows);
    }

    Result<AttentionWeights> attention(const std::string& layer, bool owns_kv) {
        AttentionWeights a;
        const std::string p = layer + "self_attn.";
        const int64_t q = c_.n_heads * c_.head_dim, kv = c_.n_kv_heads * c_.head_dim;
        ASSIGN(a.q_proj, matrix(p + "q_proj.weight", q, c_.hidden));
        ASSIGN(a.o_proj, matrix(p + "o_proj.weight", c_.hidden, q));
        ASSIGN(a.q_norm, vector(p + "q_norm.weight", c_.head_dim, true));
        if (!owns_kv) return a;  // files carry k_proj, v_proj and k_norm here too; they are dead weight
        ASSIGN(a.k_proj, matrix(p + "k_proj.weight", kv, c_.hidden));
        ASSIGN(a.v_proj, matrix(p + "v_proj.weight", kv, c_.hidden));
        ASSIGN(a.k_norm, vector(p + "k_norm.weight", c_.head_dim, true));
        return a;
    }

    Result<FfnWeights> ffn(const std::string& layer, int64_t width) {
        FfnWeights m;
        ASSIGN(m.gate_proj, matrix(layer + "mlp.gate_proj.weight", width, c_.hidden));
        ASSIGN(m.up_proj, matrix(layer + "mlp.up_proj.weight", width, c_.hidden));
        ASSIGN(m.down_proj, matrix(layer + "mlp.down_proj.weight", c_.hidden, width));
        return m;
    }

    template <class Layer>
    Status shared_parts(Layer& w, const std::string& p, int64_t l) {
        ASSIGN(w.input_layernorm, vector(p + "input_layernorm.weight", c_.hidden, true));
        ASSIGN(w.post_attention_layernorm, vector(p + "post_attention_layernorm.weight", c_.hidden, true));
        ASSIGN(w.pre_feedforward_layernorm, vector(p + "pre_feedforward_layernorm.weight", c_.hidden, true));
        ASSIGN(w.post_feedforward_layernorm, vector(p + "post_feedforward_layernorm.weight", c_.hidden, true));
        ASSIGN(w.self_attn, attention(p, c_.owns_kv(static_cast<int>(l))));
        ASSIGN(w.mlp, ffn(p, c_.layers[l].ff));
        return {};
    }

    Status gemma3() {
        for (int64_t l = 0; l < c_.n_layers; l++) TRY(shared_parts(w_.gemma3_layers.emplace_back(), "layers." + std::to_string(l) + ".", l));
        return {};
    }

    Status gemma3n() {
        const int64_t d = c_.hidden, p = c_.per_layer_width, a = c_.n_streams;
        ASSIGN(const TensorInfo* table, need("embed_tokens_per_layer.weight"));
        if (table->cols != c_.n_layers * p) return wrong_shape(*table, table->rows, c_.n_layers * p);
        constexpr int64_t published = 262144;  // newer files pad the table to the full vocabulary with zero rows; row 0 is meant
        if (c_.per_layer_vocab == 0) c_.per_layer_vocab = table->rows > published && c_.vocab > published ? published : table->rows;
        if (table->rows < c_.per_layer_vocab) return wrong_shape(*table, c_.per_layer_vocab, c_.n_layers * p);
        w_.embed_tokens_per_layer = {f_.files()[static_cast<size_t>(table->file)], table->offset, table->type, table->rows, table->cols,
                                     row_bytes(table->type, table->cols), table->stored_name};
        if (table->type == DType::i32) return fail(Code::bad_file, "%s: tensor '%s' holds integers: expected weights", f_.path().c_str(), table->stored_name.c_str());
        ASSIGN(w_.per_layer_model_projection, matrix("per_layer_model_projection.weight", c_.n_layers * p, d));
        ASSIGN(w_.per_layer_projection_norm, vector("per_layer_projection_norm.weight", p, true));
        for (int64_t i = 0; i + 1 < a; i++) {
            ASSIGN(const View in, matrix("altup_projections." + std::to_string(i) + ".weight", d, d));
            ASSIGN(const View out, matrix("altup_unembed_projections." + std::to_string(i) + ".weight", d, d));
            w_.altup_projections.push_back(in);
            w_.altup_unembed_projections.push_back(out);
        }
        for (int64_t l = 0; l < c_.n_layers; l++) TRY(gemma3n_layer(w_.layers.emplace_back(), l));
        return {};
    }

    Status gemma3n_layer(Gemma3nLayerWeights& w, int64_t l) {
        const std::string at = "layers." + std::to_string(l) + ".";
        const int64_t d = c_.hidden, p = c_.per_layer_width, a = c_.n_streams;
        TRY(shared_parts(w, at, l));
        ASSIGN(w.post_per_layer_input_norm, vector(at + "post_per_layer_input_norm.weight", d, true));
        ASSIGN(w.per_layer_input_gate, matrix(at + "per_layer_input_gate.weight", p, d));
        ASSIGN(w.per_layer_projection, matrix(at + "per_layer_projection.weight", d, p));
        if (c_.altup_correct_scale) {
            ASSIGN(w.correct_output_scale, vector(at + "altup.correct_output_scale", d, false));
        }
        ASSIGN(w.correction_coefs, coefficients(at + "altup.correction_coefs.weight", a, a));
        ASSIGN(w.prediction_coefs, coefficients(at + "altup.prediction_coefs.weight", a * a, a));
        ASSIGN(w.modality_router, matrix(at + "altup.modality_router.weight", a, d));
        ASSIGN(w.router_norm, vector(at + "altup.router_norm.weight", d, true));
        if (c_.laurel_rank == 0) {
            ASSIGN(const TensorInfo* left, need(at + "laurel.linear_left.weight"));
            c_.laurel_rank = left->rows;
        }
        ASSIGN(w.laurel_left, matrix(at + "laurel.linear_left.weight", c_.laurel_rank, d));
        ASSIGN(w.laurel_right, matrix(at + "laurel.linear_right.weight", d, c_.laurel_rank));
        ASSIGN(w.post_laurel_norm, vector(at + "laurel.post_laurel_norm.weight", d, true));
        return {};
    }

    const format::Checkpoint& f_;
    Config& c_;
    Weights& w_;
};

}  // namespace

Result<std::shared_ptr<Weights>> bind_weights(const format::Checkpoint& checkpoint, Config& config) {
    auto w = std::make_shared<Weights>();
    TRY(Binder(checkpoint, config, *w).all());
    return w;
}

}  // namespace gemma3n::model
