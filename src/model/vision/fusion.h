// MSFA, the multi-scale fusion adapter: the last two stages' maps become one of a fixed side, whatever the picture's.
//
//   f = ffn([fine, coarse enlarged to it]);  averaged over squares to the side where it divides, else bilinear;  out = norm(f)
#pragma once

#include "model/vision/inverted_residual.h"

namespace gemma3n::model::vision {

class Fusion {
public:
    static Result<Fusion> bind(Parts& parts, int64_t fine, int64_t coarse, int64_t side, float eps);
    int64_t outputs() const { return ffn_->outputs(); }
    int64_t side() const { return side_; }
    // out [side * side, outputs()]
    void run(Context& c, const ops::Map& fine, const ops::Map& coarse, View out, const Tapped& tapped) const;
    void plan(ScratchPlan& p, int64_t height, int64_t width) const;  // of the fine map
    double multiplications(int64_t height, int64_t width) const { return ffn_->multiplications(height, width); }

private:
    std::unique_ptr<InvertedResidual> ffn_;
    View norm_;  // [outputs]
    int64_t side_ = 0;
    float eps_ = 0;
};

}  // namespace gemma3n::model::vision
