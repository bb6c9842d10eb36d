#include "model/audio/light_conv.h"

#include "model/audio/clamped.h"
#include "ops/linear.h"

#include <cstring>

namespace gemma3n::model::audio {

Result<LightConv> LightConv::bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width) {
    LightConv l;
    l.eps_ = config.eps;
    l.limit_ = config.gradient_clipping;
    ASSIGN(l.pre_layer_norm_, tensors.vector(prefix + "pre_layer_norm.weight", width));
    ASSIGN(l.start_, tensors.matrix(prefix + "linear_start.weight", 2 * width, width));
    ASSIGN(const format::TensorInfo* t, tensors.need(prefix + "depthwise_conv1d.weight"));
    const int64_t kernel = t->cols;
    ASSIGN(const std::vector<float> stored, tensors.values(*t, width, kernel));  // [width, 1, kernel]
    l.depthwise_ = tensors.own(Tensors::channels_last(stored, 1, width, kernel), kernel);
    ASSIGN(l.conv_norm_, tensors.vector(prefix + "conv_norm.weight", width));
    ASSIGN(l.end_, tensors.matrix(prefix + "linear_end.weight", width, width));
    return l;
}

void LightConv::run(Context& c, View x, State& s) const {
    const Arena::Scope scope(c.scratch);
    const int64_t n = x.n_rows, width = x.n_cols, kernel = depthwise_.n_rows, n_past = kernel - 1;
    const View h = c.scratch.view(n, width), gated = c.scratch.view(n_past + n, width);
    c.each_row(n, [&](int64_t r) { c.k.rms_norm(x.f32(r), pre_layer_norm_.f32(), width, eps_, h.f32(r)); });
    {
        const Arena::Scope inner(c.scratch);
        const View both = c.scratch.view(n, 2 * width);
        ops::linear(c, h, start_, both, ops::Order::steady);
        c.each_row(n, [&](int64_t r) { c.k.glu(both.f32(r), both.f32(r) + width, width, gated.f32(n_past + r)); });
    }
    s.past.resize(static_cast<size_t>(n_past * width));
    memcpy(gated.f32(), s.past.data(), s.past.size() * sizeof(float));
    c.each_row(n, [&](int64_t r) {
        float* y = h.f32(r);
        c.k.multiply(gated.f32(r), depthwise_.f32(0), width, y);
        for (int64_t k = 1; k < kernel; k++) {
            const float *w = depthwise_.f32(k), *g = gated.f32(r + k);
            for (int64_t i = 0; i < width; i++) y[i] += w[i] * g[i];
        }
        clamp(y, width, limit_, y);
        c.k.rms_norm(y, conv_norm_.f32(), width, eps_, y);
        c.k.silu(y, width);
    });
    memcpy(s.past.data(), gated.f32(n), s.past.size() * sizeof(float));
    const View out = c.scratch.view(n, width);
    ops::linear(c, h, end_, out, ops::Order::steady);
    c.each_row(n, [&](int64_t r) { c.k.add(x.f32(r), out.f32(r), width); });
}

void LightConv::plan(ScratchPlan& p, int64_t n) const {
    const ScratchPlan::Scope scope(p);
    const int64_t width = end_.n_rows;
    p.view(2 * n + depthwise_.n_rows - 1, width);
    {
        const ScratchPlan::Scope inner(p);
        p.view(n, 2 * width);
        ops::plan_linear(p, n, width, start_.type);
    }
    p.view(n, width);
    ops::plan_linear(p, n, width, end_.type);
}

}  // namespace gemma3n::model::audio
