// UIR, the universal inverted residual: 1 x 1 convolutions widen and narrow, optional depthwise ones stand before and between.
//
//   x' = norm(dw_start x)               absent: x' = x. It has the stride when there is no dw_mid.
//   e  = gelu(norm(pw_exp x'))
//   m  = gelu(norm(dw_mid e))           absent: m = e
//   out = layer_scale * norm(pw_proj m) + x, the last where shapes allow
#pragma once

#include "model/vision/block.h"

namespace gemma3n::model::vision {

class InvertedResidual final : public Block {
public:
    static Result<InvertedResidual> bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps, bool may_skip = true);
    int64_t inputs() const { return pw_exp_.n_cols; }
    int64_t outputs() const override { return pw_proj_.n_rows; }
    int64_t stride() const override { return stride_; }
    void run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped& tapped) const override;
    void plan(ScratchPlan& p, int64_t height, int64_t width) const override;
    double multiplications(int64_t height, int64_t width) const override;

private:
    struct Bands {  // how the expanded map is cut
        int64_t width;  // of the expanded map
        int64_t rows;   // of it that are held
        int64_t band;   // rows of the result made of them
    };
    Bands bands(int64_t height, int64_t width) const;
    bool mid() const { return static_cast<bool>(dw_mid_.weights); }
    ops::Window start_window() const { return {dw_start_.size, mid() ? 1 : stride_}; }
    ops::Window mid_window() const { return {dw_mid_.size, mid() ? stride_ : 1}; }
    void expand(Context& c, const ops::Map& in, int64_t first, int64_t n, View out) const;

    Kernel dw_start_, dw_mid_;       // [k * k, inputs], [k * k, wide]; may be absent
    View dw_start_bn_, dw_mid_bn_;   // [inputs], [wide]
    View pw_exp_, pw_exp_bn_;        // [wide, inputs], [wide]
    View pw_proj_, pw_proj_bn_;      // [outputs, wide], [outputs]: the norm's weight times layer_scale.gamma
    int64_t stride_ = 1;
    bool skip_ = false;
    float eps_ = 0;
};

}  // namespace gemma3n::model::vision
