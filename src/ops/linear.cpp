#include "ops/linear.h"

#include <algorithm>

namespace gemma3n::ops {

static kernels::Weights as_weights(const View& v) { return {v.raw(), v.stride, v.type, v.n_rows, v.n_cols}; }

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

static kernels::Q8 q8_shape(int64_t n, int64_t k) {
    kernels::Q8 a;
    a.n = n;
    a.k = k;
    a.q_stride = round_up(k, 64);
    a.scale_stride = round_up(k / kernels::q8_block, 16);
    a.sum_stride = round_up(k / 16, 32);
    return a;
}

const kernels::Q8& Input::q8(Context& c) {
    if (q8_.q) return q8_;
    kernels::Q8 a = q8_shape(x_.n_rows, x_.n_cols);
    a.q = reinterpret_cast<int8_t*>(c.scratch.bytes(a.n * a.q_stride));
    a.scale = reinterpret_cast<float*>(c.scratch.bytes(a.n * a.scale_stride * sizeof(float)));
    a.sum = reinterpret_cast<int16_t*>(c.scratch.bytes(a.n * a.sum_stride * sizeof(int16_t)));
    c.each_row(a.n, [&](int64_t r) {
        c.k.quantize_q8(x_.f32(r), a.k, a.q + r * a.q_stride, a.scale + r * a.scale_stride, a.sum + r * a.sum_stride);
    });
    q8_ = a;
    return q8_;
}

void linear(Context& c, Input& x, std::initializer_list<Product> products, Order order) {
    const int64_t n = x.f32().n_rows, k = x.f32().n_cols;
    if (n == 0) return;
    int64_t total = 0;
    bool any_q8 = false;
    for (const Product& p : products) {
        assert(p.weights.n_cols == k && p.out.n_rows == n && p.out.n_cols == p.weights.n_rows);
        total += round_up(p.weights.n_rows, kernels::panel_rows);
        any_q8 |= !c.exact && is_quantised(p.weights.type);
        if (c.inputs) c.inputs->input(p.weights, x.f32());
    }
    const kernels::Q8 a = any_q8 ? x.q8(c) : kernels::Q8{};
    const Arena::Scope scope(c.scratch);  // after q8(), which must outlive this call
    const uint64_t scratch_bytes = kernels::matmul_scratch_bytes(k);
    std::byte* scratch = c.scratch.bytes(scratch_bytes * c.pool.n_threads());
    const bool small = order == Order::by_size && n <= kernels::matvec_max_rows;
    const float* f = x.f32().f32();
    const int64_t ldx = static_cast<int64_t>(x.f32().stride / sizeof(float));

    const auto rows = [&](int64_t begin, int64_t end, int worker) {
        std::byte* mine = scratch + scratch_bytes * worker;
        int64_t first = 0;  // of this product among all rows
        for (const Product& p : products) {
            const int64_t b = std::max<int64_t>(begin - first, 0), e = std::min(end - first, p.weights.n_rows);
            if (b < e) {
                const kernels::Weights w = as_weights(p.weights).from(b, e - b);
                const int type = static_cast<int>(w.type);
                float* y = p.out.f32() + b;
                const int64_t ldy = static_cast<int64_t>(p.out.stride / sizeof(float));
                if (!c.exact && is_quantised(w.type)) {
                    small ? c.k.matvec_q8[type](w, a, y, ldy) : c.k.matmul_q8[type](w, a, y, ldy, mine);
                } else {
                    (small ? c.k.matvec_f32 : c.k.matmul_f32)(w, f, ldx, n, y, ldy, mine);
                }
            }
            first += round_up(p.weights.n_rows, kernels::panel_rows);
        }
    };
    if (n * total * k < c.worth_sharing) rows(0, total, 0);
    else c.pool.split(total, (small ? 1 : 2) * kernels::panel_rows, rows);  // large steps multiply two panels at a time
}

void PlannedInput::linear(ScratchPlan& p, std::initializer_list<DType> weights) {
    if (n_ == 0) return;
    if (!p.exact && !q8_ && std::any_of(weights.begin(), weights.end(), is_quantised)) {
        const kernels::Q8 a = q8_shape(n_, k_);
        p.bytes(static_cast<uint64_t>(n_ * a.q_stride));
        p.bytes(static_cast<uint64_t>(n_ * a.scale_stride) * sizeof(float));
        p.bytes(static_cast<uint64_t>(n_ * a.sum_stride) * sizeof(int16_t));
        q8_ = true;
    }
    const ScratchPlan::Scope scope(p);
    p.bytes(kernels::matmul_scratch_bytes(k_) * static_cast<uint64_t>(p.n_threads));
}

}  // namespace gemma3n::ops
