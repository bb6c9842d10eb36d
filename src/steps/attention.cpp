// Queries, keys, values and attention.
#include "ops/linear.h"
#include "steps/cpu.h"

namespace gemma3n::steps {

void CpuSteps::qkv(Context& c, const Qkv& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.h.n_rows, hd = s.head_dim;
    ops::Input h(s.h);
    if (s.q_proj && s.k_proj) ops::linear(c, h, {{s.q_proj, s.q}, {s.k_proj, s.k}, {s.v_proj, s.v}});
    else if (s.k_proj) ops::linear(c, h, {{s.k_proj, s.k}, {s.v_proj, s.v}});
    else ops::linear(c, h, {{s.q_proj, s.q}});
    c.each_row(n, [&](int64_t r) {
        const float *cosines = s.rope.cosines.f32(r), *sines = s.rope.sines.f32(r);
        auto norm_and_rotate = [&](float* heads, int64_t n_heads, const View& weight) {
            for (int64_t i = 0; i < n_heads; i++) {
                c.k.rms_norm(heads + i * hd, weight.f32(), hd, s.eps, heads + i * hd);
                c.k.rope(heads + i * hd, cosines, sines, hd / 2);
            }
        };
        if (s.q_proj) norm_and_rotate(s.q.f32(r), s.n_heads, s.q_norm);
        if (!s.k_proj) return;
        norm_and_rotate(s.k.f32(r), s.n_kv_heads, s.k_norm);
        if (!s.norm_v) return;
        for (int64_t i = 0; i < s.n_kv_heads; i++) c.k.rms_norm(s.v.f32(r) + i * hd, nullptr, hd, s.eps, s.v.f32(r) + i * hd);
    });
    if (s.k_proj) ops::store_kv(c, s.rows, s.kv, s.k, s.v);
}

void CpuSteps::attention(Context& c, const Attention& s) {
    const Arena::Scope scope(c.scratch);
    const View heads = c.scratch.view(s.q.n_rows, s.q.n_cols);
    ops::attention(c, s.shape, s.rows, s.kv, s.q, heads);
    ops::linear(c, heads, s.o_proj, s.out);
}

}  // namespace gemma3n::steps
