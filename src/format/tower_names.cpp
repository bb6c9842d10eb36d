#include "format/tower_names.h"

#include "format/numbered.h"

#include <utility>

namespace gemma3n::format {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// The vision tower keeps its names behind another beginning.
constexpr Pair beginnings[] = {
    {"v.conv_stem.", "vision_tower.timm_model.conv_stem."},
    {"v.blk.", "vision_tower.timm_model.blocks."},
    {"v.msfa.", "vision_tower.timm_model.msfa."},
};

constexpr Pair globals[] = {
    {"mm.embedding.weight", "embed_vision.embedding.weight"},
    {"mm.hard_emb_norm.weight", "embed_vision.hard_embedding_norm.weight"},
    {"mm.soft_emb_norm.weight", "embed_vision.soft_embedding_norm.weight"},
    {"mm.input_projection.weight", "embed_vision.embedding_projection.weight"},
    {"mm.a.embedding.weight", "embed_audio.embedding.weight"},
    {"mm.a.hard_emb_norm.weight", "embed_audio.hard_embedding_norm.weight"},
    {"mm.a.soft_emb_norm.weight", "embed_audio.soft_embedding_norm.weight"},
    {"mm.a.input_projection.weight", "embed_audio.embedding_projection.weight"},
    {"a.conv1d.0.weight", "audio_tower.subsample_conv_projection.conv_0.conv.weight"},
    {"a.conv1d.0.norm.weight", "audio_tower.subsample_conv_projection.conv_0.norm.weight"},
    {"a.conv1d.1.weight", "audio_tower.subsample_conv_projection.conv_1.conv.weight"},
    {"a.conv1d.1.norm.weight", "audio_tower.subsample_conv_projection.conv_1.norm.weight"},
    {"a.pre_encode.out.weight", "audio_tower.subsample_conv_projection.input_proj_linear.weight"},
};

// conv_norm is the norm before the light convolution and norm_conv the one within it; layer_pre_norm is the last norm of a layer.
constexpr Pair in_layer[] = {
    {"layer_pre_norm.weight", "norm.weight"},
    {"ln1.weight", "attention.pre_attn_norm.weight"},
    {"ln2.weight", "attention.post_norm.weight"},
    {"attn_q.weight", "attention.attn.q_proj.weight"},
    {"attn_k.weight", "attention.attn.k_proj.weight"},
    {"attn_v.weight", "attention.attn.v_proj.weight"},
    {"per_dim_scale", "attention.attn.per_dim_scale"},
    {"linear_pos.weight", "attention.attn.relative_position_embedding.pos_proj.weight"},
    {"attn_out.weight", "attention.post.weight"},
    {"ffn_norm.weight", "ffw_layer_start.pre_layer_norm.weight"},
    {"ffn_up.weight", "ffw_layer_start.ffw_layer_1.weight"},
    {"ffn_down.weight", "ffw_layer_start.ffw_layer_2.weight"},
    {"ffn_post_norm.weight", "ffw_layer_start.post_layer_norm.weight"},
    {"ffn_norm_1.weight", "ffw_layer_end.pre_layer_norm.weight"},
    {"ffn_up_1.weight", "ffw_layer_end.ffw_layer_1.weight"},
    {"ffn_down_1.weight", "ffw_layer_end.ffw_layer_2.weight"},
    {"ffn_post_norm_1.weight", "ffw_layer_end.post_layer_norm.weight"},
    {"conv_norm.weight", "lconv1d.pre_layer_norm.weight"},
    {"conv_pw1.weight", "lconv1d.linear_start.weight"},
    {"conv_dw.weight", "lconv1d.depthwise_conv1d.weight"},
    {"norm_conv.weight", "lconv1d.conv_norm.weight"},
    {"conv_pw2.weight", "lconv1d.linear_end.weight"},
};
constexpr Pair layers = {"a.blk.", "audio_tower.conformer."};

std::string_view side(const Pair& p, bool to_canonical) { return to_canonical ? p.first : p.second; }

std::optional<std::string> translated(std::string_view name, bool to_canonical) {
    for (const Pair& p : globals)
        if (name == side(p, to_canonical)) return std::string(side(p, !to_canonical));
    for (const Pair& p : beginnings) {
        const std::string_view from = side(p, to_canonical);
        if (name.starts_with(from) && name.size() > from.size()) return std::string(side(p, !to_canonical)) + std::string(name.substr(from.size()));
    }
    if (!name.starts_with(side(layers, to_canonical))) return std::nullopt;
    name.remove_prefix(side(layers, to_canonical).size());
    const auto layer = numbered(name);
    if (!layer) return std::nullopt;
    for (const Pair& p : in_layer) {
        if (layer->rest == side(p, to_canonical)) return std::string(side(layers, !to_canonical)) + std::string(layer->number) + "." + std::string(side(p, !to_canonical));
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> canonical_from_projector(std::string_view name) { return translated(name, true); }
std::optional<std::string> projector_from_canonical(std::string_view name) { return translated(name, false); }

}  // namespace gemma3n::format
