#include "ops/linear.h"

#include <algorithm>
#include <cassert>
#include <cstring>

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

namespace {

// The rows that are multiplied, in both forms, and how: small steps have products of their own.
struct Multiplied {
    const kernels::Table& k;
    View x;         // [n, k] f32
    kernels::Q8 a;  // the same in 8 bit; null: every product is exact
    bool small;

    void by(const kernels::Weights& w, float* y, int64_t ldy, std::byte* scratch) const {
        const int type = static_cast<int>(w.type);
        if (a.q && is_quantised(w.type)) return small ? k.matvec_q8[type](w, a, y, ldy) : k.matmul_q8[type](w, a, y, ldy, scratch);
        (small ? k.matvec_f32 : k.matmul_f32)(w, x.f32(), static_cast<int64_t>(x.stride / sizeof(float)), x.n_rows, y, ldy, scratch);
    }
};

}  // namespace

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
    const bool small = order == Order::by_size && n <= kernels::matvec_max_rows;
    const Multiplied rows_of_x{c.k, x.f32(), any_q8 ? x.q8(c) : kernels::Q8{}, small};
    const Arena::Scope scope(c.scratch);  // after q8(), which must outlive this call
    const uint64_t scratch_bytes = kernels::matmul_scratch_bytes(k);
    std::byte* scratch = c.scratch.bytes(scratch_bytes * c.pool.n_threads());

    const auto rows = [&](int64_t begin, int64_t end, int worker) {
        std::byte* mine = scratch + scratch_bytes * worker;
        int64_t first = 0;  // of this product among all rows
        for (const Product& p : products) {
            const int64_t b = std::max<int64_t>(begin - first, 0), e = std::min(end - first, p.weights.n_rows);
            if (b < e) rows_of_x.by(as_weights(p.weights).from(b, e - b), p.out.f32() + b, static_cast<int64_t>(p.out.stride / sizeof(float)), mine);
            first += round_up(p.weights.n_rows, kernels::panel_rows);
        }
    };
    if (n * total * k < c.worth_sharing) rows(0, total, 0);
    else c.pool.split(total, (small ? 1 : 2) * kernels::panel_rows, rows);  // large steps multiply two panels at a time
}

// Listed rows are copied side by side, 16 at a time, while the next 16 are asked for: scattered rows of a kilobyte are too short for a
// processor's own prefetching, and the copies cost little beside waiting.
constexpr int64_t rows_together = kernels::panel_rows;

static uint64_t copied_bytes(DType type, int64_t k) { return static_cast<uint64_t>(round_up(static_cast<int64_t>(rows_together * row_bytes(type, k)), 64)); }

void linear_rows(Context& c, Input& x, const Product& product, std::span<const int32_t> rows) {
    const int64_t n = x.f32().n_rows, k = x.f32().n_cols, n_listed = static_cast<int64_t>(rows.size());
    assert(n <= kernels::matvec_max_rows && product.weights.n_cols == k && product.out.n_rows == n);
    if (n_listed == 0 || n == 0) return;
    const kernels::Weights all = as_weights(product.weights);
    const Multiplied rows_of_x{c.k, x.f32(), !c.exact && is_quantised(all.type) ? x.q8(c) : kernels::Q8{}, true};
    const Arena::Scope scope(c.scratch);
    const uint64_t row = row_bytes(all.type, k), copied = copied_bytes(all.type, k), each = copied + kernels::matmul_scratch_bytes(k);
    std::byte* scratch = c.scratch.bytes(each * static_cast<uint64_t>(c.pool.n_threads()));
    const auto place = [&](int64_t listed) { return all.data + static_cast<uint64_t>(rows[static_cast<size_t>(listed)]) * all.stride; };
    const auto some = [&](int64_t begin, int64_t end, int worker) {
        std::byte* mine = scratch + each * static_cast<uint64_t>(worker);
        float y[kernels::matvec_max_rows * rows_together];
        for (int64_t b = begin; b < end; b += rows_together) {
            const int64_t m = std::min(rows_together, end - b);
            for (int64_t next = b + m; next < std::min(b + m + rows_together, n_listed); next++)
                for (uint64_t line = 0; line < row; line += 64) __builtin_prefetch(place(next) + line, 0, 2);
            for (int64_t j = 0; j < m; j++) memcpy(mine + static_cast<uint64_t>(j) * row, place(b + j), row);
            rows_of_x.by({mine, row, all.type, m, k}, y, rows_together, mine + copied);
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < m; j++) product.out.f32(i)[rows[static_cast<size_t>(b + j)]] = y[i * rows_together + j];
        }
    };
    if (n * n_listed * k < c.worth_sharing) some(0, n_listed, 0);
    else c.pool.split(n_listed, rows_together, some);
}

void PlannedInput::q8(ScratchPlan& p, bool any_quantised) {
    if (p.exact || q8_ || !any_quantised) return;
    const kernels::Q8 a = q8_shape(n_, k_);
    p.bytes(static_cast<uint64_t>(n_ * a.q_stride));
    p.bytes(static_cast<uint64_t>(n_ * a.scale_stride) * sizeof(float));
    p.bytes(static_cast<uint64_t>(n_ * a.sum_stride) * sizeof(int16_t));
    q8_ = true;
}

void PlannedInput::linear(ScratchPlan& p, std::initializer_list<DType> weights) {
    if (n_ == 0) return;
    q8(p, std::any_of(weights.begin(), weights.end(), is_quantised));
    const ScratchPlan::Scope scope(p);
    p.bytes(kernels::matmul_scratch_bytes(k_) * static_cast<uint64_t>(p.n_threads));
}

void PlannedInput::linear_rows(ScratchPlan& p, DType weights) {
    if (n_ == 0) return;
    q8(p, is_quantised(weights));
    const ScratchPlan::Scope scope(p);
    p.bytes((copied_bytes(weights, k_) + kernels::matmul_scratch_bytes(k_)) * static_cast<uint64_t>(p.n_threads));
}

}  // namespace gemma3n::ops
