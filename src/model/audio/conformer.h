// A conformer layer over rows of frames, one every 40 ms: half a feed-forward, local attention, a light convolution, half a feed-forward,
// a norm.
#pragma once

#include "model/audio/feed_forward.h"
#include "model/audio/light_conv.h"
#include "model/audio/local_attention.h"
#include "model/tapped.h"

namespace gemma3n::model::audio {

class ConformerLayer {
public:
    static Result<ConformerLayer> bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width);

    struct State {
        LocalAttention::State attention;
        LightConv::State lconv1d;
    };
    // x [n, width], in place: the frames after those that the state has seen.
    void run(Context& c, View x, const std::vector<float>& relative, State& s, const Tapped& tapped) const;

    const LocalAttention& attention() const { return attention_; }
    void plan(ScratchPlan& p, int64_t n) const;  // what run() takes from the arena, on paper
    double multiplications() const {  // of a row
        return ffw_layer_start_.multiplications() + attention_.multiplications() + lconv1d_.multiplications() + ffw_layer_end_.multiplications();
    }

private:
    FeedForward ffw_layer_start_, ffw_layer_end_;
    LocalAttention attention_;
    LightConv lconv1d_;
    View norm_;  // [width]
    float eps_ = 0, limit_ = 0;
};

}  // namespace gemma3n::model::audio
