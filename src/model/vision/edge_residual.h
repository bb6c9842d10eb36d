// ER, the block of the first stage: a full convolution widens, a 1 x 1 narrows.
//
//   out = norm(conv_pwl gelu(norm(conv_exp x))) + x, the last where shapes allow
#pragma once

#include "model/vision/block.h"

namespace gemma3n::model::vision {

class EdgeResidual final : public Block {
public:
    static Result<EdgeResidual> bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps);
    int64_t outputs() const override { return conv_pwl_.n_rows; }
    int64_t stride() const override { return stride_; }
    void run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped& tapped) const override;
    void plan(ScratchPlan& p, int64_t height, int64_t width) const override;
    double multiplications(int64_t height, int64_t width) const override;

private:
    ops::Window window() const { return {conv_exp_.size, stride_}; }
    int64_t band_rows(int64_t height, int64_t width) const;  // of a result of that size
    Kernel conv_exp_;     // [wide, k * k * inputs]
    View conv_pwl_;       // [outputs, wide]
    View bn1_, bn2_;      // [wide], [outputs]
    int64_t stride_ = 1;
    bool skip_ = false;
    float eps_ = 0;
};

}  // namespace gemma3n::model::vision
