// Attention of a conformer layer: a frame sees itself and the context - 1 frames before it. The score of a key is capped(q . k + q . r(p)),
// where r(p) is a projection of p's sines and cosines and p how many frames ago the key was.
#pragma once

#include "model/media/config.h"
#include "model/tensors.h"
#include "ops/context.h"

#include <string>
#include <vector>

namespace gemma3n::model::audio {

class LocalAttention {
public:
    static Result<LocalAttention> bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width);

    // r(p), [context, width]. Depends on the weights alone.
    std::vector<float> relative(Context& c) const;

    struct State {
        std::vector<float> keys, values;  // of the frames before, [n_past, width], n_past < context
        int64_t n_past = 0;
    };
    void run(Context& c, View x, const std::vector<float>& relative, State& s) const;  // x [n, width], in place

    void plan(ScratchPlan& p, int64_t n) const;  // what run() takes from the arena, on paper
    double multiplications() const {  // of a row that sees a whole context
        const double width = static_cast<double>(post_.n_rows);
        return 4 * width * width + 3 * width * static_cast<double>(context_);
    }

private:
    void attend(Context& c, int64_t n_keys, float* q, const float* keys, const float* values, const std::vector<float>& relative, float* scores, float* out) const;

    View pre_attn_norm_, post_norm_;        // [width]
    View q_proj_, k_proj_, v_proj_, post_;  // [width, width]
    View pos_proj_;                         // [width, width]
    View q_scale_;                          // [width], of every value of a query
    int64_t n_heads_ = 0, head_dim_ = 0, context_ = 0;
    float eps_ = 0, limit_ = 0, cap_ = 0;
};

}  // namespace gemma3n::model::audio
