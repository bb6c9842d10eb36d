// The metadata of a projector file: the stock keys, as llama.cpp reads them, and those of our own (docs/models.md) for what they cannot say.
#pragma once

#include "format/gguf_writer.h"
#include "format/mix.h"

#include <cstdint>
#include <string>

namespace gemma3n::format {

struct ProjectorKeys {
    std::string name;  // of the model
    Mix mix = Mix::f16;
    int64_t hidden = 0;  // of the text network

    struct Vision {
        bool here = false;
        int64_t width = 0, side = 0, soft_tokens = 0, vocab_offset = 0;
        float eps = 0;
    } vision;
    struct Audio {
        bool here = false;
        int64_t width = 0, layers = 0, heads = 0, ff = 0;
        int64_t soft_tokens = 0, reduction = 0, chunk = 0, context_left = 0, context_right = 0, vocab_offset = 0;
        float logit_cap = 0, residual_weight = 0, eps = 0, group_norm_eps = 0, gradient_clipping = 0;
    } audio;
    int64_t begin_image = 0, image = 0, end_image = 0, begin_audio = 0, audio_token = 0, end_audio = 0;
};

void set_projector_keys(GgufWriter& w, const ProjectorKeys& keys);

}  // namespace gemma3n::format
