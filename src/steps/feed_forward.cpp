// The gated feed-forward, dense or with a sparsified gate, and LAuReL, its low-rank sibling beside attention.
#include "ops/linear.h"
#include "steps/cpu.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::steps {

// up h for the neurons whose gate some row leaves open, 0 for the others, of which a closed gate leaves nothing: the same bits, unless a weight
// that is not read makes a number that is none. In a step of one row one neuron in twenty is open.
static void up_of_open(Context& c, ops::Input& h, View up_proj, View gate, View up) {
    const int64_t n = gate.n_rows, ff = gate.n_cols;
    auto* is_open = reinterpret_cast<uint8_t*>(c.scratch.bytes(static_cast<uint64_t>(ff)));
    auto* open = reinterpret_cast<int32_t*>(c.scratch.bytes(static_cast<uint64_t>(ff) * sizeof(int32_t)));
    std::fill_n(is_open, ff, uint8_t{0});
    for (int64_t r = 0; r < n; r++) {
        const float* g = gate.f32(r);
        for (int64_t j = 0; j < ff; j++) is_open[j] |= g[j] != 0;  // what is no number counts as open
    }
    int64_t n_open = 0;
    for (int64_t j = 0; j < ff; j++) {
        open[n_open] = static_cast<int32_t>(j);
        n_open += is_open[j];
    }
    if (n_open * 2 > ff) return ops::linear(c, h, {{up_proj, up}});  // many rows open different ones
    for (int64_t r = 0; r < n; r++) std::fill_n(up.f32(r), ff, 0.0f);
    ops::linear_rows(c, h, {up_proj, up}, {open, static_cast<size_t>(n_open)});
}

void CpuSteps::gated_ffn(Context& c, const GatedFfn& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.h.n_rows, ff = s.gate_proj.n_rows;
    const View gate = c.scratch.view(n, ff), up = c.scratch.view(n, ff);
    ops::Input h(s.h);
    const bool sparse = s.sparsity_multiplier > -INFINITY;
    const auto sparsify = [&](int64_t r) {  // statistics over the active width
        float mean, deviation;
        c.k.mean_deviation(gate.f32(r), ff, &mean, &deviation);
        c.k.relu_shift(gate.f32(r), ff, mean + deviation * s.sparsity_multiplier);
    };
    const auto activate = [&](int64_t r) { c.k.gelu_mul(gate.f32(r), up.f32(r), ff, gate.f32(r)); };
    if (s.sparsity_multiplier > 0 && n <= kernels::matvec_max_rows && !c.inputs) {  // linear_rows shows nothing to who watches inputs
        ops::linear(c, h, {{s.gate_proj, gate}});
        c.each_row(n, sparsify);
        up_of_open(c, h, s.up_proj, gate, up);
        c.each_row(n, activate);
    } else {
        ops::linear(c, h, {{s.gate_proj, gate}, {s.up_proj, up}});
        c.each_row(n, [&](int64_t r) {
            if (sparse) sparsify(r);
            activate(r);
        });
    }
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
