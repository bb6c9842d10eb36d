#include "steps/timed.h"

#include <chrono>

namespace gemma3n::steps {

namespace {

enum : int {
    altup_expand_at, per_layer_inputs_at, altup_predict_at, laurel_at, qkv_at, attention_at, gated_ffn_at, altup_correct_at, per_layer_inject_at,
    altup_merge_at, head_at, norm_at, residual_join_at, residual_add_at, n_steps
};

}  // namespace

TimedSteps::TimedSteps(Steps& inner)
    : inner_(inner),
      times_{{{"altup_expand"}, {"per_layer_inputs"}, {"altup_predict"}, {"laurel"}, {"qkv"}, {"attention"}, {"gated_ffn"}, {"altup_correct"},
              {"per_layer_inject"}, {"altup_merge"}, {"head"}, {"norm"}, {"residual_join"}, {"residual_add"}}} {
    static_assert(n_steps == std::tuple_size_v<decltype(times_)>);
}

template <class S>
void TimedSteps::timed(int i, void (Steps::*step)(Context&, const S&), Context& c, const S& s) {
    const auto start = std::chrono::steady_clock::now();
    (inner_.*step)(c, s);
    times_[i].seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    times_[i].calls++;
}

void TimedSteps::altup_expand(Context& c, const AltupExpand& s) { timed(altup_expand_at, &Steps::altup_expand, c, s); }
void TimedSteps::per_layer_inputs(Context& c, const PerLayerInputs& s) { timed(per_layer_inputs_at, &Steps::per_layer_inputs, c, s); }
void TimedSteps::altup_predict(Context& c, const AltupPredict& s) { timed(altup_predict_at, &Steps::altup_predict, c, s); }
void TimedSteps::laurel(Context& c, const Laurel& s) { timed(laurel_at, &Steps::laurel, c, s); }
void TimedSteps::qkv(Context& c, const Qkv& s) { timed(qkv_at, &Steps::qkv, c, s); }
void TimedSteps::attention(Context& c, const Attention& s) { timed(attention_at, &Steps::attention, c, s); }
void TimedSteps::gated_ffn(Context& c, const GatedFfn& s) { timed(gated_ffn_at, &Steps::gated_ffn, c, s); }
void TimedSteps::altup_correct(Context& c, const AltupCorrect& s) { timed(altup_correct_at, &Steps::altup_correct, c, s); }
void TimedSteps::per_layer_inject(Context& c, const PerLayerInject& s) { timed(per_layer_inject_at, &Steps::per_layer_inject, c, s); }
void TimedSteps::altup_merge(Context& c, const AltupMerge& s) { timed(altup_merge_at, &Steps::altup_merge, c, s); }
void TimedSteps::head(Context& c, const Head& s) { timed(head_at, &Steps::head, c, s); }
void TimedSteps::norm(Context& c, const Norm& s) { timed(norm_at, &Steps::norm, c, s); }
void TimedSteps::residual_join(Context& c, const ResidualJoin& s) { timed(residual_join_at, &Steps::residual_join, c, s); }
void TimedSteps::residual_add(Context& c, const ResidualAdd& s) { timed(residual_add_at, &Steps::residual_add, c, s); }

}  // namespace gemma3n::steps
