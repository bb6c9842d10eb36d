#include "format/names.h"

#include "format/numbered.h"

#include <utility>

namespace gemma3n::format {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr Pair globals[] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"per_layer_token_embd.weight", "embed_tokens_per_layer.weight"},
    {"per_layer_model_proj.weight", "per_layer_model_projection.weight"},
    {"per_layer_proj_norm.weight", "per_layer_projection_norm.weight"},
    {"altup_proj.weight", "altup_projections.weight"},             // stacked
    {"altup_unembd_proj.weight", "altup_unembed_projections.weight"},  // stacked
    {"output_norm.weight", "norm.weight"},
    {"output.weight", "lm_head.weight"},
};

constexpr Pair in_layer[] = {
    {"attn_norm.weight", "input_layernorm.weight"},
    {"attn_q.weight", "self_attn.q_proj.weight"},
    {"attn_k.weight", "self_attn.k_proj.weight"},
    {"attn_v.weight", "self_attn.v_proj.weight"},
    {"attn_output.weight", "self_attn.o_proj.weight"},
    {"attn_q_norm.weight", "self_attn.q_norm.weight"},
    {"attn_k_norm.weight", "self_attn.k_norm.weight"},
    {"post_attention_norm.weight", "post_attention_layernorm.weight"},
    {"ffn_norm.weight", "pre_feedforward_layernorm.weight"},
    {"ffn_gate.weight", "mlp.gate_proj.weight"},
    {"ffn_up.weight", "mlp.up_proj.weight"},
    {"ffn_down.weight", "mlp.down_proj.weight"},
    {"post_ffw_norm.weight", "post_feedforward_layernorm.weight"},
    {"inp_gate.weight", "per_layer_input_gate.weight"},
    {"proj.weight", "per_layer_projection.weight"},
    {"post_norm.weight", "post_per_layer_input_norm.weight"},
    {"altup_correct_coef.weight", "altup.correction_coefs.weight"},
    {"altup_correct_scale.weight", "altup.correct_output_scale"},
    {"altup_predict_coef.weight", "altup.prediction_coefs.weight"},
    {"altup_router.weight", "altup.modality_router.weight"},
    {"altup_router_norm.weight", "altup.router_norm.weight"},
    {"laurel_l.weight", "laurel.linear_left.weight"},
    {"laurel_r.weight", "laurel.linear_right.weight"},
    {"laurel_post_norm.weight", "laurel.post_laurel_norm.weight"},
};

bool strip(std::string_view& s, std::string_view prefix) {
    if (!s.starts_with(prefix)) return false;
    s.remove_prefix(prefix.size());
    return true;
}

}  // namespace

std::optional<std::string> canonical_from_gguf(std::string_view name) {
    for (const auto& [gguf, hf] : globals)
        if (name == gguf) return std::string(hf);
    if (!strip(name, "blk.")) return std::nullopt;
    const auto layer = numbered(name);
    if (!layer) return std::nullopt;
    for (const auto& [gguf, hf] : in_layer)
        if (layer->rest == gguf) return "layers." + std::string(layer->number) + "." + std::string(hf);
    return std::nullopt;
}

std::optional<std::string> gguf_from_canonical(std::string_view name) {
    for (const auto& [gguf, hf] : globals) {
        if (name == hf) return std::string(gguf);
        const std::string_view base = hf.substr(0, hf.size() - std::string_view("weight").size());
        if (!base.starts_with("altup_") || !name.starts_with(base)) continue;
        if (const auto member = numbered(name.substr(base.size())); member && member->rest == "weight") return std::string(gguf);
    }
    if (!strip(name, "layers.")) return std::nullopt;
    const auto layer = numbered(name);
    if (!layer) return std::nullopt;
    for (const auto& [gguf, hf] : in_layer)
        if (layer->rest == hf) return "blk." + std::string(layer->number) + "." + std::string(gguf);
    return std::nullopt;
}

std::string canonical_from_hf(std::string_view name) {
    for (const std::string_view prefix : {"model.language_model.", "language_model.model.", "language_model.", "model."}) {
        if (strip(name, prefix)) break;
    }
    return std::string(name);
}

bool is_tower(std::string_view n) {
    for (const std::string_view p : {"vision_tower.", "audio_tower.", "embed_vision.", "embed_audio.", "multi_modal_projector."}) {
        if (n.starts_with(p)) return true;
    }
    return false;
}

}  // namespace gemma3n::format
