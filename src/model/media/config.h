// The numbers of the towers that no tensor's shape tells. From config.json (vision_config, audio_config, token ids at its top), or from
// a projector file's keys (docs/models.md); what a file does not say has the published value.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "model/config.h"

#include <cstdint>
#include <string>

namespace gemma3n::model {

struct VisionConfig {
    int64_t side = 768;             // of the square that the processor makes of a picture
    int64_t n_tokens = 256;         // soft tokens of a picture, a square number: the fusion's output side squared
    float eps = 1e-6f;              // of every norm
    int64_t vocab_offset = 262144;  // id of the first row of embed_vision.embedding
    int64_t vocab = 128;
};

struct AudioConfig {
    int64_t n_tokens = 188;         // soft tokens of a clip, filled up with the padding vector
    int64_t reduction = 4;          // every reduction-th frame becomes a token
    int64_t n_heads = 8;            // attention heads of a conformer layer
    int64_t chunk = 12;             // conf_attention_chunk_size: shapes the reference's masks, not the result for valid frames
    int64_t context_left = 13;      // keys a frame sees, itself included
    int64_t context_right = 0;      // others are refused
    float logit_cap = 50;
    float residual_weight = 0.5f;   // of the feed-forward branches
    float eps = 1e-6f;              // of every RMS norm
    float group_norm_eps = 1e-3f;   // of the sub-sampling's cumulative norms
    float gradient_clipping = 1e10f;
    int64_t vocab_offset = 262272;  // id of the first row of embed_audio.embedding
    int64_t vocab = 128;
};

// Ids of the marks around pictures and clips.
struct MediaIds {
    int begin_image = 255999, image = 262145, end_image = 262144;
    int begin_audio = 256000, audio = 262273, end_audio = 262272;
};

struct MediaConfig {
    bool has_vision = false, has_audio = false;
    VisionConfig vision;
    AudioConfig audio;
    MediaIds ids;
};

// `towers` is the checkpoint that holds the tower tensors: the model's own directory, or a projector file.
Result<MediaConfig> read_media_config(const format::Checkpoint& towers, const Config& text);

}  // namespace gemma3n::model
