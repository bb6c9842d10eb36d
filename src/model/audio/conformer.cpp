#include "model/audio/conformer.h"

#include "model/audio/clamped.h"

namespace gemma3n::model::audio {

Result<ConformerLayer> ConformerLayer::bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width) {
    ConformerLayer l;
    l.eps_ = config.eps;
    l.limit_ = config.gradient_clipping;
    ASSIGN(l.ffw_layer_start_, FeedForward::bind(tensors, prefix + "ffw_layer_start.", config, width));
    ASSIGN(l.attention_, LocalAttention::bind(tensors, prefix + "attention.", config, width));
    ASSIGN(l.lconv1d_, LightConv::bind(tensors, prefix + "lconv1d.", config, width));
    ASSIGN(l.ffw_layer_end_, FeedForward::bind(tensors, prefix + "ffw_layer_end.", config, width));
    ASSIGN(l.norm_, tensors.vector(prefix + "norm.weight", width));
    return l;
}

void ConformerLayer::run(Context& c, View x, const std::vector<float>& relative, State& s, const Tapped& tapped) const {
    ffw_layer_start_.run(c, x);
    tapped.in("ffw_layer_start").see(x);
    attention_.run(c, x, relative, s.attention);
    tapped.in("attention").see(x);
    lconv1d_.run(c, x, s.lconv1d);
    tapped.in("lconv1d").see(x);
    ffw_layer_end_.run(c, x);
    tapped.in("ffw_layer_end").see(x);
    c.each_row(x.n_rows, [&](int64_t r) {
        clamp(x.f32(r), x.n_cols, limit_, x.f32(r));
        c.k.rms_norm(x.f32(r), norm_.f32(), x.n_cols, eps_, x.f32(r));
    });
    tapped.in("norm").see(x);
}

void ConformerLayer::plan(ScratchPlan& p, int64_t n) const {
    ffw_layer_start_.plan(p, n);
    attention_.plan(p, n);
    lconv1d_.plan(p, n);
    ffw_layer_end_.plan(p, n);
}

}  // namespace gemma3n::model::audio
