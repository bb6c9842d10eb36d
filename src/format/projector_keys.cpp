#include "format/projector_keys.h"

namespace gemma3n::format {

namespace {

uint32_t u32(int64_t v) { return static_cast<uint32_t>(v); }

// Readers of the stock keys ask for all of them; a network of convolutions has no answer to some, and gets the ones that are published.
void set_vision(GgufWriter& w, const ProjectorKeys& k) {
    constexpr uint32_t meaningless_ff = 8192, meaningless_blocks = 128, meaningless_heads = 8;
    const auto& v = k.vision;
    w.set("clip.vision.projector_type", "gemma3nv");
    w.set("clip.vision.image_size", u32(v.side));
    w.set("clip.vision.patch_size", u32(v.side / 256 > 0 ? v.side / 256 : 1));
    w.set("clip.vision.embedding_length", u32(v.width));
    w.set("clip.vision.feed_forward_length", meaningless_ff);
    w.set("clip.vision.block_count", meaningless_blocks);
    w.set("clip.vision.attention.head_count", meaningless_heads);
    w.set("clip.vision.attention.layer_norm_epsilon", v.eps);
    w.set("clip.vision.projection_dim", u32(k.hidden));
    w.set("clip.vision.image_mean", std::vector<float>{0, 0, 0});
    w.set("clip.vision.image_std", std::vector<float>{1, 1, 1});
    w.set("gemma3n.vision.soft_tokens", u32(v.soft_tokens));
    w.set("gemma3n.vision.layer_norm_rms_epsilon", v.eps);
    w.set("gemma3n.vision.vocab_offset", u32(v.vocab_offset));
}

void set_audio(GgufWriter& w, const ProjectorKeys& k) {
    const auto& a = k.audio;
    w.set("clip.audio.projector_type", "gemma3na");
    w.set("clip.audio.embedding_length", u32(a.width));
    w.set("clip.audio.feed_forward_length", u32(a.ff));
    w.set("clip.audio.block_count", u32(a.layers));
    w.set("clip.audio.attention.head_count", u32(a.heads));
    w.set("clip.audio.attention.layer_norm_epsilon", a.eps);
    w.set("clip.audio.num_mel_bins", 128u);
    w.set("clip.audio.projection_dim", u32(k.hidden));
    w.set("gemma3n.audio.soft_tokens", u32(a.soft_tokens));
    w.set("gemma3n.audio.reduction_factor", u32(a.reduction));
    w.set("gemma3n.audio.attention.chunk_size", u32(a.chunk));
    w.set("gemma3n.audio.attention.context_left", u32(a.context_left));
    w.set("gemma3n.audio.attention.context_right", u32(a.context_right));
    w.set("gemma3n.audio.attention.logit_cap", a.logit_cap);
    w.set("gemma3n.audio.residual_weight", a.residual_weight);
    w.set("gemma3n.audio.layer_norm_rms_epsilon", a.eps);
    w.set("gemma3n.audio.group_norm_epsilon", a.group_norm_eps);
    w.set("gemma3n.audio.gradient_clipping", a.gradient_clipping);
    w.set("gemma3n.audio.vocab_offset", u32(a.vocab_offset));
}

}  // namespace

void set_projector_keys(GgufWriter& w, const ProjectorKeys& k) {
    w.set("general.architecture", "clip");
    w.set("general.type", "mmproj");
    w.set("general.name", k.name);
    w.set("general.file_type", u32(gguf_file_type(k.mix)));
    if (!plain_type(k.mix)) w.set("general.quantization_version", 2u);
    w.set("clip.has_vision_encoder", k.vision.here);
    w.set("clip.has_audio_encoder", k.audio.here);
    if (k.vision.here) set_vision(w, k);
    if (k.audio.here) set_audio(w, k);
    w.set("gemma3n.token.begin_image", u32(k.begin_image));
    w.set("gemma3n.token.image", u32(k.image));
    w.set("gemma3n.token.end_image", u32(k.end_image));
    w.set("gemma3n.token.begin_audio", u32(k.begin_audio));
    w.set("gemma3n.token.audio", u32(k.audio_token));
    w.set("gemma3n.token.end_audio", u32(k.end_audio));
}

}  // namespace gemma3n::format
