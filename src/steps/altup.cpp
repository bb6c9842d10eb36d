// AltUp: the streams beside the one that the layer computes on.
#include "ops/linear.h"
#include "steps/cpu.h"

#include <cmath>
#include <cstring>

namespace gemma3n::steps {

namespace {

constexpr float magnitude_floor = 1e-5f;  // of the mean square of a projected stream
constexpr int64_t max_streams = 16;       // the config reader refuses more

// The router is a few rows long: it runs inside the row's own worker. One row of the router's norm lives in scratch.
class RouterRow {
public:
    RouterRow(Context& c, const Router& r, int64_t hidden) : c_(c), r_(r), hidden_(hidden), n_(r.modality_router.n_rows) {
        const uint64_t each = kernels::matmul_scratch_bytes(hidden) + static_cast<uint64_t>(hidden) * sizeof(float);
        bytes_ = (each + 63) / 64 * 64;
        scratch_ = c.scratch.bytes(bytes_ * c.pool.n_threads());
    }
    // m[A] of the active vector v.
    void operator()(const float* v, int worker, float* m) const {
        std::byte* mine = scratch_ + bytes_ * worker;
        float* normed = reinterpret_cast<float*>(mine);
        c_.k.rms_norm(v, r_.router_norm.f32(), hidden_, r_.eps, normed);
        c_.k.scale(normed, hidden_, 1.0f / static_cast<float>(hidden_));
        const View& w = r_.modality_router;
        c_.k.matvec_f32({w.raw(), w.stride, w.type, w.n_rows, w.n_cols}, normed, hidden_, 1, m, n_,
                        mine + static_cast<uint64_t>(hidden_) * sizeof(float));
        for (int64_t i = 0; i < n_; i++) m[i] = std::tanh(m[i]);
    }

private:
    Context& c_;
    const Router& r_;
    int64_t hidden_, n_;
    uint64_t bytes_;
    std::byte* scratch_;
};

// y = W m for a coefficient matrix [rows, A].
void coefficients(const View& w, const float* m, float* y) {
    for (int64_t r = 0; r < w.n_rows; r++) {
        float sum = 0;
        for (int64_t j = 0; j < w.n_cols; j++) sum += w.f32(r)[j] * m[j];
        y[r] = sum;
    }
}

// Rescales row u to the magnitude `target`.
void match_magnitude(Context& c, float* u, int64_t n, float target) {
    const float mean_square = c.k.sum_squares(u, n) / static_cast<float>(n);
    c.k.scale(u, n, target / std::sqrt(std::max(mean_square, magnitude_floor)));
}

float magnitude(Context& c, const float* x, int64_t n) { return std::sqrt(c.k.sum_squares(x, n) / static_cast<float>(n)); }

}  // namespace

void CpuSteps::altup_expand(Context& c, const AltupExpand& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t n = s.embeds.n_rows, d = s.embeds.n_cols;
    ops::Input e(s.embeds);
    for (size_t i = 0; i < s.projections.size(); i++) ops::linear(c, e, {{s.projections[i], s.streams.rows((i + 1) * n, n)}});
    c.each_row(n, [&](int64_t r) {
        const float target = magnitude(c, s.embeds.f32(r), d);
        memcpy(s.streams.f32(r), s.embeds.f32(r), d * sizeof(float));
        for (size_t i = 1; i <= s.projections.size(); i++) match_magnitude(c, s.streams.f32(i * n + r), d, target);
    });
}

void CpuSteps::altup_predict(Context& c, const AltupPredict& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t a = s.router.modality_router.n_rows, n = s.streams.n_rows / a, d = s.streams.n_cols;
    const RouterRow modal(c, s.router, d);
    c.pool.split(n, 1, [&](int64_t begin, int64_t end, int worker) {
        float m[max_streams], coef[max_streams * max_streams];
        for (int64_t r = begin; r < end; r++) {
            modal(s.streams.f32(s.active * n + r), worker, m);
            coefficients(s.coefs, m, coef);
            for (int64_t i = 0; i < a; i++) c.k.mix(s.streams.f32(r), n * d, a, i, coef + a * i, d, s.predictions.f32(i * n + r));
        }
    });
}

void CpuSteps::altup_correct(Context& c, const AltupCorrect& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t a = s.router.modality_router.n_rows, n = s.activated.n_rows, d = s.activated.n_cols;
    const RouterRow modal(c, s.router, d);
    const View innovation = c.scratch.view(c.pool.n_threads(), d);
    c.pool.split(n, 1, [&](int64_t begin, int64_t end, int worker) {
        float m[max_streams], coef[max_streams];
        for (int64_t r = begin; r < end; r++) {
            modal(s.activated.f32(r), worker, m);
            coefficients(s.coefs, m, coef);
            float* delta = innovation.f32(worker);
            memcpy(delta, s.activated.f32(r), d * sizeof(float));
            c.k.add_scaled(delta, s.predictions.f32(s.active * n + r), d, -1.0f);
            for (int64_t i = 0; i < a; i++) c.k.add_scaled(s.predictions.f32(i * n + r), delta, d, coef[i] + 1.0f);
        }
    });
}

void CpuSteps::altup_merge(Context& c, const AltupMerge& s) {
    const Arena::Scope scope(c.scratch);
    const int64_t a = static_cast<int64_t>(s.projections.size()) + 1, n = s.streams.n_rows / a, d = s.streams.n_cols;
    const View projected = c.scratch.view((a - 1) * n, d);
    for (int64_t i = 1; i < a; i++) ops::linear(c, s.streams.rows(i * n, n), s.projections[i - 1], projected.rows((i - 1) * n, n));
    c.each_row(n, [&](int64_t r) {
        const float target = magnitude(c, s.streams.f32(r), d);
        memcpy(s.out.f32(r), s.streams.f32(r), d * sizeof(float));
        for (int64_t i = 0; i < a - 1; i++) {
            match_magnitude(c, projected.f32(i * n + r), d, target);
            c.k.add(s.out.f32(r), projected.f32(i * n + r), d);
        }
        c.k.scale(s.out.f32(r), d, 1.0f / static_cast<float>(a));
    });
}

}  // namespace gemma3n::steps
