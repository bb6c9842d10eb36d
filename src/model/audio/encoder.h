// What an AudioTower holds: the bound layers, and what follows from the weights alone.
#pragma once

#include "model/audio/conformer.h"
#include "model/audio/log_mel.h"
#include "model/audio/strided_conv.h"
#include "model/audio/tower.h"

#include <mutex>

namespace gemma3n::model::audio {

struct Encoder {
    AudioConfig config;
    LogMel log_mel{1};
    StridedConv conv_0, conv_1;
    View input_proj_linear;  // [width, conv_1.width()]
    std::vector<ConformerLayer> layers;
    OwnedVectors owned;

    int64_t width() const { return input_proj_linear.n_rows; }

    // Of every layer, made when it is first asked for: loading a model reads none of these matrices.
    const std::vector<std::vector<float>>& relative(Context& c) const;

private:
    mutable std::once_flag made_;
    mutable std::vector<std::vector<float>> relative_;
};

}  // namespace gemma3n::model::audio

namespace gemma3n::model {

struct AudioTower::Impl : audio::Encoder {};

}  // namespace gemma3n::model
