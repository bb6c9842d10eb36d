#include "model/vision/inverted_residual.h"

#include "ops/convolution.h"
#include "ops/linear.h"

#include <algorithm>
#include <cstring>

namespace gemma3n::model::vision {

Result<InvertedResidual> InvertedResidual::bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps, bool may_skip) {
    InvertedResidual b;
    b.stride_ = stride;
    b.eps_ = eps;
    if (parts.has(name + ".dw_start.conv.weight")) {
        ASSIGN(b.dw_start_, parts.depthwise(name + ".dw_start.conv.weight", inputs));
        ASSIGN(b.dw_start_bn_, parts.vector(name + ".dw_start.bn.weight", inputs));
    }
    ASSIGN(b.pw_exp_, parts.pointwise(name + ".pw_exp.conv.weight", inputs));
    const int64_t wide = b.pw_exp_.n_rows;
    ASSIGN(b.pw_exp_bn_, parts.vector(name + ".pw_exp.bn.weight", wide));
    if (parts.has(name + ".dw_mid.conv.weight")) {
        ASSIGN(b.dw_mid_, parts.depthwise(name + ".dw_mid.conv.weight", wide));
        ASSIGN(b.dw_mid_bn_, parts.vector(name + ".dw_mid.bn.weight", wide));
    }
    if (stride > 1 && !b.dw_start_.weights && !b.mid()) {
        return parts.wrong(name + ".pw_exp.conv.weight", "opens a stage: expected a depthwise convolution beside it that halves the map");
    }
    ASSIGN(b.pw_proj_, parts.pointwise(name + ".pw_proj.conv.weight", wide));
    ASSIGN(b.pw_proj_bn_, parts.vector(name + ".pw_proj.bn.weight", b.outputs()));
    if (parts.has(name + ".layer_scale.gamma")) {
        ASSIGN(const View gamma, parts.vector(name + ".layer_scale.gamma", b.outputs()));
        for (int64_t i = 0; i < b.outputs(); i++) b.pw_proj_bn_.f32()[i] *= gamma.f32()[i];
    }
    b.skip_ = may_skip && stride == 1 && inputs == b.outputs();
    return b;
}

// Rows [first, first + n) of the expanded map.
void InvertedResidual::expand(Context& c, const ops::Map& in, int64_t first, int64_t n, View out) const {
    const Arena::Scope scope(c.scratch);
    View x;
    if (dw_start_.weights) {
        x = c.scratch.view(out.n_rows, in.channels());
        ops::depthwise(c, in, dw_start_.weights, start_window(), first, n, x);
        norm(c, x, dw_start_bn_, eps_, x);
    } else {
        x = in.rows(first, n);
    }
    ops::linear(c, x, pw_exp_, out);
    norm_gelu(c, out, pw_exp_bn_, eps_);
}

InvertedResidual::Bands InvertedResidual::bands(int64_t height, int64_t width) const {
    const ops::Window window = mid_window();
    const int64_t h = start_window().outputs(height), w = start_window().outputs(width);
    const int64_t held = std::clamp<int64_t>(band_values / (w * pw_exp_.n_rows), window.kernel, h + window.kernel);
    const int64_t band = std::clamp<int64_t>((held - window.kernel) / window.stride + 1, 1, window.outputs(h));
    return {w, std::min((band - 1) * window.stride + window.kernel, h), band};
}

void InvertedResidual::run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped&) const {
    const int64_t wide = pw_exp_.n_rows;
    const ops::Window window = mid_window();
    ops::Map expanded;  // a band of it; rows that the next band reads too stay
    expanded.height = start_window().outputs(in.height);
    expanded.width = start_window().outputs(in.width);
    const int64_t above = window.before(expanded.height);
    const Bands bands = this->bands(in.height, in.width);
    const int64_t band = bands.band;

    const Arena::Scope scope(c.scratch);
    const View rows = c.scratch.view(bands.rows * expanded.width, wide);
    expanded.values = rows;
    const View filtered = mid() ? c.scratch.view(band * out.width, wide) : View{};
    int64_t have = 0;  // expanded rows [expanded.first, have) are there
    for (int64_t y = 0; y < out.height; y += band) {
        const Arena::Scope each(c.scratch);  // 8-bit forms of the band
        const int64_t n = std::min(band, out.height - y), pixels = n * out.width;
        const int64_t lo = std::max<int64_t>(y * window.stride - above, 0);
        const int64_t hi = std::min((y + n - 1) * window.stride - above + window.kernel, expanded.height);
        if (have > lo) memmove(rows.f32(), expanded.row(lo), static_cast<size_t>((have - lo) * expanded.width * wide) * sizeof(float));
        expanded.first = lo;
        const int64_t from = std::max(lo, have);
        expand(c, in, from, hi - from, expanded.rows(from, hi - from));
        have = hi;

        View x = expanded.rows(lo, hi - lo);
        if (mid()) {
            x = filtered.rows(0, pixels);
            ops::depthwise(c, expanded, dw_mid_.weights, window, y, n, x);
            norm_gelu(c, x, dw_mid_bn_, eps_);
        }
        const View result = out.rows(y, n);
        ops::linear(c, x, pw_proj_, result);
        c.each_row(pixels, [&](int64_t i) {
            c.k.rms_norm(result.f32(i), pw_proj_bn_.f32(), result.n_cols, eps_, result.f32(i));
            if (skip_) c.k.add(result.f32(i), in.row(y) + i * in.channels(), result.n_cols);
        });
    }
}

void InvertedResidual::plan(ScratchPlan& p, int64_t height, int64_t width) const {
    const ScratchPlan::Scope scope(p);
    const Bands b = bands(height, width);
    const int64_t held = b.rows * b.width, made = b.band * mid_window().outputs(b.width);
    p.view(held, pw_exp_.n_rows);
    if (mid()) p.view(made, pw_exp_.n_rows);
    {
        const ScratchPlan::Scope expanding(p);
        if (dw_start_.weights) p.view(held, pw_exp_.n_cols);
        ops::plan_linear(p, held, pw_exp_.n_cols, pw_exp_.type);
    }
    ops::plan_linear(p, made, pw_proj_.n_cols, pw_proj_.type);
}

double InvertedResidual::multiplications(int64_t height, int64_t width) const {
    const ops::Window start = start_window(), middle = mid_window();
    const int64_t h = start.outputs(height), w = start.outputs(width);
    const double between = static_cast<double>(h) * w, after = static_cast<double>(middle.outputs(h)) * middle.outputs(w);
    double n = between * pw_exp_.n_rows * pw_exp_.n_cols + after * pw_proj_.n_rows * pw_proj_.n_cols;
    if (dw_start_.weights) n += between * dw_start_.weights.n_rows * dw_start_.weights.n_cols;
    if (mid()) n += after * dw_mid_.weights.n_rows * dw_mid_.weights.n_cols;
    return n;
}

}  // namespace gemma3n::model::vision
