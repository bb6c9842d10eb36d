// The gated feed-forward, dense or with a sparsified gate, and LAuReL, its low-rank sibling beside attention.
#include "ops/linear.h"
#include "steps/cpu.h"

#include <cmath>

namespace gemma3n::steps {

void CpuSteps::gated_ffn(Context& c, const GatedFfn& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.h.n_rows, ff = s.gate_proj.n_rows;
    const View gate = c.scratch.view(n, ff), up = c.scratch.view(n, ff);
    ops::Input h(s.h);
    ops::linear(c, h, {{s.gate_proj, gate}, {s.up_proj, up}});
    c.each_row(n, [&](int64_t r) {
        if (s.sparsity_multiplier > -INFINITY) {  // statistics over the active width
            float mean, deviation;
            c.k.mean_deviation(gate.f32(r), ff, &mean, &deviation);
            c.k.relu_shift(gate.f32(r), ff, mean + deviation * s.sparsity_multiplier);
        }
        c.k.gelu_mul(gate.f32(r), up.f32(r), ff, gate.f32(r));
    });
    ops::linear(c, gate, s.down_proj, s.out);
}

void CpuSteps::laurel(Context& c, const Laurel& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.h.n_rows, d = s.h.n_cols;
    const View low = c.scratch.view(n, s.left.n_rows);
    ops::linear(c, s.h, s.left, low);
    ops::linear(c, low, s.right, s.out);
    c.each_row(n, [&](int64_t r) {
        c.k.rms_norm(s.out.f32(r), s.norm.f32(), d, s.eps, s.out.f32(r));
        c.k.add(s.out.f32(r), s.h.f32(r), d);
    });
}

}  // namespace gemma3n::steps
