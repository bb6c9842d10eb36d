// Steps that measure themselves: each named step of another Steps, with a reading of the clock before and after.
#pragma once

#include "steps/steps.h"

#include <array>
#include <string_view>

namespace gemma3n::steps {

struct StepSeconds {
    std::string_view name;
    double seconds = 0;
    int64_t calls = 0;
};

class TimedSteps final : public Steps {
public:
    explicit TimedSteps(Steps& inner);
    std::span<const StepSeconds> times() const { return times_; }

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

private:
    template <class S>
    void timed(int i, void (Steps::*step)(Context&, const S&), Context& c, const S& s);
    Steps& inner_;
    std::array<StepSeconds, 14> times_;
};

}  // namespace gemma3n::steps
