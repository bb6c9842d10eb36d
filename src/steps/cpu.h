// The default steps on the CPU. One room per part of the network: altup.cpp, per_layer.cpp, attention.cpp, feed_forward.cpp,
// residual.cpp.
#pragma once

#include "steps/steps.h"

namespace gemma3n::steps {

class CpuSteps final : public Steps {
public:
    void altup_expand(Context&, const AltupExpand&) override;
    void per_layer_inputs(Context&, const PerLayerInputs&) override;
    void altup_predict(Context&, const AltupPredict&) override;
    void laurel(Context&, const Laurel&) override;
    void qkv(Context&, const Qkv&) override;
    void attention(Context&, const Attention&) override;
    void gated_ffn(Context&, const GatedFfn&) override;
    void altup_correct(Context&, const AltupCorrect&) override;
    void per_layer_inject(Context&, const PerLayerInject&) override;
    void altup_merge(Context&, const AltupMerge&) override;
    void head(Context&, const Head&) override;
    void norm(Context&, const Norm&) override;
    void residual_join(Context&, const ResidualJoin&) override;
    void residual_add(Context&, const ResidualAdd&) override;
};

}  // namespace gemma3n::steps
