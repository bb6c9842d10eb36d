// A feed-forward branch of a conformer layer: x + residual_weight * RMS(W2 SiLU(W1 RMS(x))).
#pragma once

#include "model/media/config.h"
#include "model/tensors.h"
#include "ops/context.h"

#include <string>

namespace gemma3n::model::audio {

class FeedForward {
public:
    static Result<FeedForward> bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width);

    void run(Context& c, View x) const;  // x [n, width], in place

    void plan(ScratchPlan& p, int64_t n) const;  // what run() takes from the arena, on paper
    double multiplications() const { return 2.0 * static_cast<double>(layer_1_.n_rows) * static_cast<double>(layer_1_.n_cols); }  // of a row

private:
    View pre_layer_norm_, post_layer_norm_;  // [width]
    View layer_1_, layer_2_;                 // [inner, width], [width, inner]
    float eps_ = 0, limit_ = 0, residual_weight_ = 0;
};

}  // namespace gemma3n::model::audio
