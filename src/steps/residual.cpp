// Norms, residual joins and the head.
#include "ops/linear.h"
#include "steps/cpu.h"

#include <cmath>
#include <cstring>

namespace gemma3n::steps {

void CpuSteps::norm(Context& c, const Norm& s) {
    c.each_row(s.x.n_rows, [&](int64_t r) { c.k.rms_norm(s.x.f32(r), s.weight.f32(), s.x.n_cols, s.eps, s.out.f32(r)); });
}

void CpuSteps::residual_join(Context& c, const ResidualJoin& s) {
    const int64_t d = s.active.n_cols;
    c.each_row(s.active.n_rows, [&](int64_t r) {
        float* out = s.out.f32(r);
        c.k.rms_norm(s.attention.f32(r), s.norm.f32(), d, s.eps, out);
        c.k.add(out, s.active.f32(r), d);
        c.k.sum_scaled(out, s.laurel.f32(r), d, static_cast<float>(M_SQRT1_2), out);
    });
}

void CpuSteps::residual_add(Context& c, const ResidualAdd& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t d = s.x.n_cols;
    const View normed = c.scratch.view(c.pool.n_threads(), d);
    c.pool.split(s.x.n_rows, 1, [&](int64_t begin, int64_t end, int worker) {
        for (int64_t r = begin; r < end; r++) {
            c.k.rms_norm(s.branch.f32(r), s.norm.f32(), d, s.eps, normed.f32(worker));
            if (s.out.f32(r) != s.x.f32(r)) memcpy(s.out.f32(r), s.x.f32(r), d * sizeof(float));
            c.k.add(s.out.f32(r), normed.f32(worker), d);
        }
    });
}

void CpuSteps::head(Context& c, const Head& s) {
    norm(c, {s.hidden, s.norm, s.eps, s.hidden});
    ops::linear(c, s.hidden, s.lm_head, s.logits);
    if (s.softcap <= 0) return;
    constexpr int64_t piece = 4096;
    for (int64_t r = 0; r < s.logits.n_rows; r++) {
        c.pool.split(s.logits.n_cols, piece, [&](int64_t begin, int64_t end, int) { c.k.softcap(s.logits.f32(r) + begin, end - begin, s.softcap); });
    }
}

std::unique_ptr<Steps> cpu_steps() { return std::make_unique<CpuSteps>(); }

}  // namespace gemma3n::steps
