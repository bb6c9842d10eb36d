#include "model/audio/feed_forward.h"

#include "model/audio/clamped.h"
#include "ops/linear.h"

namespace gemma3n::model::audio {

Result<FeedForward> FeedForward::bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width) {
    FeedForward f;
    f.eps_ = config.eps;
    f.limit_ = config.gradient_clipping;
    f.residual_weight_ = config.residual_weight;
    ASSIGN(const format::TensorInfo* inner, tensors.need(prefix + "ffw_layer_1.weight"));
    ASSIGN(f.pre_layer_norm_, tensors.vector(prefix + "pre_layer_norm.weight", width));
    ASSIGN(f.layer_1_, tensors.matrix(prefix + "ffw_layer_1.weight", inner->rows, width));
    ASSIGN(f.layer_2_, tensors.matrix(prefix + "ffw_layer_2.weight", width, inner->rows));
    ASSIGN(f.post_layer_norm_, tensors.vector(prefix + "post_layer_norm.weight", width));
    return f;
}

void FeedForward::run(Context& c, View x) const {
    const Arena::Scope scope(c.scratch);
    const int64_t n = x.n_rows, width = x.n_cols;
    const View h = c.scratch.view(n, width), inner = c.scratch.view(n, layer_1_.n_rows);
    c.each_row(n, [&](int64_t r) {
        clamp(x.f32(r), width, limit_, h.f32(r));
        c.k.rms_norm(h.f32(r), pre_layer_norm_.f32(), width, eps_, h.f32(r));
    });
    ops::linear(c, h, layer_1_, inner, ops::Order::steady);
    c.each_row(n, [&](int64_t r) { c.k.silu(inner.f32(r), inner.n_cols); });
    ops::linear(c, inner, layer_2_, h, ops::Order::steady);
    c.each_row(n, [&](int64_t r) {
        clamp(h.f32(r), width, limit_, h.f32(r));
        c.k.rms_norm(h.f32(r), post_layer_norm_.f32(), width, eps_, h.f32(r));
        c.k.add_scaled(x.f32(r), h.f32(r), width, residual_weight_);
    });
}

void FeedForward::plan(ScratchPlan& p, int64_t n) const {
    const ScratchPlan::Scope scope(p);
    p.view(n, layer_1_.n_cols);
    p.view(n, layer_1_.n_rows);
    ops::plan_linear(p, n, layer_1_.n_cols, layer_1_.type);
    ops::plan_linear(p, n, layer_2_.n_cols, layer_2_.type);
}

}  // namespace gemma3n::model::audio
