// The convolution branch of a conformer layer: a gated linear unit, a causal convolution over time of every channel by itself, a norm,
// SiLU and a linear layer.
#pragma once

#include "model/media/config.h"
#include "model/tensors.h"
#include "ops/context.h"

#include <string>
#include <vector>

namespace gemma3n::model::audio {

class LightConv {
public:
    static Result<LightConv> bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width);

    struct State {
        std::vector<float> past;  // the gated rows before, [kernel - 1, width]; zeros at the beginning
    };
    void run(Context& c, View x, State& s) const;  // x [n, width], in place

    void plan(ScratchPlan& p, int64_t n) const;  // what run() takes from the arena, on paper
    double multiplications() const {  // of a row
        const double width = static_cast<double>(end_.n_rows);
        return 3 * width * width + width * static_cast<double>(depthwise_.n_rows);
    }

private:
    View pre_layer_norm_, conv_norm_;  // [width]
    View start_, end_;                 // [2 width, width], [width, width]
    View depthwise_;                   // [kernel, width]: turned around, so that a row of time meets a row
    float eps_ = 0, limit_ = 0;
};

}  // namespace gemma3n::model::audio
