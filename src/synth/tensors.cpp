#include "synth/tensors.h"

#include <cmath>

namespace gemma3n::synth {

namespace {

class List {
public:
    List(const Shape& s, format::Container container) : s_(s), gguf_(container == format::Container::gguf) {}

    std::vector<Tensor> all() {
        const int64_t d = s_.hidden, p = s_.per_layer_width, layers = s_.n_layers;
        matrix("embed_tokens.weight", gguf_ ? s_.text_vocab : s_.vocab, d, 1.5 / std::sqrt(static_cast<double>(d)));
        if (s_.is_3n) {
            matrix("embed_tokens_per_layer.weight", s_.text_vocab, layers * p, 1 / std::sqrt(static_cast<double>(p)));  // scaled by sqrt(p) when read
            matrix("per_layer_model_projection.weight", layers * p, d);
            norm("per_layer_projection_norm.weight", p);
            for (const char* name : {"altup_projections.", "altup_unembed_projections."})
                for (int64_t i = 0; i + 1 < s_.n_streams; i++) matrix(name + std::to_string(i) + ".weight", d, d);
        }
        norm("norm.weight", d, 4, true);  // of one sign, the tied head would find the last token again: the answer repeats it for ever
        for (int64_t l = 0; l < layers; l++) layer("layers." + std::to_string(l) + ".");
        return std::move(out_);
    }

private:
    void matrix(const std::string& name, int64_t rows, int64_t cols, double deviation = 0) {
        out_.push_back({name, {rows, cols}, deviation > 0 ? deviation : 1 / std::sqrt(static_cast<double>(cols))});
    }
    void norm(const std::string& name, int64_t n, double scale = 1, bool either_sign = false) {
        const bool minus_one = !s_.is_3n && !gguf_;
        out_.push_back({name, {n}, scale, minus_one ? -1.0 : 0.0, either_sign});
    }

    void layer(const std::string& at) {
        const int64_t d = s_.hidden, q = s_.n_heads * s_.head_dim, kv = s_.n_kv_heads * s_.head_dim;
        norm(at + "input_layernorm.weight", d);
        matrix(at + "self_attn.q_proj.weight", q, d);
        matrix(at + "self_attn.k_proj.weight", kv, d);
        matrix(at + "self_attn.v_proj.weight", kv, d);
        matrix(at + "self_attn.o_proj.weight", d, q);
        // scores q.k (gemma3: over sqrt(head_dim)) of deviation 1.5
        const double head_scale = std::sqrt(s_.is_3n ? 1.5 / std::sqrt(static_cast<double>(s_.head_dim)) : 1.5);
        norm(at + "self_attn.q_norm.weight", s_.head_dim, head_scale);
        norm(at + "self_attn.k_norm.weight", s_.head_dim, head_scale);
        norm(at + "post_attention_layernorm.weight", d, 0.5);
        norm(at + "pre_feedforward_layernorm.weight", d);
        matrix(at + "mlp.gate_proj.weight", s_.ff, d);
        matrix(at + "mlp.up_proj.weight", s_.ff, d);
        matrix(at + "mlp.down_proj.weight", d, s_.ff);
        norm(at + "post_feedforward_layernorm.weight", d, 0.5);
        if (!s_.is_3n) return;
        const int64_t p = s_.per_layer_width, a = s_.n_streams;
        matrix(at + "per_layer_input_gate.weight", p, d);
        matrix(at + "per_layer_projection.weight", d, p);
        norm(at + "post_per_layer_input_norm.weight", d, 0.5);
        constexpr double coefficient = 0.12;
        matrix(at + "altup.correction_coefs.weight", a, a, coefficient);
        norm(at + "altup.correct_output_scale", d);
        matrix(at + "altup.prediction_coefs.weight", a * a, a, coefficient);
        matrix(at + "altup.modality_router.weight", a, d, 0.4 * std::sqrt(static_cast<double>(d)));  // its input is divided by d
        norm(at + "altup.router_norm.weight", d);
        matrix(at + "laurel.linear_left.weight", s_.laurel_rank, d);
        matrix(at + "laurel.linear_right.weight", d, s_.laurel_rank);
        norm(at + "laurel.post_laurel_norm.weight", d, 0.5);
    }

    const Shape& s_;
    bool gguf_;
    std::vector<Tensor> out_;
};

}  // namespace

std::vector<Tensor> tensors(const Shape& shape, format::Container container) { return List(shape, container).all(); }

}  // namespace gemma3n::synth
