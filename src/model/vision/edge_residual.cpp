#include "model/vision/edge_residual.h"

#include "ops/convolution.h"
#include "ops/linear.h"

#include <algorithm>

namespace gemma3n::model::vision {

Result<EdgeResidual> EdgeResidual::bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps) {
    EdgeResidual b;
    ASSIGN(b.conv_exp_, parts.full(name + ".conv_exp.weight", inputs));
    const int64_t wide = b.conv_exp_.weights.n_rows;
    ASSIGN(b.bn1_, parts.vector(name + ".bn1.weight", wide));
    ASSIGN(b.conv_pwl_, parts.pointwise(name + ".conv_pwl.weight", wide));
    ASSIGN(b.bn2_, parts.vector(name + ".bn2.weight", b.conv_pwl_.n_rows));
    b.stride_ = stride;
    b.skip_ = stride == 1 && inputs == b.outputs();
    b.eps_ = eps;
    return b;
}

int64_t EdgeResidual::band_rows(int64_t height, int64_t width) const {
    return std::clamp<int64_t>(band_values / (width * std::max(conv_exp_.weights.n_rows, conv_exp_.weights.n_cols)), 1, height);
}

void EdgeResidual::run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped&) const {
    const int64_t wide = conv_exp_.weights.n_rows, patch = conv_exp_.weights.n_cols, band = band_rows(out.height, out.width);
    const Arena::Scope scope(c.scratch);
    const View gathered = c.scratch.view(band * out.width, patch), widened = c.scratch.view(band * out.width, wide);
    for (int64_t y = 0; y < out.height; y += band) {
        const Arena::Scope each(c.scratch);  // 8-bit forms of the band
        const int64_t n = std::min(band, out.height - y), pixels = n * out.width;
        const View p = gathered.rows(0, pixels), x = widened.rows(0, pixels), result = out.rows(y, n);
        ops::patches(c, in, window(), y, n, p);
        ops::linear(c, p, conv_exp_.weights, x);
        norm_gelu(c, x, bn1_, eps_);
        ops::linear(c, x, conv_pwl_, result);
        c.each_row(pixels, [&](int64_t i) {
            c.k.rms_norm(result.f32(i), bn2_.f32(), result.n_cols, eps_, result.f32(i));
            if (skip_) c.k.add(result.f32(i), in.row(y) + i * in.channels(), result.n_cols);
        });
    }
}

void EdgeResidual::plan(ScratchPlan& p, int64_t height, int64_t width) const {
    const ScratchPlan::Scope scope(p);
    const int64_t out_width = window().outputs(width), pixels = band_rows(window().outputs(height), out_width) * out_width;
    p.view(pixels, conv_exp_.weights.n_cols);
    p.view(pixels, conv_exp_.weights.n_rows);
    ops::PlannedInput patches(pixels, conv_exp_.weights.n_cols), widened(pixels, conv_exp_.weights.n_rows);
    patches.linear(p, {conv_exp_.weights.type});
    widened.linear(p, {conv_pwl_.type});
}

double EdgeResidual::multiplications(int64_t height, int64_t width) const {
    const double weights = static_cast<double>(conv_exp_.weights.n_rows) * (conv_exp_.weights.n_cols + conv_pwl_.n_rows);
    return weights * window().outputs(height) * window().outputs(width);
}

}  // namespace gemma3n::model::vision
