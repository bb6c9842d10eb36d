// Per-layer embeddings: what a token brings to every layer, and its injection into the side streams.
#include "ops/linear.h"
#include "steps/cpu.h"

#include <cmath>

namespace gemma3n::steps {

void CpuSteps::per_layer_inputs(Context& c, const PerLayerInputs& s) {
    const int64_t d = s.embeds.n_cols, p = s.projection_norm.n_cols, blocks = s.out.n_cols / p;
    ops::linear(c, s.embeds, s.model_projection, s.out);
    const float projection_scale = 1.0f / std::sqrt(static_cast<float>(d)), table_scale = std::sqrt(static_cast<float>(p));
    c.each_row(s.embeds.n_rows, [&](int64_t r) {
        c.k.scale(s.out.f32(r), s.out.n_cols, projection_scale);
        for (int64_t b = 0; b < blocks; b++) {
            float* q = s.out.f32(r) + b * p;
            c.k.rms_norm(q, s.projection_norm.f32(), p, s.eps, q);
            c.k.add_scaled(q, s.table.f32(r) + b * p, p, table_scale);
        }
        c.k.scale(s.out.f32(r), s.out.n_cols, static_cast<float>(M_SQRT1_2));
    });
}

void CpuSteps::per_layer_inject(Context& c, const PerLayerInject& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.input.n_rows, d = s.streams.n_cols, p = s.input.n_cols, a = s.streams.n_rows / n;
    View active = s.streams.rows(s.active * n, n);
    if (s.correct_output_scale) {
        const View scaled = c.scratch.view(n, d);
        c.each_row(n, [&](int64_t r) { c.k.multiply(active.f32(r), s.correct_output_scale.f32(), d, scaled.f32(r)); });
        active = scaled;
    }
    const View gate = c.scratch.view(n, p), out = c.scratch.view(n, d);
    ops::linear(c, active, s.gate, gate);
    c.each_row(n, [&](int64_t r) { c.k.gelu_mul(gate.f32(r), s.input.f32(r), p, gate.f32(r)); });
    ops::linear(c, gate, s.projection, out);
    c.each_row(n, [&](int64_t r) {
        c.k.rms_norm(out.f32(r), s.norm.f32(), d, s.eps, out.f32(r));
        for (int64_t i = 1; i < a; i++) c.k.add(s.streams.f32(i * n + r), out.f32(r), d);
    });
}

}  // namespace gemma3n::steps
