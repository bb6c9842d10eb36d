#include "quant/hf_metadata.h"

namespace gemma3n::quant {

namespace {

// Sizes that only the tensors tell; 0 where the tensor is not there, which the engine says when it loads the file.
int64_t rows(const format::Checkpoint& c, const std::string& name) {
    const format::TensorInfo* t = c.find(name);
    return t ? t->rows : 0;
}
int64_t cols(const format::Checkpoint& c, const std::string& name) {
    const format::TensorInfo* t = c.find(name);
    return t ? t->cols : 0;
}

}  // namespace

format::ProjectorKeys projector_keys(const format::Checkpoint& checkpoint, const model::Config& c, const model::MediaConfig& m, format::Mix mix) {
    format::ProjectorKeys k;
    k.name = c.name;
    k.mix = mix;
    k.hidden = c.hidden;
    if (m.has_vision) {
        k.vision = {.here = true, .width = cols(checkpoint, "embed_vision.embedding_projection.weight"), .side = m.vision.side, .soft_tokens = m.vision.n_tokens,
                    .vocab_offset = m.vision.vocab_offset, .eps = m.vision.eps};
    }
    if (m.has_audio) {
        const model::AudioConfig& a = m.audio;
        int64_t layers = 0;
        while (checkpoint.find("audio_tower.conformer." + std::to_string(layers) + ".norm.weight")) layers++;
        k.audio = {.here = true, .width = cols(checkpoint, "embed_audio.embedding_projection.weight"), .layers = layers, .heads = a.n_heads,
                   .ff = rows(checkpoint, "audio_tower.conformer.0.ffw_layer_start.ffw_layer_1.weight"), .soft_tokens = a.n_tokens, .reduction = a.reduction, .chunk = a.chunk,
                   .context_left = a.context_left, .context_right = a.context_right, .vocab_offset = a.vocab_offset, .logit_cap = a.logit_cap, .residual_weight = a.residual_weight,
                   .eps = a.eps, .group_norm_eps = a.group_norm_eps, .gradient_clipping = a.gradient_clipping};
    }
    k.begin_image = m.ids.begin_image;
    k.image = m.ids.image;
    k.end_image = m.ids.end_image;
    k.begin_audio = m.ids.begin_audio;
    k.audio_token = m.ids.audio;
    k.end_audio = m.ids.end_audio;
    return k;
}

}  // namespace gemma3n::quant
