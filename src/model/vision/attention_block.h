// MQA, mobile attention: every pixel attends to every pixel, with many query heads and one head of keys and values.
//
//   n = norm(x);  q = query n: [pixels, heads, d];  k = key.proj n', v = value.proj n': [keys, d]
//   n' = n, or norm(down_conv n) at half the side, keys and values each with their own
//   out = layer_scale * output(softmax(q k^T / sqrt(d)) v) + x
#pragma once

#include "model/vision/block.h"

namespace gemma3n::model::vision {

class AttentionBlock final : public Block {
public:
    static Result<AttentionBlock> bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps);
    int64_t outputs() const override { return output_.n_rows; }
    int64_t stride() const override { return 1; }
    void run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped& tapped) const override;
    void plan(ScratchPlan& p, int64_t height, int64_t width) const override;
    double multiplications(int64_t height, int64_t width) const override;

private:
    struct Side {  // attn.key or attn.value
        Kernel down_conv;  // [k * k, inputs]; may be absent
        View norm;         // [inputs], beside down_conv
        View proj;         // [d, inputs]
        ops::Window window() const { return {down_conv.size, down_conv.weights ? 2 : 1}; }
    };
    static Result<Side> bind_side(Parts& parts, const std::string& name, int64_t inputs);
    ops::Map project(Context& c, const Side& side, const ops::Map& normed) const;
    void attend(Context& c, View q, View keys, View values) const;
    void plan_side(ScratchPlan& p, const Side& side, int64_t height, int64_t width) const;

    View norm_;            // [inputs]
    View query_, output_;  // [heads * d, inputs], [inputs, heads * d]
    Side key_, value_;
    View layer_scale_;     // [inputs]; may be absent
    bool skip_ = true;
    float eps_ = 0;
};

}  // namespace gemma3n::model::vision
